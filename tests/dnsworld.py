"""Runs the real Exim where only our DNS server answers: its own network and mount namespace.

Needs root, ``unshare``, ``nsenter``, ``ip`` and ``mount``; :func:`DnsWorld.start` gives None where they do
not do, and the tests that need it then skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

RESOLV_CONF = "nameserver 127.0.0.1\nsearch test.ex sub.test.ex\noptions trust-ad timeout:1 attempts:1\n"
SERVER = Path(__file__).with_name("dnsserver.py")
ADDRESSES = ("10.99.0.1", "fd99::1")  # on the loopback interface, besides the usual

SETUP = """
ip link set lo up && ip addr add 10.99.0.1/32 dev lo && ip -6 addr add fd99::1/128 dev lo &&
mount --make-rprivate / && mount --bind "$1/resolv.conf" /etc/resolv.conf &&
mount --bind "$1/hosts" /etc/hosts && exec "$2" "$3" "$4" 127.0.0.1 53
"""


class DnsWorld:
    """A namespace with a DNS server on 127.0.0.1:53, resolv.conf and hosts of its own."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder

    @classmethod
    def start(
        cls, folder: Path, zones: Path, hosts: str = "", resolv_conf: str = RESOLV_CONF
    ) -> DnsWorld | None:
        """Make the namespace; ``folder`` is scratch space. None where it cannot be made."""
        if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip", "mount"))):
            return None
        (folder / "resolv.conf").write_text(resolv_conf)
        (folder / "hosts").write_text(hosts)
        command = [
            "unshare",
            "-n",
            "-m",
            "sh",
            "-c",
            SETUP,
            "sh",
            str(folder),
            sys.executable,
            str(SERVER),
            str(zones),
        ]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        if process.stdout.readline().strip() != "53":
            process.kill()
            process.wait()
            return None
        return cls(process, folder)

    def run(self, argv: list[str], stdin: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command inside. Text is latin-1."""
        inside = ["nsenter", "-t", str(self.process.pid), "-n", "-m", *argv]
        return subprocess.run(
            inside, input=stdin, capture_output=True, timeout=timeout, check=False, encoding="latin-1"
        )

    def close(self) -> None:
        """End the server; the namespace goes with it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

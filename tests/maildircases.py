"""The cases of ``fixtures/maildirsize.json``, and how the real Exim and ours are asked whether a mailbox has room.

A case: ``options`` of the transport, the ``files`` of the mailbox with their sizes, the text of its ``maildirsize``
(null: there is none) and its ``age`` in seconds, the ``size`` that MAIL gives, and the ``code`` of the reply to RCPT.
The real one gives its rights up with ``-C``: it gets the configuration as its own, in a mount namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from eximious.interpreter.text import Tainted
from eximious.simulation.smtp.session import SmtpSession

from eximious.assembly import Assembly, fresh_context

PATH = Path(__file__).resolve().parents[1] / "fixtures" / "maildirsize.json"
CONFIG = """\
primary_hostname = h.example
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny !verify = recipient/quota
  accept
begin routers
r:
  driver = accept
  transport = t
begin transports
t:
  driver = appendfile
  user = mail
  directory = @DIR@/box
  maildir_format
"""


def cases() -> list[dict[str, Any]]:
    """The recorded cases."""
    found: list[dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def prepare(folder: Path, case: dict[str, Any]) -> Path:
    """Make the mailbox and the configuration; gives the latter."""
    folder.chmod(0o755)
    for name in ("box", "spool", "log"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        (folder / name).chmod(0o777)  # the real one is another user
    box = folder / "box"
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir()
    for name, size in case["files"].items():
        path = box / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    if case["maildirsize"] is not None:
        file = box / "maildirsize"
        file.write_bytes(case["maildirsize"].encode("latin-1"))
        then = time.time() - case.get("age", 0)
        os.utime(file, (then, then))
    for path in [box, *box.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    (folder / "etc").mkdir(exist_ok=True)
    path = folder / "etc" / "exim4.conf"
    lines = "".join(f"  {option}\n" for option in case["options"])
    path.write_text((CONFIG + lines).replace("@DIR@", str(folder)), encoding="utf-8")
    return path


def ours(folder: Path, case: dict[str, Any]) -> str:
    """The code that ours answers."""
    assembly = Assembly(str(prepare(folder, case)), version="4.96", build="", allow=("all",))
    ctx = fresh_context(assembly.environment)
    ctx.session.sender_host_address = Tainted("192.0.2.7")
    session = SmtpSession(ctx)
    session.start()
    session.feed(f"EHLO c\r\nMAIL FROM:<a@b.example> SIZE={case.get('size', 0)}\r\n".encode())
    return session.feed(b"RCPT TO:<x@h.example>\r\n").decode()[:3]


def real(exim: str, folder: Path, case: dict[str, Any]) -> str:
    """The code that the installed one answers; "" where it cannot be asked."""
    etc = prepare(folder, case).parent
    inside = f'mount --bind "{etc}" /etc/exim4 && exec "{exim}" -bh 192.0.2.7'
    said = (
        f"EHLO c\r\nMAIL FROM:<a@b.example> SIZE={case.get('size', 0)}\r\nRCPT TO:<x@h.example>\r\nQUIT\r\n"
    )
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside],
        input=said.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    lines = run.stdout.decode("latin-1").split("\r\n")
    return lines[-3][:3] if len(lines) > 3 else ""

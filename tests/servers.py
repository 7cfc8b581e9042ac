"""Real servers for tests: PostgreSQL, MariaDB, Redis and OpenLDAP, on loopback.

Each is started on a free port with a folder of its own, filled with a little data, and stopped at the
end; where its programs are not installed, ``unavailable`` says so (tests skip with that text).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from glob import glob
from pathlib import Path

WAIT = 30.0  #: seconds to wait for a server


class ServerError(Exception):
    """A server that is installed did not start."""


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(*names: str) -> str | None:
    """The path of the first of the programs that is installed."""
    places = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/lib/postgresql-bin"
    places += "".join(f":{folder}" for folder in sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True))
    for name in names:
        found = shutil.which(name, path=places)
        if found:
            return found
    return None


class Server:
    """A server in a folder of its own. Subclasses say how to make, start and fill it."""

    name = ""
    programs: tuple[tuple[str, ...], ...] = ()
    user: str | None = None  #: who it runs as when the tests run as root
    ending = signal.SIGTERM  #: the signal that ends it

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"eximious-{self.name}-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.process: subprocess.Popen[bytes] | None = None
        self.paths = [program(*names) or "" for names in self.programs]

    @classmethod
    def unavailable(cls) -> str | None:
        """Why it cannot run here, or None."""
        for names in cls.programs:
            if program(*names) is None:
                return f"{names[0]} is not installed"
        if os.geteuid() == 0 and cls.user is not None:
            try:
                pwd.getpwnam(cls.user)
            except KeyError:
                return f"there is no user {cls.user}"
        return None

    def own(self) -> None:
        """Give the folder to the user the server runs as."""
        if os.geteuid() == 0 and self.user:
            entry = pwd.getpwnam(self.user)
            for place, _, files in os.walk(self.folder):
                os.chown(place, entry.pw_uid, entry.pw_gid)
                for file in files:
                    os.chown(os.path.join(place, file), entry.pw_uid, entry.pw_gid)

    def run(self, argv: list[str], text: str = "", check: bool = True) -> str:
        """Run a program as the server's user and give its output."""
        done = subprocess.run(
            argv,
            input=text.encode(),
            capture_output=True,
            timeout=60,
            cwd="/",
            user=self._user(),
            group=self._group(),
        )
        if check and done.returncode:
            raise ServerError(f"{argv[0]}: {done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout.decode()

    def _user(self) -> str | None:
        return self.user if os.geteuid() == 0 else None

    def _group(self) -> int | None:
        return pwd.getpwnam(self.user).pw_gid if os.geteuid() == 0 and self.user else None

    def launch(self, argv: list[str]) -> None:
        """Start the server's process; where it can be arranged, it ends with this one."""
        tie = shutil.which("setpriv")
        if tie:
            argv = [tie, "--pdeathsig", self.ending.name[3:], *argv]
        log = (self.folder / "log").open("wb")
        try:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._user(),
                group=self._group(),
                start_new_session=True,
            )
        finally:
            log.close()

    def wait(self) -> None:
        """Wait until it answers on its port."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if self.process is not None and self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                if self.ready():
                    return
            time.sleep(0.1)
        log = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
        self.stop()
        raise ServerError(f"{self.name} did not start: {log}")

    def ready(self) -> bool:
        """Whether it answers properly, once its port is open."""
        return True

    def start(self) -> None:
        """Make, start and fill it."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.ending)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


#: the same table in both SQL servers
SQL = r"""
create table them (name varchar(60), id varchar(30), num integer);
insert into them values ('a b c', 'one', 1);
insert into them values ('plain', 'two', 2);
insert into them values ('', 'empty', 3);
insert into them values (NULL, 'null', 4);
insert into them values ('say "x" \\ y', 'quote', 5);
insert into them values ('many', 'many', 6);
insert into them values ('more of', 'many', 7);
insert into them values ('"q', 'startq', 8);
insert into them values ('x\\y', 'back', 9);
insert into them values ('tab	x', 'tab', 10);
insert into them values (NULL, 'nulls', NULL);
"""


class Postgres(Server):
    """PostgreSQL: user ``tester``, password ``secret``, databases ``test`` and ``postgres``."""

    name = "pgsql"
    programs = (("initdb",), ("postgres",), ("psql",))
    user = "postgres"
    ending = signal.SIGINT

    def start(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        data.chmod(0o700)
        (self.folder / "pw").write_text("secret\n")
        self.own()
        make = f"{self.paths[0]} -D {data} -U tester -A md5 --pwfile={self.folder}/pw -E UTF8"
        self.run([*make.split(), "--no-sync", "--locale=C"])
        settings = ("fsync=off", "listen_addresses=127.0.0.1", f"port={self.port}")
        settings += (f"unix_socket_directories={self.folder}", "standard_conforming_strings=off")
        settings += ("escape_string_warning=off",)
        self.launch([self.paths[1], "-D", str(data)] + [word for one in settings for word in ("-c", one)])
        self.wait()
        self.sql("create database test", "postgres")
        self.sql(SQL, "test")

    def ready(self) -> bool:
        return not self.run(["true"]) and "1" in self.sql("select 1", "postgres", check=False)

    def sql(self, text: str, database: str = "test", check: bool = True) -> str:
        """Run statements."""
        url = f"postgresql://tester:secret@127.0.0.1:{self.port}/{database}"
        return self.run([self.paths[2], "-v", "ON_ERROR_STOP=1", "-q", url], text, check)


class MariaDB(Server):
    """MariaDB: user ``tester``, password ``secret``, database ``test``."""

    name = "mysql"
    programs = (("mariadb-install-db", "mysql_install_db"), ("mariadbd", "mysqld"), ("mariadb", "mysql"))
    user = "mysql"

    def start(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        self.own()
        base = ["--no-defaults", f"--datadir={data}"]
        self.run([self.paths[0], *base, "--auth-root-authentication-method=normal", "--skip-test-db"])
        self.socket = self.folder / "sock"
        settings = [
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.socket}",
            "--skip-log-bin",
        ]
        settings += [
            f"--pid-file={self.folder}/pid",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=8M",
        ]
        settings += [
            "--innodb-flush-log-at-trx-commit=0",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
        ]
        self.launch([self.paths[1], *base, *settings])
        self.wait()
        self.sql(
            "create database test; create user tester@localhost identified by 'secret';"
            " create user tester@127.0.0.1 identified by 'secret'; grant all on *.* to tester@localhost;"
            " grant all on *.* to tester@127.0.0.1;"
        )
        self.sql("use test;" + SQL)

    def ready(self) -> bool:
        return "1" in self.sql("select 1", check=False)

    def sql(self, text: str, check: bool = True) -> str:
        """Run statements as root."""
        return self.run([self.paths[2], "--no-defaults", f"--socket={self.socket}", "-uroot"], text, check)


class Redis(Server):
    """Redis: password ``secret`` on its port."""

    name = "redis"
    programs = (("redis-server",), ("redis-cli",))

    def start(self) -> None:
        self.launch(
            f"{self.paths[0]} --port {self.port} --bind 127.0.0.1 --requirepass secret".split()
            + f"--dir {self.folder} --unixsocket {self.folder}/sock".split()
        )
        self.wait()
        for command in (
            ["set", "key", "value"],
            ["set", "sp ace", "a b"],
            ["set", "number", "7"],
            ["rpush", "list", "one", "two words", "three"],
            ["hset", "hash", "f1", "v1", "f2", "v 2"],
            ["set", "empty", ""],
        ):
            self.cli(*command)

    def cli(self, *words: str) -> str:
        """Run one command."""
        return self.run([self.paths[1], "-p", str(self.port), "-a", "secret", "--no-auth-warning", *words])


class OpenLDAP(Server):
    """slapd: ``cn=manager,o=test`` with password ``secret``; a few entries below ``o=test``."""

    name = "ldap"
    programs = (("slapd",), ("slapadd",))

    entries = r"""dn: o=test
objectClass: organization
o: test

dn: cn=sarah,o=test
objectClass: inetOrgPerson
cn: sarah
sn: Smith
mail: sarah@one.example
mail: s.smith@two.example
description: a, b ,, "quoted" text
title: Chief \ Officer
userPassword: hers

dn: cn=tom,o=test
objectClass: inetOrgPerson
cn: tom
cn: Thomas
sn: Smith
mail: tom@one.example

dn: cn=odd\2C name,o=test
objectClass: inetOrgPerson
cn: odd, name
sn: Odd "x"

dn: cn=lines,o=test
objectClass: inetOrgPerson
cn: lines
sn: Lines
description:: b25lCnR3bywgdGhyZWU=
description:: w6kiXA==
"""

    def start(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        modules = next(
            (p for p in ("/usr/lib/ldap", "/usr/lib/openldap") if os.path.isdir(p)), "/usr/lib/ldap"
        )
        schema = next(
            (p for p in ("/etc/ldap/schema", "/etc/openldap/schema") if os.path.isdir(p)), "/etc/ldap/schema"
        )
        conf = self.folder / "slapd.conf"
        conf.write_text(
            "".join(f"include {schema}/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
            + f"modulepath {modules}\nmoduleload back_mdb\npidfile {self.folder}/pid\ndatabase mdb\n"
            + 'maxsize 10485760\nsuffix "o=test"\nrootdn "cn=manager,o=test"\nrootpw secret\n'
            + f"directory {data}\n"
            + "access to attrs=userPassword by anonymous auth by * none\naccess to * by * read\n"
        )
        ldif = self.folder / "data.ldif"
        ldif.write_text(self.entries)
        self.run([self.paths[1], "-f", str(conf), "-l", str(ldif), "-q"])
        listen = f"ldap://127.0.0.1:{self.port}/ ldapi://{str(self.folder / 'sock').replace('/', '%2f')}/"
        self.launch([self.paths[0], "-f", str(conf), "-h", listen, "-d", "0"])
        self.wait()

"""``eximious world``: begin a description of the outside, see what it answers, check it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eximious.options import EXIT_DONE, EXIT_FINDINGS, EXIT_LACKING, EXIT_USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.state import Doors

NAME = "eximious world"

ASK = """\
questions:
  dns NAME TYPE             the records of a name (TYPE as in dnsdb: A, MX, TXT, PTR…)
  file PATH                 a file's content;  stat PATH what is known of it;  list PATH a folder's names
  user NAME|UID             a user;  group NAME|GID a group
  sql KIND QUERY            what a mysql, pgsql, oracle, ibase… server answers
  redis COMMAND             what a Redis server answers;  ldap URL an LDAP server
  run PROGRAM [ARGUMENT…]   what a program writes, and its exit code
  socket SPEC [REQUEST]     what is answered at /PATH, inet:HOST:PORT or udp:HOST:PORT
  verdict KIND [PART…]      pam, dovecot, perl, spf, malware…
  callout ADDRESS [HOST]    what another server says to an address
  env NAME, time, hostname, interfaces, load, disk FOLDER
"""


def main(argv: list[str]) -> int:
    """Run the command; gives its exit code."""
    import argparse

    from eximious.options import common_options

    parser = argparse.ArgumentParser(
        prog=NAME, description="Described worlds: what a configuration finds outside."
    )
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = commands.add_parser("init", help="write a starting description of what a configuration can ask")
    common_options(init)
    init.add_argument(
        "folder", nargs="?", default="world", metavar="DIR", help="where to write it (default: world)"
    )
    init.add_argument("--force", action="store_true", help="write over a world.yaml that is there")
    ask = commands.add_parser(
        "ask",
        help="show what a description answers",
        epilog=ASK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ask.add_argument("--world", default="", metavar="DIR", help="the description (default: world)")
    ask.add_argument(
        "--live", action="append", default=[], metavar="WORD", help="ask the real dns, files, sql, …"
    )
    ask.add_argument("--nameserver", default="", metavar="IP:PORT", help="ask only this DNS server")
    ask.add_argument("--format", choices=("text", "json"), default="text", help="how the answer is written")
    ask.add_argument("question", metavar="QUESTION", help="see below")
    ask.add_argument("words", nargs=argparse.REMAINDER, metavar="…")
    check = commands.add_parser("check", help="check descriptions")
    check.add_argument("folders", nargs="+", metavar="DIR")
    check.add_argument("--format", choices=("text", "json"), default="text", help="how findings are written")
    options = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = {"init": _init, "ask": _ask, "check": _check}[options.action]
    return run(options)


# ---- init


def _init(options: argparse.Namespace) -> int:
    from eximious.assembly import Assembly, Unreadable
    from eximious.grammar.configuration import load_configuration
    from eximious.grammar.macros import DefineError, parse_defines
    from eximious.interpreter.language import Language
    from eximious.interpreter.outcomes import Refused
    from eximious.world_init import Starting
    from eximious.world_questions import AskedUsers, questions

    if not options.config:
        return _wrong("init needs -C CONFIG")
    users = AskedUsers()
    try:
        assembly = Assembly(
            options.config,
            version=options.exim_version,
            build=options.build,
            allow=[word for given in options.allow for word in given.replace(",", " ").split()],
            root=options.root,
        )
        path, catalogue = assembly.chosen_path, assembly.catalogue
        configuration = load_configuration(
            path,
            catalogue,
            parse_defines(options.defines),
            files=assembly.doors.files,
            users=users,
            hostname="localhost",
        )
    except (Unreadable, ValueError) as problem:
        return _wrong(str(problem))
    except DefineError as problem:
        return _wrong(problem.message)
    except OSError as problem:
        return _wrong(f"cannot read {options.config}: {problem.strerror}")
    except Refused as problem:
        sys.stderr.write(f"{NAME}: {problem}\n")
        return EXIT_LACKING
    first = configuration.first_error
    if first is not None:
        sys.stderr.write(
            f"{NAME}: the configuration has errors, so questions may be missing\n{first.exim_text()}\n"
        )
    files = Starting(path, questions(configuration, Language(catalogue)), users).write()
    folder = options.folder
    if os.path.exists(os.path.join(folder, "world.yaml")) and not options.force:
        return _wrong(f"there is a {os.path.join(folder, 'world.yaml')} (--force writes over it)")
    try:
        for below in ("root", "zones"):
            os.makedirs(os.path.join(folder, below), exist_ok=True)
        for name, text in files.items():
            path = os.path.join(folder, name)
            if name != "world.yaml" and os.path.exists(path):
                continue  # a zone that somebody has written is kept
            with open(path, "wb") as stream:
                stream.write(_bytes(text))
    except OSError as problem:
        return _wrong(f"cannot write {problem.filename}: {problem.strerror}")
    asked = (
        files["world.yaml"].count("\n#|") + sum(len(text.split("\n")) > 0 for name, text in files.items()) - 1
    )
    sys.stdout.write(f"{os.path.join(folder, 'world.yaml')}: {asked} lines and files to complete\n")
    return EXIT_DONE


def _bytes(text: str) -> bytes:
    """Text of which parts have one character a byte, and parts were decoded already, as UTF-8."""
    try:
        data = text.encode("latin-1")
        data.decode("utf-8")
    except UnicodeError:
        return text.encode("utf-8", "replace")
    return data


def _wrong(message: str) -> int:
    sys.stderr.write(f"{NAME}: {message}\n")
    return EXIT_USAGE


# ---- check


def _check(options: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = []
    for folder in options.folders:
        found += [
            {"file": one.file, "line": one.line, "column": one.column, "message": one.why}
            for one in problems_of(folder)
        ]
    if options.format == "json":
        _json({"problems": found})
    else:
        for one in found:
            place = f"{one['file']}:{one['line']}:{one['column']}" if one["line"] else one["file"]
            sys.stdout.write(f"{place}: {one['message']}\n")
    return EXIT_FINDINGS if found else EXIT_DONE


def problems_of(folder: str) -> list[Any]:
    """All that is wrong with a description, zone files included, as DescriptionErrors."""
    from eximious.backends.described import DescriptionError, World

    _, problems = World.read(folder)
    zones = os.path.join(folder, "zones")
    if os.path.isdir(zones):
        from eximious.backends.dnszones import ZoneError, Zones

        for name in sorted(os.listdir(zones)):
            path = os.path.join(zones, name)
            if not name.endswith(".zone"):
                if os.path.isfile(path) and not name.startswith((".", "README")):
                    problems.append(
                        DescriptionError(path, 0, 0, "is not read: the name of a zone file ends in .zone")
                    )
                continue
            try:
                with open(path, encoding="latin-1") as stream:
                    Zones().add(stream.read(), name.removesuffix(".zone"), path)
            except ZoneError as problem:
                problems.append(DescriptionError(path, problem.line, 1 if problem.line else 0, problem.why))
            except OSError as error:
                problems.append(DescriptionError(path, 0, 0, error.strerror or str(error)))
    return problems


# ---- ask


def _ask(options: argparse.Namespace) -> int:
    from eximious.backends.capabilities import CapabilityError
    from eximious.interpreter.outcomes import Refused, Unanswered
    from eximious.world_options import Outside, lacking_text

    question = _QUESTIONS.get(options.question)
    if question is None:
        from difflib import get_close_matches

        close = get_close_matches(options.question, _QUESTIONS, 1)
        return _wrong(
            f"there is no question {options.question!r}" + (f"; did you mean {close[0]}?" if close else "")
        )
    least, most, answer = question
    if not least <= len(options.words) <= most:
        wanted = str(least) if least == most else f"{least} or more"
        return _wrong(f"{options.question} wants {wanted} words (--help says which)")
    words = [os.fsencode(word).decode("latin-1") for word in options.words]
    try:
        outside = Outside(options.world or "world", options.live, "")
        doors = outside.doors(nameserver=options.nameserver or None)
    except (ValueError, CapabilityError) as problem:
        return _wrong(str(problem))
    try:
        text, plain = answer(doors, words)
    except (Refused, Unanswered) as problem:
        sys.stderr.write(f"{NAME}: {lacking_text(problem)}\n")
        return EXIT_LACKING
    except TimeoutError:
        text, plain = "time-out", {"fails": "timeout"}
    except OSError as problem:
        text, plain = problem.strerror or str(problem), {"fails": problem.strerror or str(problem)}
    except ValueError as problem:
        return _wrong(str(problem))
    if options.format == "json":
        _json(_shown(plain))
    else:
        sys.stdout.flush()
        data = text.encode("latin-1", "replace")
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:
            sys.stdout.write(text)
        else:
            stream.write(data if data.endswith(b"\n") or not data else data + b"\n")
            stream.flush()
    return EXIT_DONE


def _json(value: Any) -> None:
    import json

    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _shown(value: Any) -> Any:
    """Text of one character a byte as JSON shows it."""
    if isinstance(value, str):
        return value.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        return {_shown(key): _shown(below) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(below) for below in value]
    return value


Said = tuple[str, "Any"]


def _dns(doors: Doors, words: list[str]) -> Said:
    from eximious.backends.described_dns import item_of

    name, type_ = words[0], (words[1] if len(words) > 1 else "A").upper()
    if type_ == "PTR" and not name.endswith(".arpa"):
        from eximious.interpreter.dns import reverse_name

        name = reverse_name(name)
    try:
        import dns.rdatatype

        dns.rdatatype.from_text(type_)
    except Exception:
        raise ValueError(f"there is no record type {type_}") from None
    answer = doors.resolver.query(name, type_, dnssec=True)
    lines = [
        f"{one.name or '.'} {one.ttl} {one.type} {' '.join(map(str, one.data))}" for one in answer.records
    ]
    signed = ", signed" if answer.secure else ""
    reason = f" ({answer.reason})" if answer.reason else ""
    if answer.outcome != "succeed" or signed:
        lines.insert(0, f"{answer.outcome}{reason}{signed}")
    return "\n".join(lines), item_of(name, type_, True, answer)


def _file(doors: Doors, words: list[str]) -> Said:
    with doors.files.open(words[0]) as stream:
        text = stream.read().decode("latin-1")
    return text, {"content": text}


def _stat(doors: Doors, words: list[str]) -> Said:
    import stat

    from eximious.backends.described_files import FACTS, TYPES
    from eximious.interpreter.outcomes import Unanswered

    found = doors.files.stat(words[0])
    facts: dict[str, Any] = {
        "type": next((name for name, bits in TYPES.items() if bits == stat.S_IFMT(found.st_mode)), "unknown"),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
    }
    for name, field in FACTS.items():
        try:
            facts[name] = getattr(found, field)
        except Unanswered:
            facts[name] = None
    return "\n".join(
        f"{name}: {'not said' if value is None else value}" for name, value in facts.items()
    ), facts


def _listed(doors: Doors, words: list[str]) -> Said:
    names = doors.files.listdir(words[0])
    return "\n".join(names), {"names": names}


def _user(doors: Doors, words: list[str]) -> Said:
    word = words[0]
    found = doors.users.getpwuid(int(word)) if word.isdecimal() else doors.users.getpwnam(word)
    if found is None:
        return "absent", None
    fields = ("pw_name", "pw_uid", "pw_gid", "pw_gecos", "pw_dir", "pw_shell")
    values = [getattr(found, field) for field in fields]
    return ":".join(map(str, [values[0], "x", *values[1:]])), {
        field[3:]: value for field, value in zip(fields, values)
    }


def _group(doors: Doors, words: list[str]) -> Said:
    word = words[0]
    found = doors.users.getgrgid(int(word)) if word.isdecimal() else doors.users.getgrnam(word)
    if found is None:
        return "absent", None
    members = list(found.gr_mem)
    return f"{found.gr_name}:x:{found.gr_gid}:{','.join(members)}", {
        "name": found.gr_name,
        "gid": found.gr_gid,
        "members": members,
    }


def _sql(doors: Doors, words: list[str]) -> Said:
    from eximious.backends.databases import CLIENTS

    kinds = (*CLIENTS, "oracle", "ibase", "nisplus", "whoson", "nmh")
    if words[0] not in kinds:
        raise ValueError(f"there is no database of the kind {words[0]!r}; there are {', '.join(kinds)}")
    return _database(doors, words[0], " ".join(words[1:]))


def _redis(doors: Doors, words: list[str]) -> Said:
    return _database(doors, "redis", " ".join(words))


def _ldap(doors: Doors, words: list[str]) -> Said:
    from eximious.backends.described_databases import ldap_parts
    from eximious.interpreter.databases import Request

    if not words[0].startswith("ldap"):
        raise ValueError("an LDAP question is a URL: ldap:///BASE?ATTRIBUTES?SCOPE?FILTER")
    server, base, attributes, scope, search = ldap_parts(words[0])
    host, _, port = server.partition(":")
    settings = {"base": base, "attributes": attributes, "scope": scope}
    number = int(port) if port.isdigit() else 0
    return _told(
        doors.databases.query(Request(kind="ldap", server=host, port=number, text=search, options=settings))
    )


def _database(doors: Doors, kind: str, query: str) -> Said:
    from eximious.interpreter.databases import Request

    return _told(doors.databases.query(Request(kind=kind, text=query, words=query.split())))


def _told(answer: Any) -> Said:
    plain = answer.as_dict()
    if answer.message:
        text = f"{answer.outcome}: {answer.message}"
    elif answer.reply is not None:
        text = str(answer.reply)
    elif answer.entries:
        text = "\n\n".join(
            "\n".join([f"dn: {dn}", *(f"{name}: {value}" for name, values in attributes for value in values)])
            for dn, attributes in answer.entries
        )
    elif answer.affected >= 0:
        text = f"{answer.affected} rows affected"
    else:
        rows = [["NULL" if value is None else value for value in row] for row in answer.rows]
        text = "\n".join("\t".join(row) for row in [answer.columns, *rows]) if rows else "no rows"
    return text, plain


def _run(doors: Doors, words: list[str]) -> Said:
    code, output = doors.processes.run(words, "", 60)
    ended = f"exit {code}" if code >= 0 else f"died of signal {-code}"
    return f"{ended}\n{output}", {"exit": code, "output": output}


def _socket(doors: Doors, words: list[str]) -> Said:
    connection = doors.sockets.connect(words[0], 30)
    try:
        if len(words) > 1:
            connection.send(words[1].encode("latin-1"))
        connection.shutdown()
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
            if words[0].startswith("udp:"):
                break  # one datagram: nobody says that there are no more
    finally:
        connection.close()
    text = b"".join(pieces).decode("latin-1")
    return text, {"answer": text}


def _verdict(doors: Doors, words: list[str]) -> Said:
    from eximious.interpreter.outcomes import ExpansionError

    try:
        found = doors.verdicts.ask(words[0], *words[1:])
    except ExpansionError as error:
        return f"error: {error.message}", {"error": error.message}
    if found is None:
        return "undefined", {"undefined": True}
    return (str(found).lower() if isinstance(found, bool) else str(found)), {"answer": found}


def _callout(doors: Doors, words: list[str]) -> Said:
    found = doors.verdicts.ask("callout", *words)
    return "\n".join(f"{key}: {value}" for key, value in found.items()), found


def _env(doors: Doors, words: list[str]) -> Said:
    found = doors.environ.get(words[0])
    return ("not set", None) if found is None else (found, {"value": found})


def _time(doors: Doors, words: list[str]) -> Said:
    import time

    now = doors.clock.now()
    shown = time.strftime("%Y-%m-%d %H:%M:%S %z", doors.clock.localtime(now))
    return f"{shown} ({now})", {"now": now, "local": shown}


def _hostname(doors: Doors, words: list[str]) -> Said:
    name = doors.machine.hostname()
    return name, {"hostname": name}


def _interfaces(doors: Doors, words: list[str]) -> Said:
    found = doors.resolver.interfaces()
    return "\n".join(found), {"interfaces": found}


def _load(doors: Doors, words: list[str]) -> Said:
    found = doors.machine.load_average()
    return str(found), {"load": found}


def _disk(doors: Doors, words: list[str]) -> Said:
    found = doors.machine.disk(words[0])
    if found is None:
        return "absent", None
    return f"{found[0]} kilobytes, {found[1]} inodes", {"kilobytes": found[0], "inodes": found[1]}


_QUESTIONS: dict[str, tuple[int, int, Callable[[Doors, list[str]], Said]]] = {
    "callout": (1, 3, _callout),
    "disk": (1, 1, _disk),
    "dns": (1, 2, _dns),
    "env": (1, 1, _env),
    "file": (1, 1, _file),
    "group": (1, 1, _group),
    "hostname": (0, 0, _hostname),
    "interfaces": (0, 0, _interfaces),
    "ldap": (1, 1, _ldap),
    "list": (1, 1, _listed),
    "load": (0, 0, _load),
    "redis": (1, 99, _redis),
    "run": (1, 99, _run),
    "socket": (1, 2, _socket),
    "sql": (2, 99, _sql),
    "stat": (1, 1, _stat),
    "time": (0, 0, _time),
    "user": (1, 1, _user),
    "verdict": (1, 99, _verdict),
}

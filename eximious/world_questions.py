"""What a configuration can ask of the world, found by reading it; nothing is evaluated.

Where a question is put together at run time, the parts that are not known stand as :data:`HOLE`.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from eximious.backends.described_answers import AUTHENTICATORS
from eximious.grammar.expansion_ast import (
    Argument,
    Condition,
    Header,
    If,
    Item,
    Operator,
    Subarguments,
    Variable,
    Word,
)
from eximious.grammar.listspans import split_spans
from eximious.interpreter.outcomes import Failure
from eximious.lint import uses
from eximious.lint.static import HOLE, known

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.grammar.config_model import Configuration, Instance
    from eximious.grammar.expansion_ast import Node
    from eximious.grammar.source import Position
    from eximious.interpreter.language import Language
    from eximious.lint.sites import Site

#: variables that ask the machine or the clock -> kind of question
_VARIABLES = {
    "primary_hostname": "hostname",
    "qualify_domain": "hostname",
    "qualify_recipient": "hostname",
    "smtp_active_hostname": "hostname",
    "pid": "process",
    "caller_uid": "process",
    "caller_gid": "process",
    "initial_cwd": "process",
    "load_average": "load",
    "spool_space": "disk",
    "spool_inodes": "disk",
    "log_space": "disk",
    "log_inodes": "disk",
    "sender_host_name": "dns",
    "host_lookup_failed": "dns",
}
_PASSWORDS = ("pam", "radius", "ldapauth", "pwcheck", "saslauthd")
#: ACL condition or control -> kind of verdict, and of how many parts its question is that only a session knows
_VERDICTS = {
    "spf": ("spf", 3),
    "spf_guess": ("spf", 3),
    "dkim_signers": ("dkim", 2),
    "dkim_status": ("dkim", 2),
    "dmarc_status": ("dmarc", 3),
    "dcc": ("dcc", 3),
    "bmi_run": ("bmi", 1),
}
#: main options that name a file which is read
_MAIN_FILES = frozenset(
    (
        "bounce_message_file",
        "dmarc_tld_file",
        "ldap_ca_cert_file",
        "ldap_cert_file",
        "ldap_cert_key",
        "system_filter",
        "tls_certificate",
        "tls_crl",
        "tls_dhparam",
        "tls_ocsp_file",
        "tls_privatekey",
        "tls_verify_certificates",
        "warn_message_file",
    )
)
#: options of drivers that name a file which is read
_DRIVER_FILES = ("file", "server_keytab", "tls_certificate", "tls_privatekey", "tls_verify_certificates",
                 "tls_crl", "dkim_private_key")  # fmt: skip
#: lookup types that ask a database server
_DATABASES = (
    "mysql",
    "pgsql",
    "redis",
    "ldap",
    "ldapdn",
    "ldapm",
    "ldapauth",
    "oracle",
    "ibase",
    "nisplus",
    "whoson",
)
_DNS_TYPE = re.compile(r"(?i)\s*([a-z0-9+]+)\s*=\s*(.*)", re.DOTALL)
_TYPE = re.compile(r"[^\s;:/]+;")


class Asked:
    """A question. ``kind``: files, folders, dns, databases, users, groups, commands, sockets, verdicts,
    callouts, environment, hostname, process, load, disk, clock, interfaces or random; ``what``: its words
    (for databases the kind and the query, for DNS type and name, for verdicts the kind and the parts);
    ``where``: file:line and what it belongs to.
    """

    __slots__ = ("kind", "what", "where")

    def __init__(self, kind: str, what: tuple[str, ...], where: str) -> None:
        self.kind, self.what, self.where = kind, what, where

    def __repr__(self) -> str:
        return f"Asked({self.kind!r}, {self.what!r}, {self.where!r})"


class AskedUsers:
    """Users for reading a configuration whose users nobody knows yet: each name gets a number."""

    def __init__(self) -> None:
        self.users: dict[str, int] = {}
        self.groups: dict[str, int] = {}

    def user(self, name: str) -> tuple[int, int] | None:
        """A number of its own for each name."""
        number = self.users.setdefault(name, 1000 + len(self.users))
        return number, number

    def group(self, name: str) -> int | None:
        """A number of its own for each name."""
        return self.groups.setdefault(name, 1000 + len(self.groups))

    def user_name(self, uid: int) -> str | None:
        """The name that has the number."""
        return next((name for name, number in self.users.items() if number == uid), None)

    def group_name(self, gid: int) -> str | None:
        """The name that has the number."""
        return next((name for name, number in self.groups.items() if number == gid), None)

    def primary_group(self, uid: int) -> int | None:
        """The group of a user."""
        return uid


def questions(configuration: Configuration, language: Language) -> list[Asked]:
    """Give every question that a configuration can ask, each once for every place that asks it."""
    found = _Finder(configuration, language)
    found.run()
    unique: dict[tuple[str, tuple[str, ...], str], Asked] = {}
    for one in found.asked:
        unique.setdefault((one.kind, one.what, one.where), one)
    return list(unique.values())


class _Finder:
    def __init__(self, configuration: Configuration, language: Language) -> None:
        self.configuration, self.language = configuration, language
        self.asked: list[Asked] = []

    def run(self) -> None:
        from eximious.lint.sites import all_sites

        for site in all_sites(self.configuration, self.language):
            self._site(site)
        self._scanners()
        self._disks()
        for kind in ("router", "transport", "authenticator"):
            for instance in self.configuration.drivers(kind).values():
                self._driver(instance)

    def add(self, kind: str, what: tuple[str, ...], site: Site, offset: int = 0) -> None:
        position = site.span(offset, offset).position
        owner = f"{site.section} {site.owner}" if site.owner else site.section
        place = self._place(position) if position is not None else ""
        self.asked.append(Asked(kind, what, f"{place} ({owner}, {site.name})"))

    def _place(self, position: Position) -> str:
        """File and line; files beside the configuration by their names."""
        folder = posixpath.dirname(self.configuration.path)
        name = position.file
        if folder and posixpath.dirname(name) == folder:
            name = posixpath.basename(name)
        return f"{name}:{position.line}"

    def _site(self, site: Site) -> None:
        if site.use == uses.NOTHING:
            return
        if site.expanded:
            for node in site.tree(self.language).walk():
                self._node(node, site)
        text = site.known(self.language).text
        if site.use in uses.LISTS or site.use == uses.STRINGS:
            self._list(site, text)
        if site.section == "acl":
            self._acl(site, text)
        elif site.section == "main":
            self._main(site, text)
        elif site.name in _DRIVER_FILES and text.startswith("/") and site.section != "transport":
            self.add("files", (text,), site)
        elif site.name == "require_files":
            path = text.lstrip("!+ \t")
            if path.startswith("/"):
                self.add("files", (path,), site)
        elif site.section == "transport" and site.name in _DRIVER_FILES[1:] and text.startswith("/"):
            self.add("files", (text,), site)

    # ---- expansions

    def _node(self, node: Node, site: Site) -> None:
        if type(node) is Variable:
            self._variable(node, site)
        elif type(node) is Header:
            return
        elif type(node) is Item:
            self._item(node, site)
        elif type(node) is If or type(node) is Condition:
            condition = node.condition if type(node) is If else node
            if type(condition) is Condition and type(node) is Condition:
                self._condition(condition, site)
        elif type(node) is Operator:
            name = node.name
            if name == "stat":
                self.add("files", (_text(node.body),), site, node.start)
            elif name == "randint":
                self.add("random", (), site, node.start)

    def _variable(self, node: Variable, site: Site) -> None:
        name = node.name
        if name.startswith("tod_"):
            self.add("clock", (), site, node.start)
        kind = _VARIABLES.get(name)
        if kind == "disk":
            self.add("disk", (self._folder(name.startswith("log_")),), site, node.start)
        elif kind == "dns":
            self.add("dns", ("PTR", f"{HOLE}.in-addr.arpa"), site, node.start)
        elif kind:
            self.add(kind, (), site, node.start)

    def _item(self, node: Item, site: Site) -> None:
        arguments = [_text(part.text) for part in node.parts if type(part) is Argument]
        at, name = node.start, node.name
        if name == "lookup":
            words = [part.text for part in node.parts if type(part) is Word]
            first_is_key = bool(node.parts) and type(node.parts[0]) is Argument
            wanted = arguments[1:2] if first_is_key else arguments[:1]
            if words and wanted:
                self._lookup(words[0].strip(), wanted[0], site, at)
        elif name == "readfile" and arguments:
            self.add("files", (arguments[0],), site, at)
        elif name == "readsocket" and arguments:
            request = arguments[1] if len(arguments) > 1 else ""
            self.add("sockets", (arguments[0], request), site, at)
        elif name == "run" and arguments:
            self.add("commands", tuple(arguments[0].split()), site, at)
        elif name in ("perl", "dlfunc"):
            self.add("verdicts", (name, *arguments), site, at)
        elif name == "env" and arguments:
            self.add("environment", (arguments[0],), site, at)

    def _condition(self, node: Condition, site: Site) -> None:
        arguments: list[str] = []
        for part in node.arguments:
            if type(part) is Argument:
                arguments.append(_text(part.text))
            elif type(part) is Subarguments:
                arguments += [_text(one.text) for one in part.arguments]
        if node.name == "exists" and arguments:
            self.add("files", (arguments[0],), site, node.start)
        elif node.name in _PASSWORDS:
            parts = arguments
            if node.name in ("pam", "radius", "pwcheck") and arguments:
                parts = [item for item, _, _ in split_spans(arguments[0])]
            elif node.name == "ldapauth":
                parts = [HOLE, HOLE, arguments[0].rpartition(" ")[2] if arguments else HOLE]
            self.add("verdicts", (node.name, *parts), site, node.start)

    def _lookup(self, written: str, text: str, site: Site, at: int) -> None:
        """A lookup type as written, with its file or query."""
        from eximious.lookups.spec import parse_type

        try:
            spec = parse_type(written, self.language.catalogue.version)
        except Failure:
            return
        name = spec.name
        if name == "dnsdb":
            self._dnsdb(text, site, at)
        elif name in _DATABASES:
            kind = "ldap" if name.startswith("ldap") else name
            self.add("databases", (kind, _without_servers(text)), site, at)
        elif name == "sqlite":
            file = next((option[5:] for option in spec.options if option.startswith("file=")), "")
            if not file and text.startswith("/"):
                file = text.split(None, 1)[0]
            self.add("files", (file or str(self.configuration.option("sqlite_dbfile") or HOLE),), site, at)
        elif name == "passwd":
            self.add("users", (text,), site, at)
        elif name == "readsock":
            self.add("sockets", (text.split(",")[0], HOLE), site, at)
        elif name == "dsearch":
            self.add("folders", (text,), site, at)
        elif name in ("nis", "nis0"):
            self.add("databases", ("nis", HOLE), site, at)
        elif name == "nmh":
            self.add("databases", ("nmh", HOLE), site, at)
        elif name == "spf":
            self.add("verdicts", ("spf", HOLE, HOLE), site, at)
        elif spec.takes_key:
            self.add("files", (text,), site, at)

    def _dnsdb(self, query: str, site: Site, at: int) -> None:
        text = re.sub(r"^\s*>.(?:[,;].)?", "", query)
        while True:
            option = re.match(r"\s*(?:defer_|dnssec_|retrans_|retry_)[^,\s]*\s*,", text)
            if option is None:
                break
            text = text[option.end() :]
        found = _DNS_TYPE.match(text)
        type_, names = (found[1].upper(), found[2]) if found else ("TXT", text)
        types = {"A+": ("A", "AAAA"), "MXH": ("MX",), "ZNS": ("NS",), "CSA": ("SRV",)}.get(type_, (type_,))
        for name, _, _ in split_spans(names):
            for one in types:
                self.add("dns", (one, name or HOLE), site, at)

    # ---- lists

    def _list(self, site: Site, text: str) -> None:
        found = [(text, 0, len(text))] if site.single else split_spans(text)
        for item, start, _ in found:
            body = item.lstrip("!").lstrip()
            if not body or body.startswith(("+", "^", HOLE)):
                continue
            if body.startswith("/"):
                self.add("files", (body,), site, 0)
            elif body.startswith("@mx_"):
                self.add("dns", ("MX", HOLE), site, start)
            elif body in ("@[]",):
                self.add("interfaces", (), site, start)
            elif body == "@":
                self.add("hostname", (), site, start)
            elif _TYPE.match(body):
                written, _, rest = body.partition(";")
                written = re.sub(r"^net[0-9]*-", "", written)
                self._lookup(written, rest.strip(), site, 0)
            elif site.use == "host" and re.fullmatch(
                r"[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z][A-Za-z0-9-]*", body
            ):
                self.add("dns", ("A", body), site, start)
            elif site.use == "host" and body.startswith("*."):
                self.add("dns", ("PTR", f"{HOLE}.in-addr.arpa"), site, start)

    # ---- what is special

    def _acl(self, site: Site, text: str) -> None:
        name = site.name
        if name == "dnslists":
            for item, _, _ in split_spans(text):
                for domain in re.split(r"[=&!/]", item, maxsplit=1)[0].split(","):
                    if domain:
                        self.add("dns", ("A", f"{HOLE}.{domain}"), site)
        elif name in _VERDICTS:
            kind, parts = _VERDICTS[name]
            self.add("verdicts", (kind, *[HOLE] * parts), site)
            if name == "spf_guess":
                record = str(self.configuration.option("spf_guess") or "v=spf1 a/24 mx/24 ptr ?all")
                self.add("verdicts", (kind, *[HOLE] * parts, record), site)
        elif name in ("malware", "spam"):
            given = text
            if name == "malware":
                given = str(self.configuration.option("av_scanner") or "sophie")
            word = re.split(r"[:/]", given, maxsplit=1)[0].strip()
            self.add("verdicts", (name, HOLE if "$" in word or not word else word, HOLE), site)
        elif name == "verify":
            if "callout" in text:
                self.add("callouts", (HOLE,), site)
            word = text.split("/")[0].split("=")[0].strip()
            if word in ("reverse_host_lookup", "helo"):
                self.add("dns", ("PTR", f"{HOLE}.in-addr.arpa"), site)
            elif word == "csa":
                self.add("dns", ("SRV", f"_client._smtp.{HOLE}"), site)
            elif word == "arc":
                self.add("verdicts", ("arc", HOLE), site)

    def _main(self, site: Site, text: str) -> None:
        name = site.name
        if name in _MAIN_FILES and text.startswith("/"):
            for path, _, _ in split_spans(text):
                if path.startswith("/"):
                    self.add("files", (path,), site)

    def _folder(self, of_logs: bool) -> str:
        """The folder of the spool, or of the log files."""
        spool = str(self.configuration.option("spool_directory") or "/var/spool/exim").rstrip("/")
        if not of_logs:
            return spool or "/"
        written = split_spans(str(self.configuration.option("log_file_path") or ""))
        paths = [path for path, _, _ in written if path not in ("", "syslog")]
        return (paths[0] if paths else f"{spool}/log/%slog").rpartition("/")[0] or "/"

    def _disks(self) -> None:
        """The free space that is looked at where a message comes."""
        for name, nodes in self.configuration.settings.nodes.items():
            if name in ("check_spool_space", "check_spool_inodes", "check_log_space", "check_log_inodes"):
                for node in nodes:
                    position = node.span.position
                    where = (
                        f"{self._place(position)} (main, {name})" if position is not None else f"main, {name}"
                    )
                    self.asked.append(Asked("disk", (self._folder("log" in name),), where))

    def _scanners(self) -> None:
        """The scanners, whose options are expanded only where they begin with a dollar."""
        for name, nodes in self.configuration.settings.nodes.items():
            if name not in ("av_scanner", "spamd_address"):
                continue
            for node in nodes:
                if node.value is None:
                    continue
                text, source = node.value.string()
                where = f"{self._place(source.position(0))} (main, {name})"
                if text.startswith("$"):
                    continue
                items = [item for item, _, _ in split_spans(text)]
                if name == "spamd_address":
                    for item in items:
                        self._scanner(item.partition(",")[0], "783", where)
                elif items[:1] == ["cmdline"] and len(items) > 1:
                    self.asked.append(Asked("commands", tuple(items[1].split()), where))
                elif len(items) > 1:
                    self._scanner(items[1], "3310", where)

    def _scanner(self, place: str, port: str, where: str) -> None:
        words = place.split()
        if words:
            spec = words[0] if words[0].startswith("/") else f"inet:{words[0]}:{(*words[1:2], port)[0]}"
            self.asked.append(Asked("sockets", (spec, HOLE), where))

    def _driver(self, instance: Instance) -> None:
        """What drivers ask by themselves."""
        node = instance.node

        def add(kind: str, *what: str) -> None:
            position = node.source.position(node.start)
            self.asked.append(Asked(kind, what, f"{self._place(position)} ({instance.kind} {instance.name})"))

        driver = instance.driver
        if driver == "dnslookup":
            add("dns", "MX", HOLE)
            add("dns", "A", HOLE)
        elif driver in ("queryprogram", "pipe"):
            command = instance.settings.values.get("command")
            if command:
                holes = re.sub(r"\$\{[^}]*\}|\$\w+", HOLE, str(command))
                add("commands", *holes.split())
        elif driver in AUTHENTICATORS and instance.kind == "authenticator":
            mechanism = str(instance.settings.values.get("public_name") or instance.name)
            # what PLAIN sends, in three parts; other mechanisms send one
            parts = 3 if mechanism.upper() == "PLAIN" else 1
            add("verdicts", driver, mechanism, *[HOLE] * parts)
        elif driver == "iplookup":
            self._iplookup(instance, add)
        elif driver in ("smtp", "manualroute"):
            add("dns", "A", HOLE)
        if instance.kind == "router" and instance.settings.values.get("check_local_user"):
            add("users", HOLE)

    @staticmethod
    def _iplookup(instance: Instance, add: Callable[..., None]) -> None:
        """The hosts that an iplookup router asks, by UDP unless it says TCP."""
        values = instance.settings.values
        protocol = "inet" if values.get("protocol") == "tcp" else "udp"
        for host, _, _ in split_spans(str(values.get("hosts") or "")):
            if host:
                add("sockets", f"{protocol}:{host}:{values.get('port') or 0}", HOLE)


def _text(tree: object) -> str:
    """What is known of a text in an expansion."""
    text = known(tree).text  # type: ignore[arg-type]
    return re.sub(f"{HOLE}+", HOLE, text)


def _without_servers(query: str) -> str:
    """A query without the servers that stand before it."""
    found = re.match(r"\s*servers\s*=[^;]*;\s*", query)
    return query[found.end() :] if found else query

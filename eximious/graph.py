"""What ``eximious graph`` draws: hooks, ACLs, the chain of routers, transports and named lists, with their places.

Nothing is expanded: names that a ``$`` makes are not followed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.drawing.picture import RESULT, USE, Box, Picture, shortened
from eximious.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.config_ast import AclStatement, ConfigNode
    from eximious.grammar.config_model import Configuration, Instance

HOOKS, ACLS, ROUTERS, TRANSPORTS, LISTS = range(5)
HEADINGS = {
    HOOKS: "SMTP commands",
    ACLS: "ACLs",
    ROUTERS: "Routers, in order",
    TRANSPORTS: "Transports",
    LISTS: "Named lists",
}
#: characters of a line in a box
WIDTH = 68

#: options of the main section that name an ACL, in the order in which a session meets them
_HOOKS = (
    "acl_smtp_connect", "acl_smtp_helo", "acl_smtp_starttls", "acl_smtp_auth", "acl_smtp_vrfy", "acl_smtp_expn",
    "acl_smtp_etrn", "acl_smtp_atrn", "acl_smtp_wellknown", "acl_smtp_mail", "acl_smtp_mailauth",
    "acl_smtp_rcpt", "acl_smtp_predata", "acl_smtp_mime", "acl_smtp_dkim", "acl_smtp_data_prdr", "acl_smtp_data",
    "acl_smtp_quit", "acl_smtp_notquit", "acl_not_smtp_start", "acl_not_smtp_mime", "acl_not_smtp",
)  # fmt: skip
#: what decides whether a router handles an address, in Exim's order (manual 3.12)
_PRECONDITIONS = (
    "address_test", "verify", "verify_sender", "verify_recipient", "verify_only", "expn", "local_part_prefix",
    "local_part_suffix", "domains", "local_parts", "check_local_user", "senders", "require_files", "condition",
)  # fmt: skip
#: what else says where an address goes
_ACTIONS = (
    "data", "file", "route_list", "route_data", "command", "host_find_failed", "self", "address_data", "set",
    "errors_to", "unseen", "fallback_hosts",
)  # fmt: skip
_TRANSPORT_OPTIONS = (
    "transport", "file_transport", "pipe_transport", "reply_transport", "directory_transport",
)  # fmt: skip
_WHERE_IT_GOES = ("file", "directory", "command", "hosts", "to", "socket")
_NAMED = re.compile(r"\+([A-Za-z0-9_]+)")
_NAME = re.compile(r"[A-Za-z][\w.-]*")
_LIST_KINDS = {"d": "domain", "h": "host", "a": "address", "l": "local part"}
#: option or condition -> the kind of list its value is
_LIST_OPTIONS = {
    "domains": "d", "sender_domains": "d", "hosts": "h", "senders": "a", "local_parts": "l", "recipients": "a",
    "authenticated": "d", "encrypted": "d", "verify": "h", "dkim_signers": "d", "ignore_target_hosts": "h",
    "mx_domains": "d", "hosts_require_tls": "h", "hosts_avoid_tls": "h", "hosts_try_auth": "h",
    "host_lookup": "h", "relay_to_domains": "d",
}  # fmt: skip


def picture_of(configuration: Configuration, show_secrets: bool = False) -> Picture:
    """Give the picture of a configuration that was read; passwords are left out unless ``show_secrets``."""
    return _Maker(configuration, show_secrets).make()


class _Maker:
    def __init__(self, configuration: Configuration, show_secrets: bool) -> None:
        self.configuration = configuration
        self._hide = None if show_secrets else Secrets(configuration).hide
        self.picture = Picture(configuration.path.rpartition("/")[2] or configuration.path, HEADINGS)
        #: (kind, list's name) -> what uses it
        self.users: dict[tuple[str, str], list[str]] = {}
        self.called: dict[str, str] = {}

    def _short(self, text: str, width: int) -> str:
        """Text for a line of a box."""
        return shortened(text if self._hide is None else self._hide(text), width)

    def make(self) -> Picture:
        self.hooks()
        self.acls()
        self.routers()
        self.transports()
        self.lists()
        return self.picture

    def place(self, node: ConfigNode) -> str:
        source = node.source
        if source is None:
            return ""
        position = source.position(node.start)
        return f"{position.file.rpartition('/')[2]}:{position.line}"

    # ---- sessions

    def hooks(self) -> None:
        settings = self.configuration.settings
        for option in _HOOKS:
            value = settings.values.get(option)
            if not value:
                continue
            nodes = settings.nodes.get(option)
            box = Box(
                f"hook {option}", "hook", option, place=self.place(nodes[-1]) if nodes else "", column=HOOKS
            )
            text = str(value)
            names = [text] if text in self.configuration.acls else self._acl_names(text)
            if text not in names:
                box.lines.append(f"= {self._short(text, WIDTH - 20)}")
            for name in names:
                self.called.setdefault(name, box.name)
                self.picture.connect(box.name, f"acl {name}")
            if names:
                box.beside = f"acl {names[0]}"
            self.picture.add(box)
        for option, kind in _LIST_OPTIONS.items():
            value = settings.values.get(option)
            if isinstance(value, str):
                self._note_lists(kind, value, option)

    def _acl_names(self, text: str) -> list[str]:
        known = self.configuration.acls
        return [name for name in dict.fromkeys(_NAME.findall(text)) if name in known]

    def acls(self) -> None:
        order = {name: at for at, name in enumerate(self.called)}
        names = sorted(self.configuration.acls, key=lambda name: order.get(name, len(order)))
        for name in names:
            acl = self.configuration.acls[name]
            box = Box(
                f"acl {name}",
                "acl",
                name,
                place=self.place(acl),
                column=ACLS,
            )
            for statement in acl.statements:
                box.lines += self._statement(name, statement)
            self.picture.add(box)

    def _statement(self, acl: str, statement: AclStatement) -> list[str]:
        lines: list[str] = []
        number = self.place(statement).rpartition(":")[2]
        verb = statement.verb
        for condition in statement.conditions:
            value = "" if condition.value is None else condition.value.raw
            if condition.name in ("message", "log_message"):
                continue
            kind = _LIST_OPTIONS.get(condition.name)
            if kind is not None:
                self._note_lists(kind, value, acl)
            if condition.name == "acl":
                for called in self._acl_names(value):
                    self.picture.connect(f"acl {acl}", f"acl {called}", "", USE)
            shown = f"{'!' if condition.negated else ''}{condition.name}"
            if condition.variable:
                shown += f" {condition.variable}"
            lines.append(
                self._short(f"{verb:8}{shown} = {value}" if value else f"{verb:8}{shown}", WIDTH - 6)
            )
            verb = ""
        if not lines:
            lines = [verb]
        return [f"{number:>5} {lines[0]}", *(f"      {line}" for line in lines[1:])]

    # ---- routing

    def routers(self) -> None:
        routers = list(self.configuration.routers.values())
        for at, router in enumerate(routers):
            name = f"router {router.name}"
            more = router.option("more") if router.is_set("more") else None
            stops = more is False or str(more).lower() in ("false", "no")
            box = Box(
                name,
                "router",
                router.name,
                place=self.place(router.node),
                note=router.driver or "",
                column=ROUTERS,
            )
            for option, value in self._options(router, (*_PRECONDITIONS, *_ACTIONS)):
                box.lines.append(self._short(f"{option} = {value}" if value else option, WIDTH))
                kind = _LIST_OPTIONS.get(option)
                if kind is not None:
                    self._note_lists(kind, value, router.name)
                if option in ("route_list", "local_part_prefix"):
                    self._note_lists("d", value, router.name)
            if stops:
                box.lines.append("no_more: what it declines is undeliverable")
            self.picture.add(box)
            if at + 1 < len(routers):
                label = "" if not stops else "not for this router"
                self.picture.connect(name, f"router {routers[at + 1].name}", label)
            for option in ("pass_router", "redirect_router"):
                if router.is_set(option):
                    self.picture.connect(name, f"router {router.option(option)}", option.partition("_")[0])
            for option in _TRANSPORT_OPTIONS:
                self._transport(router, option)

    def _options(self, instance: Instance, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        hidden = instance.settings.hidden
        for option in names:
            for node in instance.settings.nodes.get(option, ()):
                value = "" if node.value is None else node.value.string()[0]
                if option in hidden and self._hide is not None:
                    value = "<value not displayable>"
                yield node.name, value

    def _transport(self, router: Instance, option: str) -> None:
        try:
            value = router.option(option) if router.is_set(option) else None
        except KeyError:
            return
        if not value:
            return
        label = "" if option == "transport" else option.partition("_")[0]
        text = str(value)
        names = [text] if text in self.configuration.transports else []
        names = names or [name for name in _NAME.findall(text) if name in self.configuration.transports]
        for name in names:
            self.picture.connect(f"router {router.name}", f"transport {name}", label, RESULT)
        if not names:
            unknown = f"transport {text}"
            self.picture.add(
                Box(unknown, "unknown", self._short(text, 40), ["no such transport is known before it is run"],
                    column=TRANSPORTS, beside=f"router {router.name}")
            )  # fmt: skip
            self.picture.connect(f"router {router.name}", unknown, label, RESULT)

    def transports(self) -> None:
        first: dict[str, str] = {}
        for arrow in self.picture.arrows:
            first.setdefault(arrow.end, arrow.start)
        order = {box.name: at for at, box in enumerate(self.picture.boxes)}
        transports = sorted(
            self.configuration.transports.values(),
            key=lambda transport: order.get(first.get(f"transport {transport.name}", ""), len(order)),
        )
        for transport in transports:
            name = f"transport {transport.name}"
            lines = []
            for option, value in self._options(transport, _WHERE_IT_GOES):
                lines.append(self._short(f"{option} = {value}", WIDTH - 16))
            for option in ("hosts_require_tls", "hosts_avoid_tls", "hosts_try_auth"):
                for _, value in self._options(transport, (option,)):
                    self._note_lists("h", value, transport.name)
            self.picture.add(
                Box(name, "transport", transport.name, lines, place=self.place(transport.node),
                    note=transport.driver or "", column=TRANSPORTS, beside=first.get(name, ""))
            )  # fmt: skip

    # ---- named lists

    def _note_lists(self, kind: str, text: str, user: str) -> None:
        for name in _NAMED.findall(text):
            users = self.users.setdefault((kind, name), [])
            if user not in users:
                users.append(user)

    def lists(self) -> None:
        for kind, entries in self.configuration.lists.items():
            for name, entry in entries.items():
                for inner in _NAMED.findall(entry.text):
                    users = self.users.setdefault((kind, inner), [])
                    if f"+{name}" not in users:
                        users.append(f"+{name}")
        for kind, entries in self.configuration.lists.items():
            for name, entry in entries.items():
                value = "<value not displayable>" if entry.hide else entry.text
                lines = [self._short(value, WIDTH - 16)] if value else ["(empty)"]
                users = self.users.get((kind, name), [])
                lines.append(
                    self._short("used by " + ", ".join(users) if users else "not seen to be used", WIDTH - 16)
                )
                box = Box(f"list {kind} {name}", "list", f"+{name}", lines, place=self.place(entry.node),
                          note=f"{_LIST_KINDS[kind]}s", column=LISTS)  # fmt: skip
                self.picture.add(box)

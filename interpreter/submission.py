"""What a submission adds to a message and takes from it: the fix-ups of local reception (manual 47)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.headers import ADDRESS_TYPES, SPACE, Header
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.interpreter.context import Context

#: header lines that are taken out on the way in, and the option for each
REMOVED = {
    "return-path": "return_path_remove",
    "delivery-date": "delivery_date_remove",
    "envelope-to": "envelope_to_remove",
}
#: a line is folded before an address if more than this stands before it
FOLD_BEHIND = 40

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ \t]*")
_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")', re.S)
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.@\-]")


class Submission:
    """One message's fix-ups. The message's headers and recipients are changed in place."""

    def __init__(
        self, ctx: Context, login: str, full_name: str | None, trusted: bool, sender_given: bool
    ) -> None:
        self.ctx, self.message, self.options = ctx, ctx.message, ctx.env.options
        self.login = login
        self.trusted, self.sender_given = trusted, sender_given
        #: the name is the caller's unless a trusted one gave a sender
        self.name = full_name or ("" if trusted and sender_given else login)
        if full_name is None and self.name:
            account = ctx.env.doors.users.getpwnam(login)
            if account is not None:
                self.name = account.pw_gecos.partition(",")[0] or login
        self.headers = self.message.headers if self.message.headers is not None else []
        self.message.headers = self.headers
        self.resent = any(header.resent for header in self.headers)
        self.prefix = "Resent-" if self.resent else ""

    def fix(self, extract_recipients: bool) -> list[str]:
        """Do all of it; gives the lines that Exim prints. ``extract_recipients``: ``-t``."""
        notices = self._remove()
        if extract_recipients:
            self._extract_recipients()
        self._replace_bare_from()
        self._qualify()
        if not self.trusted and not self.options.get("local_sender_retain"):
            for header in self._own("S"):
                header.deleted = True
        if not self.ctx.session.sender_host_address:
            self._add_missing(self._sender())
        return notices

    def _own(self, type_: str) -> Iterator[Header]:
        """The visible lines of a type: the Resent- ones where there are any such lines, else the others."""
        for header in self.headers:
            if header.type == type_ and header.resent == self.resent and not header.deleted:
                yield header

    def _remove(self) -> list[str]:
        notices = []
        for header in self.headers:
            name = header.text.partition(":")[0].rstrip(SPACE).lower()
            option = REMOVED.get(name)
            if option is None:
                continue
            if name == "return-path":
                notices.append('Return-path taken from "Return-path:" header line')
                value = header.text.partition(":")[2].strip(SPACE)
                if value.startswith("<") and value.endswith(">"):
                    value = value[1:-1]
                self.ctx.address.return_path = follow(value, header.text) if value else ""
            if self.options.get(option) is not False:
                header.deleted = True
        return notices

    # ---- addresses

    def _domain(self, recipient: bool) -> str:
        from eximious.interpreter.variables.computed import qualify_domain, qualify_recipient

        return (qualify_recipient if recipient else qualify_domain)(self.ctx)

    def _extract_recipients(self) -> None:
        from eximious.interpreter.addresses import Groups, Syntax, parse_extract_address

        syntax = Syntax.of(self.options)
        for header in self.headers:
            if header.type not in "TCB" or header.resent != self.resent or header.deleted:
                continue
            groups = Groups()
            for item, _ in _items(header.text, header.text.index(":") + 1):
                found = parse_extract_address(item, True, syntax, groups)
                if found.address:
                    address = found.address
                    if not found.domain:
                        address = f"{address}@{self._domain(True)}"
                    self.message.recipients.append(Tainted(address))
            if header.type == "B":
                header.deleted = True

    def _qualify(self) -> None:
        """Give every address in the header that has none a domain."""
        for header in self.headers:
            if header.type in ADDRESS_TYPES and not header.deleted:
                header.text = follow(self._qualified(header), header.text)

    def _qualified(self, header: Header) -> str:
        from eximious.interpreter.addresses import Groups, Syntax, parse_extract_address

        text = str(header.text)
        syntax = Syntax.of(self.options)
        groups = Groups()
        out: list[str] = []
        copied = 0
        size = 0
        fold_from = 0
        for item, start in _items(text, text.index(":") + 1):
            found = parse_extract_address(item, True, syntax, groups)
            if not found.address or found.domain:
                continue
            address = f"{found.address}@{self._domain(header.type in 'TCB')}"
            end = start + len(item)
            following = end + (end < len(text))
            while following < len(text) and text[following] in " \t":
                following += 1
            piece = text[copied : start + found.start] + address + text[start + found.end : following]
            out.append(piece)
            size += len(piece)
            copied = following
            if following < len(text) and text[following] != "\n" and size - fold_from > FOLD_BEHIND:
                out.append("\n\t")
                fold_from = size
                size += 2
        out.append(text[copied:])
        return "".join(out)

    # ---- lines that are added

    def _sender(self) -> str:
        sender = self.message.sender_address
        if not sender and not (self.trusted and self.sender_given):
            sender = f"{self.login}@{self._domain(False)}"
        return sender

    def _replace_bare_from(self) -> None:
        """A From: line that is only the login name is made anew, with the name and a domain."""
        own = f"{self.login}@{self._domain(False)}"
        for header in self._own("F"):
            value = header.text.partition(":")[2]
            if value.lstrip(SPACE).lower() == f"{self.login}\n".lower():
                header.deleted = True
                self.headers.append(Header(f"{self.prefix}From: {fix_phrase(self.name)} <{own}>\n"))
                return

    def _add_missing(self, sender: str) -> None:
        from eximious.interpreter.variables.clock import full_date
        from eximious.interpreter.variables.computed import primary_hostname

        message = self.message
        added = []
        if not any(self._own("I")):
            domain = self._id_part("message_id_header_domain") or primary_hostname(self.ctx)
            text = self._id_part("message_id_header_text")
            identity = message.message_exim_id + (f".{text}" if text else "")
            added.append(Header(f"{self.prefix}Message-Id: <E{identity}@{domain}>\n"))
        dated = []
        if not any(self._own("D")):
            clock = self.ctx.env.doors.clock
            dated.append(Header(f"{self.prefix}Date: {full_date(clock.localtime(clock.now()))}\n"))
        if self.resent:
            self.headers[:0] = dated + added
        else:
            self.headers += added
        if sender and not any(self._own("F")):
            line = f"{fix_phrase(self.name)} <{sender}>" if self.name else sender
            line = f"{self.prefix}From: {line}\n"
            self.headers.append(Header(follow(line, sender)))
        if not self.resent:
            self.headers += dated

    def _id_part(self, option: str) -> str:
        """A part of Message-Id: from an option, with what may not stand there made hyphens."""
        text = self.options.get(option)
        if not text:
            return ""
        from eximious.interpreter.engine import expand
        from eximious.interpreter.logs import log_write
        from eximious.interpreter.outcomes import Failure, ForcedFailure

        try:
            value = expand(str(text), self.ctx)
        except ForcedFailure:
            return ""
        except Failure as failure:
            log_write(self.ctx, f'expansion of "{text}" ({option}) failed: {failure.message}', "main panic")
            return ""
        return _NOT_IN_ID.sub("-", value.replace("@", "-"))


def _items(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The addresses of a header line, each with its offset (commas and newline not included)."""
    from eximious.interpreter.addresses import parse_find_address_end

    plain = str(text)
    body_end = len(plain) - 1 if plain.endswith("\n") else len(plain)
    while start < body_end:
        while start < body_end and (plain[start] in SPACE or plain[start] == ","):
            start += 1
        if start >= body_end:
            return
        end = min(parse_find_address_end(plain, start), body_end)
        yield plain[start:end], start
        start = end + 1


def fix_phrase(name: str) -> str:
    """Give a person's name as a phrase: parts that RFC 5322 does not allow bare in double quotes."""
    if _ATOMS.fullmatch(name):
        return name
    parts = []
    for part in _QUOTED.split(name):
        bare = part.strip(" \t")
        if not bare or _QUOTED.fullmatch(part) or _ATOMS.fullmatch(bare):
            parts.append(part)
        else:
            quoted = bare.replace("\\", "\\\\").replace('"', '\\"')
            parts.append(part.replace(bare, f'"{quoted}"', 1))
    return "".join(parts)

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
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ \t]*")
#: what may not stand in a phrase outside quotes
_SPECIAL = ")<>@,;:\\.[]"
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
        from eximious.interpreter.header_addresses import header_items

        syntax = Syntax.of(self.options)
        for header in self.headers:
            if header.type not in "TCB" or header.resent != self.resent or header.deleted:
                continue
            groups = Groups()
            for item, _ in header_items(header.text, header.text.index(":") + 1):
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
                header.text = self._qualified(header)

    def _qualified(self, header: Header) -> str:
        from eximious.interpreter.addresses import Extracted, Syntax
        from eximious.interpreter.header_addresses import change_addresses

        def qualify(item: str, found: Extracted) -> tuple[str, int, int] | None:
            if found.domain:
                return None
            return f"{found.address}@{self._domain(header.type in 'TCB')}", found.start, found.end

        return change_addresses(header.text, Syntax.of(self.options), qualify)

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


def fix_phrase(name: str) -> str:
    """Give a text as a phrase that RFC 5322 allows: quotes are put where a special character needs them.

    Quoted strings and comments stay as they are. The first special character outside them has everything
    before it quoted too, and what follows up to the next quoted string; later ones only their own word.
    """
    if _ATOMS.fullmatch(name):
        return name
    out: list[str] = []
    quoted = False
    at, end = 0, len(name)
    while at < end:
        character = name[at]
        at += 1
        if character == '"':
            close = _past_quoted(name, at)
            out += [character, *name[at:close], '"']
            at = close + 1
            quoted = True
        elif character == "(":
            close = _past_comment(name, at)
            out += name[at - 1 : close]
            at = close
        elif character not in _SPECIAL:
            out.append(character)
        elif quoted:
            begin = len(out)
            while begin and out[begin - 1] not in ' ")':
                begin -= 1
            stop = at
            while stop < end and name[stop] not in ' "':
                stop += 1
            out.insert(begin, '"')
            out += [character, *name[at:stop], '"']
            at = stop
        else:
            out.insert(0, '"')
            stop = at - 1
            while stop < end and name[stop] != '"':
                stop += 2 if name[stop] == "\\" else 1
            stop = min(stop, end)
            text = name[at - 1 : stop]
            at = stop
            if at < end and text.endswith(" "):
                out += [*text[:-1], '"', " "]
            else:
                out += [*text, '"']
            quoted = True
    return "".join(out)


def _past_quoted(text: str, at: int) -> int:
    """The offset of the quote that ends a quoted string, or of the end."""
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return min(at, len(text))


def _past_comment(text: str, at: int) -> int:
    """The offset behind a comment whose opening parenthesis stands before ``at``."""
    level = 1
    while at < len(text) and level:
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            level += 1
        elif text[at] == ")":
            level -= 1
        at += 1
    return min(at, len(text))

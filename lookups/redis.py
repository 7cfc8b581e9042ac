"""redis: commands to a Redis server (manual 9.20, 9.23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import SPACE
from eximious.lookups.databases import DEFER, FAIL, Request, ask
from eximious.lookups.registry import QUERY, SearchDefer, lookup
from eximious.lookups.sql import NextServer, ServerLookup, leading_int

if TYPE_CHECKING:
    from typing import Any

    from eximious.lookups.registry import Question

WORDS_MOST = 32  #: words of a command that are sent


def split_command(text: str) -> list[str]:
    """Split a command at white space; a backslash makes the character after it part of a word."""
    words: list[str] = []
    at, size = 0, len(text)
    while at < size and len(words) < WORDS_MOST:
        while at < size and text[at] in SPACE:
            at += 1
        word = []
        while at < size and text[at] not in SPACE:
            if text[at] == "\\":
                at += 1
                if at >= size:
                    break
            word.append(text[at])
            at += 1
        words.append("".join(word))
    return words


@lookup("redis", style=QUERY, section="9.23", quoting=True)
class Redis(ServerLookup):
    """One command; an array gives a line per element, an integer true or false."""

    label, option = "Redis", "redis_servers"

    def ask_server(self, server: str, query: str, question: Question, hops: int = 8) -> str | None:
        parts = server.rsplit("/", 2)
        if len(parts) < 3:
            shown = server if "/" not in server else server.rsplit("/", 1)[0]
            raise SearchDefer(f"incomplete Redis server data: {shown}")
        host, database, password = parts
        host, _, socket = host.partition("(")
        host, _, port = host.partition(":")
        request = Request(
            kind="redis",
            server=host,
            port=leading_int(port),
            socket=socket.partition(")")[0],
            database=database,
            secret=password,
            text=query,
            words=split_command(query),
        )
        answer = ask(question.ctx, request, self.name)
        if answer.outcome == FAIL and answer.message.startswith("MOVED ") and hops:
            # a cluster says which of its servers has the key
            place = answer.message.split(" ")[-1]
            return self.ask_server(f"{place}/{database}/{password}", query, question, hops - 1)
        if answer.outcome == DEFER:
            raise NextServer(answer.message)
        if answer.outcome == FAIL:
            question.keep = 0
            raise SearchDefer(f"REDIS: lookup result failed: {answer.message}\n")
        if answer.reply is None:
            question.keep = 0
            return ""
        return _show(answer.reply)


def _show(reply: Any) -> str | None:
    if isinstance(reply, int):
        return "true" if reply else "false"
    if isinstance(reply, str):
        return reply
    lines: list[str] = []
    for entry in reply:
        # one level of arrays inside is shown, what is deeper or nothing is left out
        for value in entry if isinstance(entry, list) else [entry]:
            lines.append("" if value is None or isinstance(value, list) else str(value))
    return "\n".join(lines) if lines else None

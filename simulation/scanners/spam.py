"""``spam =``: SpamAssassin's and Rspamd's daemons (manual 45.2, 45.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, Unanswered
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.mime.mailbox import scan_of
from eximious.simulation.scanners.verdict import message_id

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Doors
    from eximious.simulation.acl.engine import Evaluation

LABEL = "spam acl condition:"
#: what spamd_address is where nobody sets it
DEFAULT = "127.0.0.1 783"
#: characters of $spam_bar
_BAR_MAX = 51

_EXAMPLE = (
    "verdicts:\n  spam:\n    - match: ['.*', '.*']      # the user's name, the Message-ID:\n"
    "      answer: {score: 0.5, threshold: 5.0, report: '...'}\n"
)


def spam(evaluation: Evaluation, argument: str) -> int:
    """Whether the message is spam for the user that the argument names. Gives OK, FAIL or DEFER.

    Sets the ``$spam_…`` variables. Raises what the doors raise: Refused without permission, Unanswered where a world
    does not say.
    """
    words = split_list(argument, "/") if not argument.startswith("<") else split_list(argument)
    outcome = _spam(evaluation.ctx, words[0] if words else "")
    if outcome == DEFER and any(word.lower() == "defer_ok" for word in words[1:]):
        return FAIL
    return outcome


def _spam(ctx: Context, argument: str) -> int:
    words = split_list(argument)
    user = words[0] if words else ""
    if not words or user == "0" or user.lower() == "false":
        return FAIL
    always = argument.partition(":")[2].lower() == "true"
    setting = str(ctx.env.options.get("spamd_address") or DEFAULT)
    kept = scan_of(ctx).kept
    expanded = setting.startswith("$")
    if expanded:
        try:
            setting = expand(setting, ctx)
        except Failure as failure:
            log_write(
                ctx,
                f"{LABEL} spamd_address starts with $, but expansion failed: {failure.message}",
                "main panic",
            )
            return DEFER
    last = kept.get("spam")
    if last is None or last[0] != user or (last[1] is not None and last[1] != setting):
        outcome = _ask(ctx, setting, user)
        if outcome == DEFER:
            return DEFER
        before = last[1] if last is not None else None
        last = kept["spam"] = (user, setting if expanded else before, outcome)
    return OK if always else int(last[2])


def _ask(ctx: Context, setting: str, user: str) -> int:
    def speak(doors: Doors) -> dict[str, Any]:
        from eximious.simulation.scanners.spamd import ask

        return ask(ctx, doors, setting, user)

    answer = ctx.env.doors.verdicts.ask("spam", user, message_id(ctx), speak=speak)
    known = {"score", "threshold", "report", "action", "error", "address", "log", "panic"}
    if not isinstance(answer, dict) or set(answer) - known:
        raise Unanswered("spam", "the score of the message, in a form that is known", _EXAMPLE)
    if "address" in answer:
        ctx.session.callout_address = str(answer["address"])
    for line in answer.get("log", ()):
        log_write(ctx, line, "main")
    if answer.get("error") is not None:
        if answer["error"]:
            log_write(ctx, f"{LABEL} {answer['error']}", "main panic")
        return DEFER
    if "score" not in answer or "threshold" not in answer:
        raise Unanswered("spam", "the score of the message and the threshold", _EXAMPLE)
    return _take(ctx, float(answer["score"]), float(answer["threshold"]), answer)


def _take(ctx: Context, score: float, threshold: float, answer: dict[str, Any]) -> int:
    """Set the variables by an answer; says whether it is spam."""
    message = ctx.message
    found = score >= threshold
    message.spam_report = Tainted(_header(str(answer.get("report", ""))))
    action = answer.get("action")
    message.spam_action = Tainted(str(action if action is not None else "reject" if found else "no action"))
    whole = abs(int(score))
    message.spam_bar = ("+" if score > 0 else "-") * min(whole, _BAR_MAX) if whole else "/"
    message.spam_score = f"{score:.1f}"
    message.spam_score_int = str(int((score + 0.001) * 10))
    return OK if found else FAIL


def _header(report: str) -> str:
    """A report as it can stand in a header line: a space behind each newline, none at the end."""
    text = report.replace("\r", "").partition("\0")[0].replace("\n", "\n ")
    return re.sub(r"[\x00- ]+\Z", "", text)

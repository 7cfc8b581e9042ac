"""Verdicts on messages that a world describes: what conditions and variables make of them; recording and replay."""

from __future__ import annotations

from pathlib import Path

import contentcases
import pytest
from eximious.interpreter.context import Context
from eximious.interpreter.outcomes import Refused, Unanswered
from eximious.simulation.acl.engine import run_hook
from eximious.simulation.acl.outcomes import WORDS
from eximious.simulation.acl.signers import run_dkim_acl
from scannerdaemon import Daemon

from eximious.assembly import Assembly, fresh_context

CONF = """primary_hostname = mail.example.org
spool_directory = {folder}/spool
{main}
begin acl
case:
{acl}
"""
MAIL = (
    "Message-ID: <one@example.org>\nFrom: Ann <ann@Example.COM>\nTo: bob@example.net\n"
    "ARC-Seal: i=2; a=rsa-sha256; d=two.example; cv=pass\nARC-Seal: i=1; a=rsa-sha256; d=one.example; cv=none\n\nbody\n"
)


def ask(
    folder: Path, acl: str, verdicts: str = "", main: str = "", mail: str = MAIL, **how: object
) -> tuple[str, list[str], Context]:
    """Run an ACL of the phase data on a message: the result with its message, what was logged, the context."""
    path = folder / "conf"
    path.write_text(CONF.format(folder=folder, main=main, acl=acl))
    if verdicts:
        (folder / "world").mkdir(exist_ok=True)
        (folder / "world" / "world.yaml").write_text(f"verdicts:\n{verdicts}\n")
        how["world"] = str(folder / "world")
    assembly = Assembly(str(path), **how)  # type: ignore[arg-type]
    ctx = fresh_context(assembly.environment)
    contentcases.receive(ctx, mail.encode())
    logged: list[str] = []
    ctx.env.log = lambda line, where: logged.append(f"{where}: {line}")
    result = run_hook(ctx, "data", "case")
    assembly.close()
    if "record" in how:
        assembly._outside.recording.save()  # otherwise done when the process ends
    return f"{WORDS[result.outcome]} {result.user or ''}".rstrip(), logged, ctx


MALWARE = "  deny malware = *\n       message = <$malware_name> $callout_address\n  accept message = clean"


@pytest.mark.parametrize(
    ("answer", "said", "logged"),
    [
        ("answer: Eicar", "deny <Eicar>", []),
        ("answer: false", "accept clean", []),
        ("answer: ''", "accept clean", []),
        ("answer: {name: Two, address: '[192.0.2.1]:3310'}", "deny <Two> [192.0.2.1]:3310", []),
        (
            "error: 'clamd /x : it is ill'",
            "defer",
            ["main panic: malware acl condition: clamd /x : it is ill"],
        ),
    ],
)
def test_malware(tmp_path: Path, answer: str, said: str, logged: list[str]) -> None:
    world = f"  malware:\n    - ask: [clamd, <one@example.org>]\n      {answer}\n"
    found = ask(tmp_path, MALWARE, world, "av_scanner = clamd:/nowhere")
    assert found[:2] == (said, logged)


def test_what_is_not_described_is_not_guessed(tmp_path: Path) -> None:
    world = "  malware:\n    - {ask: [sophie, other], answer: Eicar}\n"
    with pytest.raises(Unanswered) as found:
        ask(tmp_path, MALWARE, world, "av_scanner = clamd:/nowhere")
    assert found.value.lines_to_add.endswith('    - clamd\n    - "<one@example.org>"\n    answer: false')
    with pytest.raises(Unanswered, match="in a form that is known"):
        ask(tmp_path, MALWARE, "  malware:\n    - {match: ['.*', '.*'], answer: {virus: x}}", "")
    for condition in ("spf = pass", "dmarc_status = accept", "dcc = *", "verify = arc", "spam = nobody"):
        with pytest.raises((Unanswered, Refused)):
            ask(tmp_path, f"  accept {condition}", main="dmarc_tld_file = /tlds")
        with pytest.raises(Unanswered) as lacking:
            ask(tmp_path, f"  accept {condition}", world, "dmarc_tld_file = /tlds")
        assert "ask:" in lacking.value.lines_to_add
    with pytest.raises(Unanswered, match=r"a result of SPF \(good is none\)"):
        ask(tmp_path, "  accept spf = pass", "  spf:\n    - {match: [.*, .*, .*], answer: good}")
    with pytest.raises(Unanswered, match="the header_comment of the result permerror"):
        ask(tmp_path, "  accept spf = pass", "  spf:\n    - {match: [.*, .*, .*], answer: permerror}")


def test_spam(tmp_path: Path) -> None:
    shown = "$spam_score $spam_score_int $spam_bar $spam_action"
    acl = f"  warn spam = ann:true\n  accept spam = ann\n  message = {shown}\n  deny"
    answer = '{score: 7.26, threshold: 5, report: "a\\n b\\n"}'
    world = f"  spam:\n    - ask: [ann, <one@example.org>]\n      answer: {answer}\n"
    assert ask(tmp_path, acl, world)[0] == "accept 7.3 72 +++++++ reject"
    with pytest.raises(Unanswered, match="the score of the message and the threshold"):
        ask(tmp_path, acl, "  spam:\n    - {match: ['.*', '.*'], answer: {score: 1}}\n")
    found = ask(tmp_path, acl, "  spam:\n    - {match: ['.*', '.*'], error: all spamd servers failed}\n")
    assert found[0] == "defer"
    assert [line for line in found[1] if "panic" in line] == [
        "main panic: spam acl condition: all spamd servers failed"
    ] * 2


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ("dmarc_status = reject", "accept"),
        ("dmarc_status = accept : none", "deny"),
        ("dmarc_status = !accept : *", "accept"),
        ("!dmarc_status = quarantine", "accept"),
        ("control = dmarc_enable_forensic", "error"),
    ],
)
def test_dmarc(tmp_path: Path, conditions: str, said: str) -> None:
    world = (
        "  dmarc:\n    - ask: [example.com, alice@example.org, 192.0.2.7]\n"
        "      answer: {status: reject, status_text: no, domain_policy: reject}\n"
    )
    main = "dmarc_tld_file = /tlds"
    result, _, ctx = ask(tmp_path, f"  accept {conditions}", world, main)
    assert result == said
    if "dmarc_status" in conditions:
        message = ctx.message
        shown = (message.dmarc_status, message.dmarc_used_domain, message.dmarc_domain_policy)
        assert shown == ("reject", "example.com", "reject")
        # without a list of domains there is no DMARC, and nobody is asked
        assert ask(tmp_path, "  accept dmarc_status = none")[0] == "accept"


def test_arc(tmp_path: Path) -> None:
    answer = "{state: fail, reason: 'i=2 (cv)', oldest_pass: 0}"
    world = f"  arc:\n    - ask: ['one.example:two.example']\n      answer: {answer}\n"
    assert ask(tmp_path, "  accept verify = arc", world)[0] == "deny"
    result, _, _ = ask(
        tmp_path, "  accept verify = arc/pass:fail\n  message = $arc_state $arc_state_reason", world
    )
    assert result == "accept fail i=2 (cv)"
    plain = "From: a@b.example\n\nx\n"
    assert ask(tmp_path, "  accept verify = arc\n  message = $arc_state", mail=plain)[0] == "accept none"
    assert ask(tmp_path, "  accept verify = arc/pass", mail=plain)[0] == "deny"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("A", "accept A"),
        ("S", "accept A"),
        ("R", "deny"),
        ("G", "deny"),
        ("T", "defer"),
        ("{result: R, header: x}", "deny"),
    ],
)
def test_dcc(tmp_path: Path, answer: str, said: str) -> None:
    world = f"  dcc:\n    - ask: [192.0.2.7, client.example, alice@example.org]\n      answer: {answer}\n"
    assert ask(tmp_path, "  accept dcc = *\n  message = $dcc_result", world)[0] == said
    assert ask(tmp_path, "  accept dcc = false")[0] == "deny"
    if said == "defer":
        assert ask(tmp_path, "  accept dcc = */defer_ok\n  accept message = on", world)[0] == "accept on"


def test_dkim_by_version(tmp_path: Path) -> None:
    mail = (
        "DKIM-Signature: v=1; a=rsa-sha256; d=one.example; s=a; h=From; bh=AA==; b=AA==\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=two.example; s=b; h=From; bh=AA==; b=AA==\nFrom: x@y.example\n\nx\n"
    )
    world = tmp_path / "world"
    world.mkdir()
    (world / "world.yaml").write_text(
        "verdicts:\n  dkim:\n    - ask: [one.example, a]\n"
        "      answer: {status: pass, key_length: 2048, key_testing: true}\n"
        "    - {ask: [two.example, b], answer: {status: invalid, reason: pubkey_unavailable}}\n"
    )
    path = tmp_path / "conf"
    path.write_text(
        CONF.format(
            folder=tmp_path, main="log_selector = +dkim_verbose", acl="  accept dkim_status = invalid"
        )
    )
    ctx = fresh_context(Assembly(str(path), world=str(world)).environment)
    contentcases.receive(ctx, mail.encode())
    logged: list[str] = []
    ctx.env.log = lambda line, where: logged.append(line)
    acl = r"accept logwrite = \$dkim_cur_signer \$dkim_verify_status \$dkim_key_length \$dkim_key_testing"
    assert run_dkim_acl(ctx, acl).word == "accept"
    assert logged == [
        "one.example pass 2048 1",
        "DKIM: d=one.example s=a c=simple/simple a=rsa-sha256 b=8 [verification succeeded]",
        "two.example invalid 0 0",
        "DKIM: d=two.example s=b c=simple/simple a=rsa-sha256 b=8"
        " [invalid - public key record (currently?) unavailable]",
    ]
    assert ctx.message.dkim_verify_status == "pass:invalid"
    # from 4.98 on the DATA ACL looks at all of them
    assert run_hook(ctx, "data", "case").word == "accept"


def test_what_a_scanner_said_is_recorded_and_replayed(tmp_path: Path) -> None:
    daemon = Daemon("nul;instream;send stream: Eicar FOUND\\0")
    dead = "127.0.0.1 1 retry=1s"
    main = f"av_scanner = clamd:127.0.0.1 {daemon.port}"
    first = ask(tmp_path, MALWARE, main=main, allow=("net",), record=str(tmp_path / "recorded"))
    daemon.close()
    assert first[0] == f"deny <Eicar> [127.0.0.1]:{daemon.port}"
    assert ask(tmp_path, MALWARE, main=main, world=str(tmp_path / "recorded"))[:2] == first[:2]
    main = f"av_scanner = clamd:{dead}\nspamd_address = 127.0.0.1 1 : 127.0.0.1 2"
    acl = "  warn malware = *\n  deny spam = nobody"
    first = ask(tmp_path, acl, main=main, allow=("net",), record=str(tmp_path / "failures"))
    assert first[0] == "defer" and len(first[1]) == 6
    assert ask(tmp_path, acl, main=main, world=str(tmp_path / "failures"))[:2] == first[:2]

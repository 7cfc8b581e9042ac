"""``eximious simulate``, ``serve`` and sessions in the Python API: what is told, and the JSON form."""

from __future__ import annotations

import argparse
import asyncio
import json
import smtplib
import threading
from pathlib import Path

import jsonschema
import pytest

import eximious
from eximious.assembly import Assembly
from eximious.command_serve import Server
from eximious.command_serve import main as serve
from eximious.command_simulate import main

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((ROOT / "eximious" / "data" / "simulate.schema.json").read_text(encoding="utf-8"))

CONFIG = """\
primary_hostname = mail.a.example
acl_smtp_helo = helo
acl_smtp_rcpt = rcpt
acl_smtp_data = data
tls_advertise_hosts = *
begin acl
helo:
  accept set acl_c_name = ${lc:$sender_helo_name}
rcpt:
  deny   message = 550 5.7.1 relay not permitted
         domains = !a.example
        !authenticated = *
  deny   message = too fast
         ratelimit = 2 / 1h / strict / per_rcpt
  warn   add_header = X-Client: $sender_host_address
         encrypted = *
         logwrite = over TLS
  accept
data:
  deny   condition = ${if match{$h_subject:}{(?i)lottery}}
         log_message = lottery in the subject
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "exim.conf"
    path.write_text(CONFIG)
    return str(path)


def test_decisions_say_who_decided(config: str) -> None:
    session = eximious.load(config).session(ip="192.0.2.7", explain=True).helo("Client.Example")
    assert session.last.variables == {"acl_c_name": "client.example"}
    refused = session.mail("x@b.example").rcpt("y@b.example").last
    assert (refused.code, refused.accepted, refused.reason) == (550, False, eximious.Reason.ACL)
    assert refused.reply == ["550 5.7.1 relay not permitted"]
    statement = refused.statement
    assert statement is not None and statement.place == f"{config}:10" and statement.verb == "deny"
    assert [(step.text, step.outcome) for step in statement.steps] == [
        ("domains = !a.example", "yes"),
        ("!authenticated = *", "yes"),
    ]
    assert refused.logs == [
        (
            "main reject",
            "H=(Client.Example) [192.0.2.7] F=<x@b.example> rejected RCPT <y@b.example>: "
            "550 5.7.1 relay not permitted",
        )
    ]
    assert session.rcpt("joe@a.example").last.accepted
    decision = session.data("Subject: Lottery\n\nwin")
    assert decision.reply == ["550 Administrative prohibition"] and session.messages == []
    assert decision.logs[0][1].endswith("rejected after DATA: lottery in the subject")
    assert not session.closed and session.quit().closed


@pytest.mark.parametrize(
    ("more", "code", "fate"),
    [
        (["--to", "joe@a.example"], 0, "accepted"),
        (["--to", "x@b.example"], 1, None),
        (["--to", "x@b.example", "--auth", "joe:secret"], 0, "accepted"),
        (["--to", "x@b.example", "--auth", "joe:wrong"], 1, None),
        (["--to", "joe@a.example", "--tls", "cipher=X,sni=mail.a.example"], 0, "accepted"),
    ],
)
def test_json_has_its_schema(
    config: str, capsys: pytest.CaptureFixture[str], more: list[str], code: int, fate: str | None
) -> None:
    arguments = ["-C", config, "--ip", "192.0.2.7", "--from", "x@b.example", "--format", "json", "--explain"]
    assert main([*arguments, *more]) == code
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, SCHEMA)
    assert [message["fate"] for message in found["messages"]] == ([fate] if fate else [])
    assert "secret" not in json.dumps(found["transcript"])
    if "--tls" in more:
        assert {"to": ["main"], "line": "over TLS"} in [
            log for event in found["events"] for log in event["logs"]
        ]
        assert "X-Client: 192.0.2.7\n" in found["messages"][0]["headers"]


def test_the_page_for_people(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["-C", config, "--ip", "192.0.2.7", "--from", "x@b.example", "--to", "y@b.example"]
    assert main([*arguments, "--phase", "rcpt"]) == 1
    assert capsys.readouterr().out == (
        "RCPT TO:<y@b.example>\n"
        "  550 5.7.1 relay not permitted\n"
        "    decided by exim.conf:10  deny message = 550 5.7.1 relay not permitted; domains = !a.example; "
        "!authenticated = *\n"
        "    log (main, reject): H=(client.example) [192.0.2.7] F=<x@b.example> rejected RCPT <y@b.example>: "
        "550 5.7.1 relay not permitted\n"
    )


def test_state_goes_on_from_run_to_run(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-C", config, "--ip", "192.0.2.7", "--from", "x@b.example", "--to", "joe@a.example"]
    state = ["--state", str(tmp_path / "state")]
    assert [main([*arguments, *state]) for _ in range(3)] == [0, 0, 1]
    assert "550 too fast" in capsys.readouterr().out
    assert main(arguments) == 0


def test_a_session_of_a_file(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "session"
    script.write_text("HELO x\nVRFY joe@a.example\nNONSENSE\nQUIT\n")
    assert main(["-C", config, "--ip", "192.0.2.7", "--session", str(script)]) == 1
    out = capsys.readouterr().out
    assert "VRFY joe@a.example\n  252 Administrative prohibition\n" in out
    assert "500 unrecognized command" in out


def test_wrong_use_is_said(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", config, "--to", "x@y"]) == 2
    assert main(["-C", config, "--ip", "192.0.2.7"]) == 2
    assert main(["-C", config, "--ip", "not.an.address", "--to", "x@y"]) == 2
    assert main(["-C", config, "--ip", "192.0.2.7", "--to", "x@y", "--message", "/nonexistent"]) == 2
    assert serve(["-C", config, "--listen", "192.0.2.1:25"]) == 2
    error = capsys.readouterr().err
    assert (
        '"not.an.address" is not an IP address' in error and "loopback" in error and "/nonexistent" in error
    )


class _Serving:
    """A server in a thread of its own, for as long as a ``with`` lasts."""

    def __init__(self, config: str, **options: object) -> None:
        given = argparse.Namespace(**options) if options else None
        self.server = Server(Assembly(config), most=1, options=given)
        self.ready = threading.Event()
        self.port = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        async def run() -> None:
            loop = asyncio.get_running_loop()
            original = asyncio.start_server

            async def start(*arguments: object, **more: object) -> asyncio.Server:
                server = await original(*arguments, **more)  # type: ignore[arg-type]
                self.port = server.sockets[0].getsockname()[1]
                self.ready.set()
                return server

            asyncio.start_server = start  # type: ignore[assignment]
            try:
                await self.server.run("127.0.0.1", 0)
            finally:
                asyncio.start_server = original
            del loop

        asyncio.run(run())

    def __enter__(self) -> int:
        self.thread.start()
        assert self.ready.wait(20)
        return self.port

    def __exit__(self, *_: object) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive()


def test_a_real_client_is_answered(config: str, capfd: pytest.CaptureFixture[str]) -> None:
    with _Serving(config) as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        assert client.ehlo("client.example")[0] == 250
        refused = client.sendmail("x@b.example", ["joe@a.example", "y@b.example"], "Subject: hello\n\n.dot\n")
        assert refused == {"y@b.example": (550, b"5.7.1 relay not permitted")}
    assert "<= x@b.example H=(client.example) [127.0.0.1]" in capfd.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_session_is_explained(form: str, config: str, capfd: pytest.CaptureFixture[str]) -> None:
    """With --explain or --format json the server tells what became of the session, as simulate does."""
    serving = _Serving(config, explain=True, format=form, show_secrets=False)
    with serving as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo("client.example")
        client.mail("x@b.example")
        client.rcpt("y@b.example")
    out = capfd.readouterr().out.partition("\n")[2]
    if form == "text":
        shown = "rcpt to:<y@b.example>\n  550 5.7.1 relay not permitted\n"  # smtplib writes commands in either case
        assert (
            shown in out.replace("rcpt TO", "rcpt to").replace("RCPT TO", "rcpt to") and "decided by" in out
        )
    else:
        told = json.loads(out)
        jsonschema.validate(told, SCHEMA)
        assert [one["side"] for one in told["transcript"]][:2] == ["S", "C"]
        assert told["events"][3]["statements"][-1]["steps"]

"""The command lint: what it writes, its exit codes, its options, and that it shows no secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eximious.command_lint import main
from eximious.linting import check

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
CONFIGURATIONS = sorted(path.parent for path in (FIXTURES / "configurations").glob("*/exim.conf"))
EXAMPLE = Path("/usr/share/doc/exim4-base/examples/example.conf")


def run(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    code = main([str(argument) for argument in arguments])
    out, err = capsysbinary.readouterr()
    return code, out.decode(), err.decode()


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.conf"
    path.write_text(
        "smtp_acept_max = 5\n"
        "domainlist local = example.com\n"
        "begin acl\n"
        "check:\n"
        "  accept domains = +locl : \\\n"
        "            # a comment\n"
        "            NAMES : +lcal\n"
        "begin routers\n"
        "first:\n"
        "  driver = accept\n"
        "  transprot = x\n"
        "  verify_only\n"
    )
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.conf"
    path.write_text("domainlist local = example.com\nhold_domains = +local\n")
    return path


def test_text(bad: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What Exim refuses comes first, in its order; then the rest in the order of the text."""
    code, out, err = run(capsysbinary, bad)
    assert (code, err) == (1, "")
    assert out == (
        f'{bad}:1:1: error[option-unknown]: main option "smtp_acept_max" unknown\n'
        "    smtp_acept_max = 5\n"
        "    ^^^^^^^^^^^^^^\n"
        "  hint: did you mean smtp_accept_max?\n"
        f'{bad}:11:3: error[option-unknown]: option "transprot" unknown\n'
        "      transprot = x\n"
        "      ^^^^^^^^^\n"
        "  hint: did you mean transport?\n"
        f'{bad}:5:20: error[undefined-list]: unknown named domain list "+locl"\n'
        "      accept domains = +locl : \\\n"
        "                       ^^^^^\n"
        "  hint: did you mean +local?\n"
        f'{bad}:7:21: error[undefined-list]: unknown named domain list "+lcal"\n'
        "                NAMES : +lcal\n"
        "                        ^^^^^\n"
        "  hint: did you mean +local?\n"
        f"{bad}: 4 errors\n"
    )


def test_clean(good: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(capsysbinary, good) == (0, f"{good}: clean\n", "")


def test_json(bad: Path, good: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    missing = tmp_path / "missing.conf"
    code, out, _ = run(capsysbinary, "--format", "json", bad, good, missing, "--exim-version", "4.96")
    assert code == 2
    found: dict[str, Any] = json.loads(out)
    assert list(found) == [
        *("format", "exim_version", "configurations", "errors", "warnings", "notes", "unreadable"),
    ]
    assert (found["format"], found["exim_version"]) == (1, "4.96")
    assert (found["errors"], found["warnings"], found["notes"], found["unreadable"]) == (4, 0, 0, 1)
    first, second, third = found["configurations"]
    assert (second["path"], second["findings"], second["kind"]) == (str(good), [], "file")
    assert third == {
        "path": str(missing),
        "readable": False,
        "error": f"cannot read {missing}: No such file or directory",
        "findings": [],
    }
    assert first["findings"][0] == {
        "code": "option-unknown",
        "severity": "error",
        "message": 'main option "smtp_acept_max" unknown',
        "position": {"file": str(bad), "line": 1, "column": 1},
        "length": 14,
        "hint": "did you mean smtp_accept_max?",
    }


def test_explain(bad: Path, good: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Each kind of finding is explained once, behind all findings."""
    code, out, _ = run(capsysbinary, "--explain", bad, good, bad)
    assert code == 1
    assert out.count("\noption-unknown\n    An option that does not exist where it stands.\n") == 1
    assert out.index("option-unknown\n    An option") > out.rindex(": clean")
    _, out, _ = run(capsysbinary, "--explain", "--format", "json", bad)
    explained = json.loads(out)["explanations"]
    found = {finding["code"] for finding in json.loads(out)["configurations"][0]["findings"]}
    assert set(explained) == found and all(explained.values())


def test_several_files(bad: Path, good: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = run(capsysbinary, good, bad, good)
    assert code == 1
    assert [line for line in out.split("\n") if line.endswith(("clean", "errors"))] == [
        f"{good}: clean",
        f"{bad}: 4 errors",
        f"{good}: clean",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{missing}"], "cannot read {missing}: No such file or directory"),
        (["{folder}"], "{folder} is a folder, and holds no update-exim4.conf.conf"),
        (["{good}", "--exim-version", "4.50"], "Exim 4.50 is not known; known are"),
        (["{good}", "--exim-version", "five"], "five"),
        (
            ["{good}", "--build", "{missing}"],
            "cannot read the build file {missing}: No such file or directory",
        ),
        (["{good}", "--build", "{good}"], "{good} is not the output of exim -bV"),
        (["{good}", "-D", "lower=1"], "macro name set by -D must start with an upper case letter"),
        (["{good}", "-DA=1", "-DA=2"], "duplicated -D in command line"),
    ],
)
def test_wrong_usage(
    arguments: list[str], message: str, good: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    places = {"good": good, "missing": tmp_path / "missing", "folder": tmp_path}
    code, out, err = run(capsysbinary, *(argument.format(**places) for argument in arguments))
    assert (code, out) == (2, "")
    assert message.format(**places) in err
    assert err.startswith("eximious lint: ")


@pytest.mark.parametrize("arguments", [[], ["--format", "xml", "x"], ["--nosuch", "x"]])
def test_usage_of_argparse(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert ending.value.code == 2


def test_macros_version_and_build(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "exim.conf"
    path.write_text("hosts_require_alpn = HOSTS\n.ifdef BROKEN\nnonsense\n.endif\n")
    assert run(capsysbinary, path, "-DHOSTS=*")[0] == 0
    code, out, _ = run(capsysbinary, path, "-DHOSTS=*", "--exim-version=4.93", "-D", "BROKEN")
    assert code == 1
    assert "hint: Exim has it from version 4.95 on" in out
    assert 'main option "nonsense" unknown' in out
    build = FIXTURES / "expansion" / "build.txt"
    assert run(capsysbinary, path, "-DHOSTS=*", "--build", build)[0] == 0


def test_included_files_and_root(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    root = tmp_path / "root"
    (root / "etc/exim4").mkdir(parents=True)
    (root / "etc/exim4/lists.inc").write_text("domainlist a = +b\n")
    path = tmp_path / "conf" / "exim.conf"
    path.parent.mkdir()
    path.write_text(".include /etc/exim4/lists.inc\n.include_if_exists /etc/exim4/none.inc\n")
    code, out, _ = run(capsysbinary, path, "--root", root)
    assert code == 1
    assert out.startswith(
        '/etc/exim4/lists.inc:1:16: error[undefined-list]: unknown named domain list "+b"\n'
    )
    assert "    domainlist a = +b\n                   ^^\n" in out


def test_files_elsewhere_need_permission(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """A configuration from somebody else cannot have other files shown."""
    (tmp_path / "a").mkdir()
    secret = tmp_path / "secret"
    secret.write_text("top secret\n")
    path = tmp_path / "a" / "exim.conf"
    path.write_text(f".include {secret}\n")
    code, out, _ = run(capsysbinary, path)
    assert code == 1
    assert f"failed to open included configuration file {secret}" in out
    assert f"--allow read={tmp_path}" in out
    assert "top secret" not in out
    code, out, _ = run(capsysbinary, path, "--allow", f"read={tmp_path}")
    assert 'main option "top" unknown' in out


def test_nothing_runs(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Options that Exim expands while it reads get no programs, not even with permission."""
    mark = tmp_path / "mark"
    path = tmp_path / "exim.conf"
    path.write_text(
        f"spool_directory = /x${{run{{/usr/bin/touch {mark}}}}}\nlog_file_path = ${{lookup dnsdb{{a=b}}}}\n"
    )
    assert run(capsysbinary, path, "--allow", "all")[0] == 0
    assert not mark.exists()


SECRET = """\
DB_PASSWORD = Pa55word
hide mysql_servers = localhost/mail/exim/DB_PASSWORD:other.example/mail/exim/0therword
pgsql_servers = localhost/mail/exim/Th1rdword
hide system_filter = ${nosuchsecret:Quiet!Text}
hide smtp_acept_max = Wr0ngOption
hide log_selector = "Unclosed!Qu0te
hide domainlist hidden = h1dden.example : +N0SuchList
DB_PASSWORD = Pa55word
begin acl
check:
  deny message = ${lookup mysql{SELECT 'Pa55word'}
       log_message = ${lookup ldap{user="cn=a" pass=L8apword ldap:///x}{$nosuch}}
       condition = ${if eq{$acl_c_a}{0therword}{$nosuch}}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^user^Cl13ntSend
  hide server_condition = ${if eq{$auth3}{S3rverSecret}{yes}{no}
  server_set_id = $auth2
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  client_secret = Cl13ntSecret
  server_sekret = Cl13ntSecret
"""
WORDS = (
    *("Pa55word", "0therword", "Th1rdword", "nosuchsecret", "Quiet!Text", "Wr0ngOption", "Unclosed!Qu0te"),
    *("h1dden.example", "N0SuchList", "L8apword", "Cl13ntSend", "S3rverSecret", "Cl13ntSecret"),
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_not_shown(form: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(SECRET)
    code, out, err = run(capsysbinary, path, "--format", form)
    assert code == 1
    assert [word for word in WORDS if word in out + err] == []
    code, shown, _ = run(capsysbinary, path, "--format", form, "--show-secrets")
    assert shown.count("error") == out.count("error")
    assert "nosuchsecret" in shown
    if form == "text":
        assert [len(line) for line in out.split("\n") if line.startswith("    ")] == [
            len(line) for line in shown.split("\n") if line.startswith("    ")
        ]
        assert "Pa55word" in shown


def expected_findings() -> dict[str, list[str]]:
    """What stands in fixtures/lint/configurations.txt, by configuration."""
    found: dict[str, list[str]] = {path.name: [] for path in CONFIGURATIONS}
    for line in (FIXTURES / "lint" / "configurations.txt").read_text().split("\n"):
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found[name].append(rest)
    return found


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_configurations_have_only_true_findings(path: Path) -> None:
    found = check(str(path / "exim.conf"), defines=[f"CONFDIR={path}/etc/exim4"]).findings
    rows = []
    for finding in found:
        where = finding.position
        assert where is not None
        rows.append(f"{where.line}:{where.column} {finding.code}: {finding.message}")
    assert rows == expected_findings()[path.name]


@pytest.mark.skipif(not EXAMPLE.exists(), reason="exim4-base is not installed")
@pytest.mark.parametrize("version", ["4.94", "4.96", "4.99"])
@pytest.mark.parametrize("defines", [[], ["ROUTER_SMARTHOST=mail.example"]], ids=["plain", "smarthost"])
def test_default_configuration_is_clean(version: str, defines: list[str]) -> None:
    found = check(str(EXAMPLE), version=version, defines=defines)
    assert [finding.render(found.sources) for finding in found.findings] == []


HEAVY = {
    "lark",
    "json",
    "dns",
    "cryptography",
    "yaml",
    "lmdb",
    "inspect",
    "dataclasses",
    "subprocess",
    "socket",
}


@pytest.mark.parametrize(
    ("text", "pcre2"), [("spool_directory = ${lc:/X}\n", False), ("gecos_pattern = ^a\n", True)]
)
def test_only_what_is_needed_is_imported(text: str, pcre2: bool, tmp_path: Path) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(text + "begin acl\na:\n  deny message = ${if eq{$domain}{a}{${lc:b}}}\n")
    code = (
        "import sys; from eximious.__main__ import main; main(sys.argv[1:]); "
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, "lint", str(path)], capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stderr.split())
    assert not loaded & HEAVY
    assert ("pcre2" in loaded) is pcre2


def test_as_a_program(bad: Path, tmp_path: Path) -> None:
    """Through ``python -m eximious``, with a reader that goes away, and bytes that are no UTF-8."""
    command = [sys.executable, "-m", "eximious", "lint"]
    done = subprocess.run([*command, str(bad)], capture_output=True, timeout=60)
    assert done.returncode == 1
    odd = tmp_path / "odd.conf"
    odd.write_bytes(b"smtp_banner = \xe9t\xe9 $n\xf6\nprimary_hostname = \xc3\xa9.example\nnosuch\xff = 1\n")
    done = subprocess.run([*command, str(odd)], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"smtp_banner = \xe9t\xe9 $n\xf6\n" in done.stdout
    assert not done.stderr
    done = subprocess.run([*command, "--format", "json", os.fsencode(odd)], capture_output=True, timeout=60)
    assert json.loads(done.stdout)["errors"] >= 1

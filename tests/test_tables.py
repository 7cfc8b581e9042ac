"""The language tables, the catalogue made from them, and the macros they predefine."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from eximious.grammar.build import EVERYTHING, Build, read_bv
from eximious.grammar.catalogue import Catalogue, facts_rows, parse_version, versions

ROOT = Path(__file__).resolve().parent.parent
BV = (ROOT / "fixtures" / "reading" / "debian-4.96.bv").read_text("latin-1")
BV99 = """\
Exim version 4.99.1 #1 built 01-Jan-2026 00:00:00
Support for: Exim_filter crypteq iconv() IPv6 OpenSSL TLS_resume DANE DKIM DMARC ESMTP_Limits Event OCSP PRDR
Lookups (built-in): lsearch wildlsearch cdb dbm dbmnz json lmdb
Lookups (as module): ldap ldapdn
Authenticators (built-in): cram_md5 plaintext
Routers (built-in): accept redirect
Transports (built-in): appendfile/maildir autoreply pipe queuefile smtp
Size of off_t: 8
"""


def test_generated_modules_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_tables.py"), "--check"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


def test_every_correction_says_how_it_was_seen() -> None:
    changes = json.loads((ROOT / "grammar" / "tables" / "corrections.json").read_text())["corrections"]
    assert changes and all(change["evidence"] for change in changes)


def test_versions() -> None:
    assert versions()[0] == (4, 92) and versions()[-1] == (4, 99)
    assert [parse_version(text) for text in ("4.96", "4.96.2", "4.99-RC1")] == [(4, 96), (4, 96), (4, 99)]
    for bad in ("", "4", "x.y", "4.x"):
        with pytest.raises(ValueError):
            parse_version(bad)


def test_rows_by_version() -> None:
    old, new = Catalogue((4, 96)), Catalogue((4, 99))
    assert "headerwrap" in new.operators and "headerwrap" not in old.operators
    assert old.option("main", "recipients_max").type == "int"  # type: ignore[union-attr]
    assert new.option("main", "recipients_max").default == "50000"  # type: ignore[union-attr]
    assert new.variable("no_such") is None and new.option("router", "data", "accept") is None
    assert new.option("router", "data", "redirect") is not None
    assert "tainted" in Catalogue((4, 95)).log_selectors and "tainted" not in old.log_selectors


@pytest.mark.parametrize("version", versions(), ids=lambda version: f"{version[0]}.{version[1]}")
def test_every_version_answers(version: tuple[int, int]) -> None:
    catalogue = Catalogue(version)
    assert len(catalogue.main_options) > 250
    assert {"accept", "redirect", "dnslookup", "manualroute"} <= catalogue.drivers("router")
    assert {"smtp", "pipe", "appendfile"} <= catalogue.drivers("transport")
    assert {"lc", "uc", "hash"} <= set(catalogue.operators)
    assert {"if", "lookup"} <= catalogue.items and "eq" in catalogue.conditions
    assert {"accept", "deny", "warn"} <= set(catalogue.acl("verb"))
    names = [name for name, _ in catalogue.predefined_macros()]
    assert len(names) == len(set(names)) > 800
    # within a class, a name that another begins with comes behind it: the first found is replaced
    for at, name in enumerate(names):
        assert not any(later.startswith(name) for later in names[at + 1 :]), name


def test_guards() -> None:
    none = Build(dict.fromkeys(("A", "B", "DISABLE_X"), False))
    assert none.allows(None) and none.allows("!A") and not none.allows("A")
    assert none.allows("!DISABLE_X && !A") and not none.allows("!DISABLE_X && A")
    assert none.allows("A || !B (C in 4.86)") and not none.allows("A || B")
    assert EVERYTHING.allows("SUPPORT_SPF && !DISABLE_TLS") and not EVERYTHING.allows("USE_GNUTLS")


def test_build_read_from_bv() -> None:
    catalogue = Catalogue.from_bv(BV)
    assert catalogue.version == (4, 96)
    assert "lmdb" not in catalogue.lookups and "dbmnz" in catalogue.lookups
    assert catalogue.drivers("auth") == {
        *("cram_md5", "cyrus_sasl", "dovecot", "external", "plaintext", "spa", "tls")
    }
    assert catalogue.option("main", "dmarc_tld_file") is None
    assert catalogue.option("transport", "maildir_format", "appendfile") is not None
    assert catalogue.malware_types == {
        *("f-protd", "f-prot6d", "drweb", "fsecure", "sophie", "clamd", "avast", "sock", "cmdline")
    }
    assert Catalogue.from_bv(BV, (4, 99)).version == (4, 99)


def test_build_read_from_the_newer_form() -> None:
    version, build = read_bv(BV99)
    catalogue = Catalogue(version, build)
    assert version == (4, 99)
    assert set(catalogue.lookups) & {"lmdb", "json", "ldap", "mysql"} == {"lmdb", "json", "ldap"}
    assert catalogue.drivers("auth") == {"cram_md5", "plaintext"}
    assert "queuefile" not in catalogue.drivers("transport")  # the word Experimental_QUEUEFILE is missing
    assert catalogue.option("main", "dmarc_tld_file") is not None
    assert catalogue.option("main", "limits_advertise_hosts") is not None
    assert catalogue.option("main", "hosts_proxy") is None
    assert catalogue.option("transport", "maildir_format", "appendfile") is not None
    assert catalogue.option("transport", "mbx_format", "appendfile") is None
    assert not catalogue.malware_types


@pytest.mark.parametrize("text", ["", "nonsense", "Exim version 4.96 #2", "Support for: crypteq"])
def test_what_is_no_bv_output(text: str) -> None:
    with pytest.raises(ValueError):
        read_bv(text)


def test_prose_comes_from_the_facts() -> None:
    row = Catalogue().describe("variables", "tod_full")
    assert row is not None and row["description"]
    assert Catalogue().describe("variables", "nope") is None
    assert facts_rows("upgrade_changes")


def test_known_macro_values() -> None:
    macros = dict(Catalogue.from_bv(BV).predefined_macros())
    assert macros["_HAVE_TLS"] == "y" and "_HAVE_OPENSSL" not in macros
    assert macros["_DKIM_SIGN_HEADERS"].startswith("From:Sender:")
    assert macros["_RESUME_DECODE"].startswith("not requested or offered : 0x02 :client requested")
    assert "_OPT_MAIN_DOMAINLIST" not in macros


def installed(*arguments: str) -> str:
    """Ask the installed Exim 4.96 for something, or skip."""
    exim = shutil.which("exim4")
    if exim is None:
        pytest.skip("no exim4 here")
    answer = subprocess.run([exim, "-C", "/dev/null", *arguments], capture_output=True, check=False)
    return answer.stdout.decode("latin-1")


def installed_bv() -> str:
    text = installed("-bV")
    if not text.startswith("Exim version 4.96 "):
        pytest.skip("the installed Exim is no 4.96")
    return text


@pytest.mark.differential
def test_predefined_macros_live() -> None:
    bv, macros = installed_bv(), installed("-bP", "macros")
    real = [tuple(line.split("=", 1)) for line in macros.splitlines()]
    # with its own list of macros as the only other source for what -bV does not show: the same, in order
    assert Catalogue.from_bv(bv + macros).predefined_macros() == real
    # from -bV alone, what it does not show may lack
    alone = Catalogue.from_bv(bv).predefined_macros()
    assert [row for row in real if row in alone] == alone
    assert {name for name, _ in real} - {name for name, _ in alone} <= {
        *("_OPT_MAIN_LOCAL_SCAN_PATH", "_HAVE_LOOKUP_JSON")
    }


@pytest.mark.differential
def test_main_options_live() -> None:
    catalogue = Catalogue.from_bv(installed_bv() + installed("-bP", "macros"))
    shown = {}
    for line in installed("-bP").splitlines():
        name, equals, value = line.partition(" =")
        if equals:
            shown[name] = value.strip()
        else:
            shown[line.removeprefix("no_")] = str(not line.startswith("no_"))
    ours = {
        name: option
        for name, option in catalogue.main_options.items()
        if not option.hidden and option.type != "named-list"
    }
    assert set(ours) == set(shown)
    # values of the machine or of the build, other ways to write the same, and a text that is escaped
    build = {
        *("headers_charset", "delay_warning", "received_header_text", "primary_hostname", "qualify_domain"),
        *("qualify_recipient", "exim_user", "exim_group", "process_log_path"),
    }
    for name, option in ours.items():
        if option.note is None and name not in build:
            assert str("" if option.default is None else option.default) == shown[name], name


def expanded(lines: list[str]) -> list[str]:
    """Give the installed Exim's answers to expansions, one each."""
    exim = shutil.which("exim4") or ""
    done = subprocess.run(
        [exim, "-C", "/dev/null", "-be"], input="\n".join(lines).encode(), capture_output=True, check=False
    )
    return done.stdout.decode("latin-1").replace("> ", "").split("\n")


@pytest.mark.differential
def test_expansion_names_live() -> None:
    catalogue = Catalogue.from_bv(installed_bv() + installed("-bP", "macros"))
    # reply_address kills 4.96; the counters of filters are unknown outside a filter
    names = [name for name in flat("variables") if name.isidentifier() and name != "reply_address"]
    names = [name for name in names if not name.lstrip("s").startswith("n") or not name[-1].isdigit()]
    answers = expanded([f"${{if def:{name} {{y}}{{n}}}}" for name in names])
    known = {name for name, answer in zip(names, answers) if "unknown variable" not in answer}
    assert known == {name for name in names if catalogue.variable(name)}
    names = flat("operators")
    answers = expanded([f"${{{name}:1}}" for name in names])
    known = {name for name, answer in zip(names, answers) if "unknown expansion operator" not in answer}
    assert known == set(catalogue.operators)
    names = flat("items")
    answers = expanded([f"${{{name}{{1}}}}" for name in names])
    known = {name for name, answer in zip(names, answers) if "unknown or missing operator" not in answer}
    assert known == catalogue.items


def flat(module: str) -> list[str]:
    """Give all names of a table, whatever the version."""
    return list(importlib.import_module(f"eximious.grammar.tables._{module}").ROWS)

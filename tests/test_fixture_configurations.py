"""The configurations of ``fixtures/configurations``: Exim takes them, and they use what servers use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from differential.corpus import BUILD
from differential.world import real_exim

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "configurations"
CONFIGURATIONS = sorted(path.parent for path in FOLDER.glob("*/exim.conf"))


def _id(path: Path) -> str:
    return path.name


def _texts() -> list[str]:
    """Every configuration file that belongs to a fixture, one character per byte."""
    found = [path / "exim.conf" for path in CONFIGURATIONS]
    found += [*FOLDER.glob("*/etc/exim4/**/*.inc")]
    return [path.read_bytes().decode("latin-1") for path in found]


def _joined(text: str) -> str:
    """Without comments, continuation lines put together."""
    lines: list[str] = []
    held = False
    for line in text.split("\n"):
        line = line.rstrip()
        if line.lstrip().startswith("#") or (held and not line):
            continue
        if held:
            lines[-1] += line.lstrip()
        else:
            lines.append(line)
        held = line.endswith("\\")
        if held:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


#: how a word of each kind looks in a configuration
SHAPES = {
    "expansion item": r"\$\{\s*WORD\s*[{ ,]",
    "expansion operator": r"\$\{WORD(?:_[-\d]+)*:",
    "condition": r"(?:\bif|\{|!)\s*(?:!\s*)*WORD\s*\{",
    "condition sign": r"(?:\bif|\{|!)\s*WORD\s*\{",
    "lookup": r"\$\{\s*lookup\s*(?:\{.*\}\s*)?(?:partial[^-]*-)?WORD[*@]*(?:,[^{]*)?\s*\{",
    "lookup in a list": r"(?:=|:|;|@|!|\{|\n)\s*(?:(?:net\d*|partial\d*)-)?WORD[*@]*(?:,[^;]*)?;",
    "dnsdb type": r"lookup dnsdb\{[^}]*\bWORD=",
    "acl verb": r"(?m)^\s*WORD(?:\s|$)",
    "acl condition": r"(?m)^\s*(?:(?:accept|deny|require|warn|defer|drop|discard)\s+)?!?\s*WORD"
    r"(?:\s*=|\s+acl_|\s*$)",
    "control": r"control\s*=.*\bWORD\b",
    "verify": r"verify\s*=\s*WORD\b",
    "router driver": r"driver = WORD\b",
    "transport driver": r"driver = WORD\b",
    "authenticator driver": r"driver = WORD\b",
    "router or transport option": r"(?m)^\s+(?:no_|not_)?WORD\s*(?:=|$)",
    "authenticator option": r"(?m)^\s+WORD\s*=",
    "main option": r"(?m)^(?:hide )?(?:no_|not_)?WORD\s*(?:=|$)",
    "named list": r"(?m)^WORD(?:_cache)?\s",
    "variable": r"\$\{?WORD\b|def:WORD\b",
    "pattern": "",
}


def _constructs() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    kind = ""
    for line in (FOLDER / "constructs.txt").read_text().split("\n"):
        if line.startswith("["):
            kind = line.strip("[]")
        elif kind == "pattern":
            found += [(kind, line.partition("  #")[0].strip())] if line.strip() else []
        elif line and not line.startswith("#"):
            found += [(kind, word) for word in line.split()]
    return found


@pytest.fixture(scope="module")
def corpus() -> str:
    return "\n".join(map(_joined, _texts()))


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_constructs(kind: str, corpus: str) -> None:
    """Everything that real configurations use occurs in the fixtures."""
    missing = []
    for this, word in _constructs():
        if this != kind:
            continue
        shape = SHAPES[kind].replace("WORD", re.escape(word)) if SHAPES[kind] else f"(?m){word}"
        if re.search(shape, corpus) is None:
            missing.append(word)
    assert not missing, f"{kind}: {' '.join(missing)}"


#: what trips readers of configurations, and how to see that it is there (in the raw text)
TRAPS = {
    "a macro that holds half an expression": r"(?m)^[A-Z_]+ *= *\$\{lookup[^\n]*[^}]\}$",
    "an include in the middle of a value": r"\\\n\.include ",
    "a comment inside a continued value": r"\\\n *#[^\n]*\n",
    "a comment in between that ends in a backslash": r"\n *#[^\n]*\\\s*\n",
    "blanks after the last backslash": r"\\[ \t]+\n",
    "a quoted value with doubled escapes": r'"[^"\n]*\\\\N',
    "an ACL option that gives a name or a verb": r"(?m)^acl_smtp_\w+ *= *\$\{if.*\{accept\}",
    "doubled colons inside an expansion inside a list": r"::::",
    "a list that begins with a separator": r"= *\"?<[;:,\\]",
    "a conditional without branches": r"\$\{if (?:def:\w+|eq\{[^{}]*\}\{[^{}]*\})\}",
    "a blank after the sign of negation": r"! eq",
    "a header name without its colon": r"\$h_[a-z]+[^-:a-z_]",
    "an operator with numbers in its name": r"\$\{substr_\d+_\d+:",
    "a verb alone on its line": r"(?m)^ *(?:deny|accept)$",
    "a verb that is not indented": r"(?m)^deny  ",
    "a condition that cuts a router": r"\.ifdef [A-Z_]+\n  transport[^\n]*\n[^.]*?\n\w+:\n[^.]*?\.endif",
    "options of ratelimit that come from an expansion": r"ratelimit[^\n]*(?:\\\n[^\n]*)*/ \$\{if",
    "counts, a dollar sign and a colon in one pattern of a list": r"\{\d,\d\}[^\n]*\\?\$",
    "lines that end as on Windows": r"\r\n",
    "bytes that are no UTF-8": r"[\x80-\xff]",
    "twelve open braces on a line": r"",
}


@pytest.mark.parametrize("trap", sorted(TRAPS))
def test_traps(trap: str) -> None:
    texts = _texts()
    if TRAPS[trap]:
        assert any(re.search(TRAPS[trap], text) for text in texts)
        return

    def depth(line: str) -> int:
        here = most = 0
        for sign in line:
            here += (sign == "{") - (sign == "}")
            most = max(most, here)
        return most

    assert any(depth(line) >= 9 for text in texts for line in _joined(text).split("\n"))


def test_missing_last_newline() -> None:
    assert any(not text.endswith("\n") for text in _texts())


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=_id)
def test_size(path: Path) -> None:
    assert 200 <= len((path / "exim.conf").read_bytes().split(b"\n")) <= 1500


def test_number() -> None:
    assert len(CONFIGURATIONS) >= 6


def accepted(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What ``-bV`` says of the configuration in a folder."""
    return subprocess.run(
        [*command, f"-DCONFDIR={folder}/etc/exim4", "-C", f"{folder}/exim.conf", "-bV"],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )


@pytest.mark.differential
@pytest.mark.parametrize("path", CONFIGURATIONS, ids=_id)
def test_real_exim_accepts(path: Path) -> None:
    exim = real_exim()
    if exim is None:
        pytest.skip("no Exim is installed")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # included files are read as Exim's own user
        copy = Path(folder) / path.name
        shutil.copytree(path, copy)
        for place, _, files in os.walk(copy):
            for file in files:
                os.chmod(Path(place, file), 0o644)
        done = accepted([exim], copy)
    assert done.returncode == 0, done.stderr
    assert "Configuration file is" in done.stdout


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=_id)
@pytest.mark.parametrize("build", [True, False], ids=["debian", "everything"])
def test_ours_accepts(path: Path, build: bool) -> None:
    """Ours takes them, for the build whose Exim took them and for one that has everything."""
    words = [sys.executable, "-m", "eximious", "exim"]
    words += ["--exim-version", "4.96", "--build", str(BUILD)] if build else []
    done = accepted(words, path)
    assert done.returncode == 0, done.stderr or done.stdout

"""What ``-bV`` prints."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from eximious.grammar.build import Build
from eximious.grammar.catalogue import Catalogue

from eximious.version_text import configuration_text, version_text

DEBIAN = Path(__file__).resolve().parent.parent / "fixtures" / "reading" / "debian-4.96.bv"


def features(text: str) -> list[str]:
    """The lines about the build: without the heading, and what follows the build."""
    lines = [line for line in text.splitlines() if not line.startswith("Configuration file")]
    return lines[1 : next(n for n, line in enumerate(lines) if line.startswith("Size of")) + 1]


def test_lines_of_a_real_build_come_back() -> None:
    text = DEBIAN.read_text("latin-1")
    assert features(version_text(Catalogue.from_bv(text))) == features(text)


def test_lines_are_put_together_from_settings() -> None:
    text = DEBIAN.read_text("latin-1")
    known = Catalogue.from_bv(text)
    settings = Build(known.build._answers)  # the same answers without the lines they came from
    made = version_text(Catalogue((4, 96), settings))
    assert features(made) == features(text)


def test_everything() -> None:
    text = version_text(Catalogue())
    assert text.startswith("Exim version 4.99 #1 built ")
    assert (
        "\nRouters (built-in): accept dnslookup ipliteral iplookup manualroute redirect queryprogram\n"
        in text
    )
    assert " GnuTLS " not in text and " OpenSSL " in text


@pytest.mark.parametrize("minor", range(92, 100))
def test_all_versions_have_a_text(minor: int) -> None:
    assert version_text(Catalogue((4, minor))).startswith(f"Exim version 4.{minor} ")


def test_configuration_lines() -> None:
    assert configuration_text("/a") == "Configuration file is /a\n"
    assert configuration_text("/b", "/a:/b") == (
        "Configuration file search path is /a:/b\nConfiguration file is /b\n"
    )


@pytest.mark.differential
def test_live() -> None:
    exim = shutil.which("exim4")
    if exim is None:
        pytest.skip("no exim4 here")
    real = subprocess.run([exim, "-bV"], capture_output=True, check=False, text=True).stdout
    if not real.startswith("Exim version 4.96 "):
        pytest.skip("the installed Exim is not 4.96")
    assert features(version_text(Catalogue.from_bv(real))) == features(real)

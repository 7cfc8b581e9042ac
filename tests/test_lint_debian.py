"""Debian's configuration: put together as update-exim4.conf does it, and findings lead to its files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from eximious.debian import SCRIPT, Debian, Machine, NotDebian, assemble, machine_of
from eximious.debian_settings import read_settings
from eximious.linting import check

INSTALLED = Path("/etc/exim4")

installed = pytest.mark.skipif(
    not (INSTALLED / "exim4.conf.template").exists() or not (INSTALLED / "conf.d").is_dir(),
    reason="exim4-config is not installed",
)
script = pytest.mark.skipif(
    not os.path.exists(SCRIPT) or os.geteuid() != 0, reason="update-exim4.conf is not there, or not for us"
)

DEFAULTS = {
    "dc_eximconfig_configtype": "local",
    "dc_other_hostnames": "mail.example.net",
    "dc_local_interfaces": "127.0.0.1 ; ::1",
    "dc_readhost": "",
    "dc_relay_domains": "",
    "dc_minimaldns": "false",
    "dc_relay_nets": "",
    "dc_smarthost": "",
    "CFILEMODE": "644",
    "dc_use_split_config": "false",
    "dc_hide_mailname": "",
    "dc_mailname_in_oh": "true",
    "dc_localdelivery": "mail_spool",
}

#: settings beside the defaults, by what they show
VARIANTS: dict[str, dict[str, str]] = {
    "as installed": {},
    "split": {"dc_use_split_config": "true"},
    "split in capitals": {"dc_use_split_config": "TRUE", "dc_eximconfig_configtype": "Internet"},
    "internet": {
        "dc_eximconfig_configtype": "internet",
        "dc_relay_domains": "Example.ORG;example.net",
        "dc_relay_nets": "10.0.0.0/8:192.168.0.0/16",
        "dc_localdelivery": "maildir_home",
    },
    "smarthost": {
        "dc_eximconfig_configtype": "smarthost",
        "dc_smarthost": "Mail.Example.ORG::587;other.example.org",
        "dc_hide_mailname": "true",
        "dc_readhost": "Visible.Example.org",
        "dc_relay_nets": "10.0.0.0/8; 2001:db8::/32",
    },
    "satellite, split": {
        "dc_eximconfig_configtype": "satellite",
        "dc_use_split_config": "true",
        "dc_smarthost": "smtp.example.org",
        "dc_hide_mailname": "true",
        "dc_readhost": "example.org",
        "dc_other_hostnames": "  A.example ;  b.example : ",
    },
    "no configuration": {"dc_eximconfig_configtype": "none"},
    "no configuration, split": {"dc_eximconfig_configtype": "none", "dc_use_split_config": "true"},
    "comments kept": {"ue4c_keepcomments": "yes"},
    "comments kept, split": {"ue4c_keepcomments": "yes", "dc_use_split_config": "true"},
    "empty settings": dict.fromkeys(DEFAULTS, "") | {"dc_eximconfig_configtype": "internet"},
    "separators and signs": {
        "dc_eximconfig_configtype": "internet",
        "dc_other_hostnames": "a.example;;b.example ; : ;",
        "dc_local_interfaces": "<; 127.0.0.1 ; ::1",
        "dc_relay_domains": "*.example.org ; !x.example.org;lsearch",
        "dc_relay_nets": "<; 10.0.0.0/8",
        "dc_smarthost": "a  b\tc",
        "dc_readhost": "x_y~z@[1.2.3.4]",
    },
    "undocumented macros": {"MAIN_TLS_ENABLE": "Yes  Sir", "SMTPLISTENER_X": "'q'"},
    "unusual signs": {"dc_other_hostnames": "a+]b.example,c", "dc_relay_domains": "x$y]z"},
}


def folder_with(tmp_path: Path, settings: dict[str, str], name: str = "exim4") -> Path:
    """A copy of the installed folder with settings of our own."""
    folder = tmp_path / "etc" / name
    shutil.copytree(INSTALLED, folder, ignore=shutil.ignore_patterns("passwd.client"))
    lines = ["# settings", ""]
    lines += [f"{key}='{value}'" if "'" not in value else f"{key}={value}" for key, value in settings.items()]
    (folder / "update-exim4.conf.conf").write_text("\n".join(lines) + "\n")
    mailname = Path("/etc/mailname")
    if mailname.exists():
        shutil.copy(mailname, tmp_path / "etc" / "mailname")
    return folder


def generated(folder: Path, tmp_path: Path) -> str:
    """What the real script makes of a folder."""
    target = tmp_path / "generated"
    subprocess.run(
        [SCRIPT, "-d", str(folder), "-o", str(target)], check=True, capture_output=True, timeout=60, cwd="/"
    )
    return target.read_bytes().decode("latin-1")


def machine() -> Machine:
    """This machine, as its files say."""
    return machine_of("/etc/exim4")


@pytest.mark.differential
@installed
@script
@pytest.mark.parametrize("variant", VARIANTS, ids=list(VARIANTS))
def test_text_is_what_the_script_makes(variant: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, DEFAULTS | VARIANTS[variant])
    made = assemble(Debian(str(folder)), machine())
    assert made.text == generated(folder, tmp_path)


@pytest.mark.differential
@installed
@script
def test_pieces_by_name_and_rul_files(tmp_path: Path) -> None:
    """Names that are passed over, .rul files, files without a last newline, empty lines and files."""
    folder = folder_with(tmp_path, DEFAULTS | {"dc_use_split_config": "true"})
    acl = folder / "conf.d" / "acl"
    (acl / "25_local.bak").write_text("nonsense\n")
    (acl / "25_local~").write_text("nonsense\n")
    (acl / "26_empty").write_text("")
    (acl / "27_no_newline").write_text("\n\n\nlocal_acl:\n  # a comment\n  accept\n\t# more")
    (acl / "28_Upper-Case").write_text("upper_acl:\n  accept\n\n")
    (acl / "29_replaced").write_text("nonsense\n")
    (acl / "29_replaced.rul").write_text("ruled_acl:\n  deny\n")
    (acl / "30_folder").mkdir()
    made = assemble(Debian(str(folder)), machine())
    assert made.text == generated(folder, tmp_path)
    assert [note[0] for note in made.notes] == [str(acl / "25_local.bak"), str(acl / "25_local~")]


@installed
@pytest.mark.parametrize("split", ["false", "true"])
@pytest.mark.parametrize("kind", ["local", "internet", "smarthost", "satellite"])
def test_installed_configuration_is_clean(kind: str, split: str, tmp_path: Path) -> None:
    settings = {
        "dc_eximconfig_configtype": kind,
        "dc_use_split_config": split,
        "dc_smarthost": "mail.example.org",
    }
    folder = folder_with(tmp_path, DEFAULTS | settings)
    for version in ("4.96", "4.99"):
        found = check(str(folder), version=version)
        assert [finding.render(found.sources) for finding in found.findings] == []
        assert found.kind == ("conf.d" if split == "true" else "template")


@installed
def test_every_line_leads_to_its_file(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, DEFAULTS | {"dc_use_split_config": "true"})
    made = assemble(Debian(str(folder)), machine())
    for text, file, number in made.lines:
        if number and not file.endswith(".conf"):
            assert made.texts[file].split("\n")[number - 1] == text


@installed
def test_places_in_pieces_and_settings(tmp_path: Path) -> None:
    settings = {
        "dc_use_split_config": "true",
        "dc_eximconfig_configtype": "internet",
        "dc_relay_nets": "10.0.0.300",
    }
    folder = folder_with(tmp_path, DEFAULTS | settings)
    piece = folder / "conf.d" / "router" / "050_bad"
    piece.write_text(
        "# a comment\n\nbad:\n  driver = accept\n  transport = remote_smpt\n  domains = +nolist\n"
    )
    found = check(str(folder / "conf.d"))
    places = {finding.code: finding.position for finding in found.findings}
    assert str(places["undefined-transport"]) == f"{piece}:5:15"
    assert str(places["undefined-list"]) == f"{piece}:6:13"
    where = places["bad-host-item"]
    assert where is not None
    # the list stands in a piece; the macro in it leads to the setting
    assert where.file == str(folder / "conf.d/main/01_exim4-config_listmacrosdefs")
    via = where.via[0]
    line = (folder / "update-exim4.conf.conf").read_text().split("\n")[via.line - 1]
    assert (via.name, via.file) == ("MAIN_RELAY_NETS", str(folder / "update-exim4.conf.conf"))
    assert line == "dc_relay_nets='10.0.0.300'"
    rendered = "\n".join(finding.render(found.sources) for finding in found.findings)
    assert "      transport = remote_smpt" in rendered
    assert "hostlist relay_from_hosts = MAIN_RELAY_NETS" in rendered


@installed
def test_template_conf_d_and_folder(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, DEFAULTS)
    (folder / "exim4.conf.localmacros").write_text("MAIN_TLS_ENABLE = yes")
    with (folder / "exim4.conf.template").open("a") as stream:
        stream.write("nonsense line\n")
    with (folder / "conf.d/main/02_exim4-config_options").open("a") as stream:
        stream.write("smtp_acept_max = 5\n")
    template = folder / "exim4.conf.template"
    number = template.read_text().count("\n")
    for path in (folder, template):
        (finding,) = check(str(path)).findings
        assert (str(finding.position), finding.code) == (f"{template}:{number}:1", "option-unknown")
    (finding,) = check(str(folder / "conf.d")).findings
    assert finding.code == "option-unknown"


@installed
def test_exim4_conf_takes_the_place_of_all(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, DEFAULTS)
    (folder / "exim4.conf").write_text("nonsense\n")
    found = check(str(folder))
    assert found.kind == "file"
    assert [finding.code for finding in found.findings] == ["option-unknown"]


def test_settings_are_read_and_not_run() -> None:
    text = (
        "# comment\n"
        'dc_a=\'one two\' dc_b="three \\"four\\" $dc_a" # more\n'
        "export dc_c=five\\ six'x'\"y\"; dc_d=\n"
        "dc_e=`rm -rf /`\n"
        "dc_f=$(touch /tmp/x)\n"
        "if true; then dc_g=1; fi\n"
        "dc_h='two\nlines'\n"
        "dc_i=${dc_a}#x\n"
    )
    found = read_settings(text, "f")
    assert found.values == {
        "dc_a": "one two",
        "dc_b": 'three "four" one two',
        "dc_c": "five sixxy",
        "dc_d": "",
        "dc_h": "two\nlines",
        "dc_i": "one two#x",
    }
    assert [line for _, line, _ in found.warnings] == [4, 5, 6]


def test_nothing_to_put_together(tmp_path: Path) -> None:
    (tmp_path / "update-exim4.conf.conf").write_text("dc_eximconfig_configtype='internet'\n")
    with pytest.raises(NotDebian, match=r"cannot read .*exim4\.conf\.template: No such file"):
        assemble(Debian(str(tmp_path)), Machine())
    (tmp_path / "update-exim4.conf.conf").write_text(
        "dc_eximconfig_configtype='internet'\ndc_use_split_config=perhaps\n"
    )
    with pytest.raises(NotDebian, match="invalid value for dc_use_split_config"):
        assemble(Debian(str(tmp_path)), Machine())


def test_small_folder_of_our_own(tmp_path: Path) -> None:
    """Without the package: a template with the mark, and macros made of the settings."""
    (tmp_path / "update-exim4.conf.conf").write_text(
        "dc_eximconfig_configtype='smarthost'\ndc_smarthost='Mail.Example'\ndc_minimaldns='true'\n"
    )
    (tmp_path / "exim4.conf.template").write_text(
        "UPEX4CmacrosUPEX4C = 1\n\n\n# comment\ndomainlist local = MAIN_LOCAL_DOMAINS\nspool_directory = /x\n"
    )
    made = assemble(Debian(str(tmp_path)), Machine("Name.Example rest\n", "host.example.org", "1.0"))
    body = made.text.partition("#########\nUPEX")[2].split("\n")
    assert body[0] == "4CmacrosUPEX4C = 1"
    assert "DCsmarthost=mail.example" in body
    assert "ETC_MAILNAME=name.example" in body
    assert "MAIN_HARDCODE_PRIMARY_HOSTNAME=host.example.org" in body
    assert body[-3:] == ["domainlist local = MAIN_LOCAL_DOMAINS", "spool_directory = /x", ""]
    (tmp_path / "update-exim4.conf.conf").write_text("dc_eximconfig_configtype='local'\n")
    assert check(str(tmp_path)).clean

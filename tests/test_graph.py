"""``eximious graph``: what is in a picture, and that each form of it is well-formed and readable."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from eximious.assembly import Assembly
from eximious.command_graph import main
from eximious.drawing import FORMATS, draw
from eximious.drawing.picture import Box, Picture
from eximious.graph import picture_of
from eximious.secrets import Secrets

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATIONS = sorted((ROOT / "fixtures" / "configurations").glob("*/exim.conf"))
SVG = "{http://www.w3.org/2000/svg}"

SMALL = """\
domainlist local = a.example : b.example
hostlist relays = 10.0.0.0/8
acl_smtp_rcpt = ${if eq{$tls_in_cipher}{}{plain}{secure}}
acl_smtp_data = check_data
begin acl
plain:
  deny hosts = !+relays
  require acl = common
secure:
  accept
common:
  accept domains = +local
check_data:
  deny message = no
begin routers
first:
  driver = manualroute
  domains = !+local
  route_list = * 192.0.2.1
  transport = smtp
  no_more
second:
  driver = redirect
  data = ${lookup{$local_part}lsearch{/etc/aliases}}
  pass_router = fourth
  pipe_transport = pipes
third:
  driver = accept
  hide condition = ${lookup mysql{select secret}}
  transport = ${if eq{a}{b}{smtp}{${lc:other}}}
fourth:
  driver = accept
  transport = $local_part_data
begin transports
smtp:
  driver = smtp
pipes:
  driver = pipe
other:
  driver = appendfile
  file = /var/mail/x
  user = 8
  group = 8
"""


def picture(text: str, tmp_path: Path) -> Picture:
    path = tmp_path / "exim.conf"
    path.write_text(text)
    assembly = Assembly(str(path))
    assert assembly.configuration_error() == ""
    return picture_of(assembly.configuration)


def test_arrows_say_who_calls_whom(tmp_path: Path) -> None:
    arrows = {(one.start, one.end, one.label) for one in picture(SMALL, tmp_path).known_arrows()}
    assert arrows == {
        ("hook acl_smtp_rcpt", "acl plain", ""),
        ("hook acl_smtp_rcpt", "acl secure", ""),
        ("hook acl_smtp_data", "acl check_data", ""),
        ("acl plain", "acl common", ""),
        ("router first", "router second", "not for this router"),
        ("router second", "router third", ""),
        ("router third", "router fourth", ""),
        ("router second", "router fourth", "pass"),
        ("router first", "transport smtp", ""),
        ("router second", "transport pipes", "pipe"),
        ("router third", "transport smtp", ""),
        ("router third", "transport other", ""),
        ("router fourth", "transport $local_part_data", ""),
    }


def test_boxes_say_what_decides_and_who_uses_lists(tmp_path: Path) -> None:
    boxes = {box.name: box for box in picture(SMALL, tmp_path).boxes}
    assert boxes["router first"].lines == [
        "domains = !+local",
        "route_list = * 192.0.2.1",
        "no_more: what it declines is undeliverable",
    ]
    assert boxes["router first"].place == "exim.conf:16"
    assert [" ".join(line.split()) for line in boxes["acl plain"].lines] == [
        "7 deny hosts = !+relays",
        "8 require acl = common",
    ]
    assert boxes["list d local"].lines == ["a.example : b.example", "used by common, first"]
    assert boxes["list h relays"].lines == ["10.0.0.0/8", "used by plain"]
    assert "secret" not in json.dumps([box.lines for box in boxes.values()])


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.parent.name)
def test_everything_is_in_it_with_its_place(path: Path) -> None:
    assembly = Assembly(str(path), root=str(path.parent))
    configuration = assembly.configuration
    made = picture_of(configuration)
    names = {box.name: box for box in made.boxes}
    wanted = [f"router {name}" for name in configuration.routers]
    wanted += [f"transport {name}" for name in configuration.transports]
    wanted += [f"acl {name}" for name in configuration.acls]
    wanted += [f"list {kind} {name}" for kind, found in configuration.lists.items() for name in found]
    assert [name for name in wanted if name not in names] == []
    assert [name for name in wanted if not re.fullmatch(r"[\w.-]+:\d+", names[name].place)] == []
    lines = path.read_text(encoding="latin-1").splitlines()
    for name in configuration.routers:
        assert lines[int(names[f"router {name}"].place.rpartition(":")[2]) - 1].startswith(f"{name}:")
    secrets = [*Secrets(configuration).texts, "pass=geheim"]
    for form in FORMATS:
        drawn = draw(made, form)
        assert drawn and [secret for secret in secrets if secret in drawn] == []


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.parent.name)
def test_svg_boxes_do_not_overlap_and_hold_their_text(path: Path) -> None:
    made = picture_of(Assembly(str(path), root=str(path.parent)).configuration)
    tree = ElementTree.fromstring(draw(made, "svg"))
    rectangles = []
    for group in tree.iter(f"{SVG}g"):
        (rectangle,) = group.findall(f"{SVG}rect")
        x, y, width, height = (float(rectangle.get(key, "")) for key in ("x", "y", "width", "height"))
        rectangles.append((x, y, x + width, y + height))
        for text in group.findall(f"{SVG}text"):
            assert x <= float(text.get("x", "")) <= x + width
            assert y < float(text.get("y", "")) < y + height
    assert len(rectangles) == len(made.boxes)
    for at, (left, top, right, bottom) in enumerate(rectangles):
        for left2, top2, right2, bottom2 in rectangles[at + 1 :]:
            assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top


def test_text_that_could_be_markup_is_text_in_every_form() -> None:
    made = Picture('a"b\\<c>')
    made.add(Box("n1", "router", '<b>"]; x\\', ["`|{}<script>\x00\xe4", "Gr\xc3\xbc\xc3\x9fe"]))
    made.add(Box("n2", "strange kind", "--> %% n3"))
    made.connect("n1", "n2", '"|x')
    made.connect("n1", "nowhere")
    svg = ElementTree.fromstring(draw(made, "svg"))
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert '<b>"]; x\\' in texts and "Grüße" in texts and "`|{}<script>�ä" in texts
    dot = draw(made, "dot")
    assert '"<b>\\"]; x\\\\\\l' in dot and dot.count("->") == 2  # one arrow, and the title of a box
    mermaid = draw(made, "mermaid")
    assert "<script>" not in mermaid and mermaid.count("-->") == 1


def test_command_writes_files_and_refuses_what_cannot_be(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(SMALL)
    assert main(["-C", str(path), "--format", "json", "-o", str(tmp_path / "out.json")]) == 0
    assert json.loads((tmp_path / "out.json").read_text())["boxes"][0]["id"] == "hook acl_smtp_rcpt"
    assert main(["-C", str(path), "-o", str(tmp_path / "none" / "x")]) == 2
    assert main([]) == 2
    path.write_text("nonsense\n")
    assert main(["-C", str(path)]) == 2
    error = capsysbinary.readouterr().err
    assert b"-C CONFIG is wanted" in error and b"main option" in error

"""Random messages for the MIME walker: nested, broken, badly encoded, with odd headers; made from a seed."""

from __future__ import annotations

from random import Random

_TYPES = ("text/plain", "TEXT/html", "application/x-tar", "multipart/mixed", "multipart/alternative",
          "Multipart/Related", "message/rfc822", "message/rfc822", "multipart", "image/*", "")  # fmt: skip
_ENCODINGS = ("7bit", "base64", "BASE64", "quoted-printable", "Quoted-Printable", "x-uuencode", "7bit;x", "")
_WORDS = ("a", "b c", "utf-8", "x=y", '"q"', '"un', "(c)", "\\;", "; ", "=?utf-8?q?f=C3=BC?=", "%20", "'", "é",
          "\t", "''", "=?x?b?YQ==?=", "=41", "--", "\\", "name", "@", "/", "a" * 60)  # fmt: skip
_NAMES = ("name", "filename", "filename*", "filename*0*", "filename*1", "filename*1*", "charset", "boundary", "size",
          "NAME", " name ", "na(x)me", "type")  # fmt: skip
_HEADERS = ("Content-Type", "content-type", "Content-Disposition", "Content-ID", "Content-Description",
            "Content-Transfer-Encoding", "X-Other", "Content-Type ", "Subject")  # fmt: skip
_LINES = ("text", "", "--", "--b", "--b--", "--bb", " --b", "=20", "=", "a=\tb", "=  ", "==", "=4", "QUJD", "QUI=",
          "QQ==", "QU JD", "Q", "QQ=A", "====", "A=B=C=D", ".", "..", "From x", "-- b", "é\xa4", "x" * 80)  # fmt: skip
#: base64 in which no padding begins a group: there the real one shows what is left in its memory
_BASE64 = (
    "QUJD",
    "QUI=",
    "QQ==",
    "QU JD",
    "QUJDQUJD",
    "*QUJD",
    "QUJD\xe4",
    "Q U I =",
    "",
    "--",
    "Q=A=",
    "QUI=QQ==",
)
_BASE64_ENDS = ("", "", "Q", "QQ", "QQ=", "QUJ")


class Messages:
    """Makes messages; the same ones for the same seed. ``nul``: bodies may hold NULs."""

    def __init__(self, seed: int, nul: bool = True) -> None:
        self.random = Random(seed)
        self.nul = nul

    def message(self) -> str:
        """One message, with a Content-Type: line most of the time; lines end with LF."""
        random = self.random
        self.budget = random.choice((3, 8, 20))
        self.inside = self.inner = (
            0  # in how many messages inside each other this is, and how many there were
        )
        header = f"From: a@b.example\n{self._headers(True)}"
        return f"{header}\n{self._body(header, 0)}"

    def _headers(self, top: bool = False) -> str:
        random = self.random
        lines = []
        if top or random.random() < 0.8:
            lines.append(f"Content-Type: {self._type()}")
        if random.random() < 0.5:
            encoding = random.choice(_ENCODINGS)
            if lines and "text" not in lines[0].lower():
                # text that is not meant for it would be padded just so (see _BASE64)
                encoding = encoding.lower().replace("base64", "8bit")
            lines.append(f"Content-Transfer-Encoding: {encoding}")
        for _ in range(random.choice((0, 0, 1, 2))):
            lines.append(f"{random.choice(_HEADERS)}: {self._value()}")
        random.shuffle(lines)
        return "".join(line + "\n" for line in lines)

    def _type(self) -> str:
        random = self.random
        kind = random.choice(_TYPES)
        if kind == "message/rfc822":
            # not two beside each other: the order in which the real one takes them is that of a folder's names
            if self.inner > self.inside:
                kind = "text/plain"
            self.inner += 1
        if random.random() < 0.2:
            kind += random.choice((" ", "(x)", "\t", " x", "\n "))
        if "ultipart" in kind and random.random() < 0.9:
            kind += random.choice(
                ("; boundary=b", ';\n\tboundary="b"', "; boundary=bb", "; boundary=c; boundary=b")
            )
        elif random.random() < 0.3:
            kind += "; boundary=b"
        return kind + "".join(self._parameter() for _ in range(random.choice((0, 0, 1, 3))))

    def _parameter(self) -> str:
        random = self.random
        value = "".join(random.choice(_WORDS) for _ in range(random.choice((0, 1, 1, 2, 4))))
        if random.random() < 0.3:
            value = f'"{value}"'
        elif random.random() < 0.2:
            value = f"utf-8'en'{value}"
        return random.choice((";", "; ", " ;\n ")) + random.choice(_NAMES) + "=" + value

    def _value(self) -> str:
        random = self.random
        value = "".join(random.choice(_WORDS) for _ in range(random.choice((0, 1, 2))))
        return value + "".join(self._parameter() for _ in range(random.choice((0, 1, 2))))

    def _body(self, header: str, depth: int) -> str:
        random = self.random
        self.budget -= 1
        lower = header.lower()
        if self.budget <= 0 or depth > 6 or "encoding: base64\n" in lower:
            return self._base64() if "base64" in lower else self._text()
        if "multipart" in lower or random.random() < 0.1:
            boundary = random.choice(("b", "b", "bb", "c"))
            parts = [self._text() if random.random() < 0.3 else ""]
            for _ in range(random.choice((1, 2, 3))):
                inner = self._headers()
                end = random.choice(("", "", "x", " ", "-"))
                parts.append(f"--{boundary}{end}\n{inner}\n{self._body(inner, depth + 1)}")
            parts.append(
                random.choice(
                    (f"--{boundary}--\n", f"--{boundary}--\n", "", f"--{boundary}--x\n{self._text()}")
                )
            )
            return "".join(parts)
        if "rfc822" in lower and "base64" not in lower:
            self.inside += 1
            inner = f"Subject: inner\n{self._headers()}"
            inner = f"{inner}\n{self._body(inner, depth + 1)}"
            self.inside -= 1
            return inner
        return self._text()

    def _base64(self) -> str:
        random = self.random
        lines = [random.choice(_BASE64) for _ in range(random.choice((0, 1, 3, 6)))]
        return "".join(line + "\n" for line in (*lines, random.choice(_BASE64_ENDS)))

    def _text(self) -> str:
        random = self.random
        lines = []
        for _ in range(random.choice((0, 1, 3, 6))):
            line = random.choice(_LINES)
            if random.random() < 0.3:
                line += random.choice(_LINES)
            if self.nul and random.random() < 0.03:
                line += "\0tail"
            if random.random() < 0.01:
                line = "y" * random.choice((8189, 8190, 8191, 32765, 32766, 32767)) + random.choice(
                    ("--b", line)
                )
            lines.append(line + "\n")
        return "".join(lines)

"""Character set conversion by the system's iconv, as Exim does it: same names, same refusals.

Python's own codecs know other names and treat broken input differently, so they are only the
fallback where the C library has no iconv. Loaded on first use.
"""

from __future__ import annotations

import errno
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

#: character sets whose first 128 codes are ASCII, as written in mail; text within ASCII needs no conversion
ASCII_BASED = frozenset(
    (
        "us-ascii",
        "ascii",
        "utf-8",
        "utf8",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "koi8-r",
        "gb2312",
        "euc-jp",
        *(f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)),
    )
)


class UnknownCharset(Exception):
    """The conversion does not exist; ``message`` is Exim's text."""

    def __init__(self, target: str, source: str, code: int) -> None:
        from os import strerror

        hint = " (maybe unsupported conversion)" if code == errno.EINVAL else ""
        self.message = f'iconv_open("{target}", "{source}") failed: {strerror(code)}{hint}'
        super().__init__(self.message)


def convert(data: bytes, source: str, target: str) -> bytes:
    """Give ``data`` in another character set.

    Where a sequence is wrong, incomplete or has no counterpart, the rest of the data is taken over as it
    is. Raises UnknownCharset.
    """
    if data.isascii() and source.lower() in ASCII_BASED and target.lower() in ASCII_BASED:
        return data
    library = _library()
    if library is None:
        return _by_codecs(data, source, target)
    return _by_library(library, data, source, target)


@cache
def _library() -> Any:
    try:
        import ctypes

        found = ctypes.CDLL(None, use_errno=True)
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        found.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        found.iconv_open.restype = pointer
        found.iconv_close.argtypes = [pointer]
        found.iconv.argtypes = [
            pointer,
            ctypes.POINTER(ctypes.c_char_p),
            ctypes.POINTER(size),
            ctypes.POINTER(pointer),
            ctypes.POINTER(size),
        ]
        found.iconv.restype = size
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    return found


def _by_library(library: Any, data: bytes, source: str, target: str) -> bytes:
    import ctypes

    # An empty name is the locale's set. Exim stays in the C locale; what Python has set does not count.
    handle = library.iconv_open(
        target.encode("latin-1").partition(b"\0")[0] or b"ASCII",
        source.encode("latin-1").partition(b"\0")[0] or b"ASCII",
    )
    if handle is None or handle == ctypes.c_void_p(-1).value:
        raise UnknownCharset(target, source, ctypes.get_errno())
    try:
        out = []
        room = 4 * len(data) + 64
        buffer = ctypes.create_string_buffer(room)
        start = ctypes.c_char_p(data)
        left = ctypes.c_size_t(len(data))
        while True:
            place = ctypes.c_void_p(ctypes.addressof(buffer))
            free = ctypes.c_size_t(room)
            ctypes.set_errno(0)
            answer = library.iconv(
                handle, ctypes.byref(start), ctypes.byref(left), ctypes.byref(place), ctypes.byref(free)
            )
            out.append(buffer.raw[: room - free.value])
            if answer != ctypes.c_size_t(-1).value or ctypes.get_errno() != errno.E2BIG:
                break
        if left.value:
            out.append(data[len(data) - left.value :])
        return b"".join(out)
    finally:
        library.iconv_close(handle)


def _by_codecs(data: bytes, source: str, target: str) -> bytes:
    import codecs

    try:
        reader, writer = codecs.lookup(source), codecs.lookup(target)
        if not (reader._is_text_encoding and writer._is_text_encoding):
            raise LookupError
    except (LookupError, ValueError):
        raise UnknownCharset(target, source, errno.EINVAL) from None
    rest = b""
    try:
        text = reader.decode(data, "strict")[0]
    except UnicodeDecodeError as error:
        text, rest = reader.decode(data[: error.start], "ignore")[0], data[error.start :]
    try:
        return bytes(writer.encode(text, "strict")[0]) + rest
    except UnicodeEncodeError as error:
        good = text[: error.start]
        taken = len(reader.encode(good, "ignore")[0])
        return bytes(writer.encode(good, "ignore")[0]) + data[taken:]

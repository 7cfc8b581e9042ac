"""Passwords against their stored forms, for ``crypteq`` (manual 11.8): MD5, SHA-1, crypt(3), crypt16.

crypt(3) is the system's, so that every method it knows is known here; where there is none, passlib's
(the extra ``crypt``). The effort that a stored form may ask for is bounded.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError, OverBudget, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: the most rounds (SHA-crypt and its like), and the most doublings (bcrypt, scrypt, yescrypt), for one
#: comparison
ROUNDS_LIMIT = 2_000_000
DOUBLINGS_LIMIT = 14

#: names of the system's libraries with crypt(); None is what is loaded already (BSD, macOS)
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", "libcrypt.so", None)

_ROUNDS = re.compile(r"\$(?:5|6|md5|sha1)[$,](?:rounds=)?([0-9]{1,20})\$")
_BCRYPT = re.compile(r"\$2[abxy]\$([0-9]{2})\$")
_MEMORY_HARD = re.compile(r"\$(?:(7)|g?y)\$(.)(.?)")
_ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def password_equals(plain: str, stored: str) -> bool:
    """Say whether ``plain`` is the password whose stored form is ``stored``.

    ``{md5}`` and ``{sha1}`` are followed by hexadecimal (case does not matter) or base64; ``{crypt}``, or
    no prefix, by what crypt(3) gives; ``{crypt16}`` by its variant for up to 16 characters. The prefixes'
    case does not matter. A form of a wrong length is a password that never fits.

    Raises ExpansionError for an unknown prefix; OverBudget if the form asks for excessive work;
    Unanswered where crypt(3) is needed and there is none.
    """
    if stored[:5].lower() == "{md5}":
        return _digest_equals("md5", plain, stored[5:])
    if stored[:6].lower() == "{sha1}":
        return _digest_equals("sha1", plain, stored[6:])
    double = False
    if stored[:7].lower() == "{crypt}":
        stored = stored[7:]
    elif stored[:9].lower() == "{crypt16}":
        stored = stored[9:]
        double = True
    elif stored.startswith("{"):
        raise ExpansionError(f'unknown encryption mechanism in "{stored}"')
    if len(stored) < 2:
        return False
    _bound(stored)
    key, salt = plain.encode("latin-1"), stored.encode("latin-1")
    crypt = _crypt()
    return (_crypt16(crypt, key, salt) if double else crypt(key, salt)) == salt


def _digest_equals(name: str, plain: str, stored: str) -> bool:
    import hashlib
    from binascii import b2a_base64

    digest = hashlib.new(name, plain.encode("latin-1"), usedforsecurity=False).digest()
    if len(stored) == 2 * len(digest):
        return digest.hex() == stored.lower()
    return b2a_base64(digest, newline=False).decode() == stored


def _crypt16(crypt: Callable[[bytes, bytes], bytes], key: bytes, salt: bytes) -> bytes:
    """Two traditional hashes in one; the second's salt is taken from the first."""
    result = crypt(key, salt)[:13]
    if len(key) > 8:
        result += crypt(key[8:], result[2:4])[2:13]
    return result


def _bound(stored: str) -> None:
    """Refuse forms that would keep crypt(3) busy for long."""
    rounds = _ROUNDS.match(stored)
    if rounds and int(rounds[1]) > ROUNDS_LIMIT:
        raise OverBudget("rounds of crypt()", ROUNDS_LIMIT)
    doublings = 0
    bcrypt = _BCRYPT.match(stored)
    if bcrypt:
        doublings = int(bcrypt[1])
    memory_hard = _MEMORY_HARD.match(stored)
    if memory_hard:
        digit = memory_hard[2] if memory_hard[1] else memory_hard[3]
        doublings = _ITOA64.find(digit) - 4 if digit else 0
    elif stored.startswith("_"):  # BSDi: four digits of rounds, least significant first
        count = 0
        for place, digit in enumerate(stored[1:5]):
            count += max(_ITOA64.find(digit), 0) << 6 * place
        if count > ROUNDS_LIMIT:
            raise OverBudget("rounds of crypt()", ROUNDS_LIMIT)
    if doublings > DOUBLINGS_LIMIT:
        raise OverBudget("doublings of crypt()'s work", DOUBLINGS_LIMIT)


@cache
def _crypt() -> Callable[[bytes, bytes], bytes]:
    """The system's crypt(3), or passlib's."""
    return _system_crypt() or _passlib_crypt


def _system_crypt() -> Callable[[bytes, bytes], bytes] | None:
    import ctypes

    for name in _LIBRARIES:
        try:
            # PyDLL keeps the interpreter's lock: crypt() gives a pointer to its one static buffer
            function = ctypes.PyDLL(name).crypt
        except (OSError, AttributeError, TypeError):
            continue
        function.restype = ctypes.c_char_p
        function.argtypes = [ctypes.c_char_p, ctypes.c_char_p]

        def crypt(
            key: bytes, salt: bytes, function: Callable[[bytes, bytes], bytes | None] = function
        ) -> bytes:
            return function(key, salt) or b""

        return crypt
    return None


def _passlib_crypt(key: bytes, salt: bytes) -> bytes:
    try:
        hashes: Any = import_module("passlib.hash")  # it has no type hints
    except ImportError:
        raise Unanswered(
            "crypteq",
            "whether a password fits its crypt() form (this system has no crypt())",
            "install the extra: pip install eximious[crypt]",
        ) from None
    for name in ("md5_crypt", "sha256_crypt", "sha512_crypt", "sha1_crypt", "bsdi_crypt", "des_crypt"):
        method = getattr(hashes, name)
        try:
            if method.identify(salt) and method.verify(key, salt):
                return salt
        except (ValueError, TypeError):
            continue
    return b""

"""The spa authenticator: NTLM, of which only the NT response counts (manual 38; MS-NLMP, NTLM version 1)."""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.simulation.smtp.authenticators import Verbatim, authenticator, check, client, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Attempt, Exchange, Lines
    from eximious.simulation.smtp.session import SmtpSession

SIGNATURE = b"NTLMSSP\0"
FLAGS = 0x8201
LONGEST = 1024  #: bytes of a client's message that are looked at
PASSWORD = 128  #: characters of a password that count
#: what a client asks for, and what of it decides about the shape of its answer (MS-NLMP 2.2.2.5)
WANTED = 0xB207
UNICODE, LM, NT = 0x1, 0x200, 0x8000


@authenticator("spa")
def spa(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Send a challenge, and compare what it becomes under the client's password and under ours."""
    request = initial
    if request is None:
        request = yield Verbatim("NTLM supported")
    if _bytes(request or "") is None:
        return "fail"
    challenge = _challenge(session)
    message = SIGNATURE + struct.pack("<IHHII8s8s8x", 2, 0, 0, 0x2800, FLAGS, challenge, b"")
    answer = yield Verbatim(base64.b64encode(message).decode("ascii"))
    response = _bytes(answer or "")
    if response is None:
        return "fail"
    response = response.ljust(64, b"\0")  # Exim reads on in memory that is zero
    user, given = _field(response, 36), _field(response, 20)
    if user is None or given is None:
        return "fail"
    set_data(session, [user[::2].decode("latin-1")])
    try:
        password = expand(str(instance.option("server_password") or ""), session.ctx)
    except ForcedFailure:
        return "fail"
    except Failure:
        return "defer: reason not recorded"
    if not hmac.compare_digest(nt_response(str(password), challenge), given[:24]):
        return "fail"
    return check(session, instance, instance.option("server_condition"))


@client("spa")
def negotiate(attempt: Attempt) -> Lines:
    """Say who we are, and answer the challenge (manual 40.2). A challenge that cannot be read counts as zeros."""
    option = attempt.instance.option
    name = attempt.expanded(option("client_username") or "")
    password = attempt.expanded(option("client_password") or "")
    wanted = option("client_domain")
    domain = attempt.expanded(wanted) if wanted is not None else None
    yield attempt.command()
    if not attempt.reply.startswith("3"):
        return False
    user, at, named = name.partition("@")
    shown = named if domain is None and at else domain or ""
    fields = [user.encode("latin-1"), shown.encode("latin-1")]
    yield _encoded(SIGNATURE + struct.pack("<II", 1, WANTED), fields)
    if not attempt.reply.startswith("3"):
        return False
    yield _response(_readable(attempt.reply[4:]), user, named if at else None, password)
    return attempt.reply.startswith("2")


def _response(said: bytes, user: str, domain: str | None, password: str) -> str:
    """The answer to a challenge; ``domain`` None: the one that the challenge names."""
    padded = said.ljust(64, b"\0")
    flags, challenge = struct.unpack_from("<I8s", padded, 20)
    size, _, offset = struct.unpack_from("<HHI", padded, 12)
    raw = said[offset : offset + size] if offset + size <= len(said) else b""
    shown = raw[::2] if flags & UNICODE else raw
    mine = shown.partition(b"\0")[0] if domain is None else domain.encode("latin-1")
    names = [mine, user.encode("latin-1"), user.encode("latin-1")]
    if flags & UNICODE:
        names = [one.decode("latin-1").encode("utf-16-le") for one in names]
    proofs = [
        lm_response(password, challenge) if flags & LM else b"",
        nt_response(password, challenge) if flags & NT else b"",
    ]
    return _encoded(SIGNATURE + struct.pack("<I", 3), [*proofs, *names, b""], struct.pack("<I", flags))


def _encoded(head: bytes, fields: list[bytes], tail: bytes = b"") -> str:
    """A message in base64: its head, the places of its fields, its tail, and the fields."""
    at = len(head) + 8 * len(fields) + len(tail)
    places, body = b"", b""
    for field in fields:
        places += struct.pack("<HHI", len(field), len(field), at + len(body))
        body += field
    return base64.b64encode(head + places + tail + body).decode("ascii")


def _readable(text: str) -> bytes:
    """What can be read of base64, from the front."""
    out = b""
    for at in range(0, len(text), 4):
        try:
            out += base64.b64decode(text[at : at + 4].encode("latin-1"), validate=True)
        except (binascii.Error, ValueError):
            break
    return out[:LONGEST]


def _bytes(text: str) -> bytes | None:
    """What a line of the client stands for; None where it is empty or no base64."""
    try:
        return base64.b64decode(text.encode("latin-1"), validate=True)[:LONGEST] or None
    except (binascii.Error, ValueError):
        return None


def _field(message: bytes, at: int) -> bytes | None:
    """A field of a message, by the place of its length and offset; None where it is not in the message."""
    size, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset : offset + size] if offset + size <= len(message) else None


def _challenge(session: SmtpSession) -> bytes:
    below = session.env.doors.chance.below
    return bytes(below(256) for _ in range(8))


def nt_response(password: str, challenge: bytes) -> bytes:
    """The NT response of NTLM version 1: the challenge under three keys that are cut from the password's MD4."""
    return _under_three_keys(md4(password[:PASSWORD].encode("utf-16-le")), challenge)


def lm_response(password: str, challenge: bytes) -> bytes:
    """The LM response: the same with the digest of the password's first 14 characters in capitals (MS-NLMP 3.3.1)."""
    key = password[:14].encode("latin-1").upper().ljust(14, b"\0")
    return _under_three_keys(b"".join(_des(key[at : at + 7], b"KGS!@#$%") for at in (0, 7)), challenge)


def _under_three_keys(digest: bytes, challenge: bytes) -> bytes:
    keys = digest.ljust(21, b"\0")
    return b"".join(_des(keys[at : at + 7], challenge) for at in (0, 7, 14))


def _des(key: bytes, block: bytes) -> bytes:
    """Encrypt a block under 56 bits of key (FIPS 46-3)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:  # before cryptography 43
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

    bits = int.from_bytes(key, "big")
    spread = bytes((bits >> (49 - 7 * at) & 0x7F) << 1 for at in range(8))
    # three times the same key is single DES
    encryptor = Cipher(TripleDES(spread * 3), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def _rotated(value: int, by: int) -> int:
    value &= 0xFFFFFFFF
    return (value << by | value >> (32 - by)) & 0xFFFFFFFF


def md4(data: bytes) -> bytes:
    """The MD4 digest (RFC 1320), which OpenSSL 3 no longer gives."""
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    for start in range(0, len(padded), 64):
        words = struct.unpack_from("<16I", padded, start)
        a, b, c, d = state
        for step in range(48):
            turn, place = divmod(step, 16)
            if turn == 0:
                mixed, at, shift = (b & c) | (~b & d), place, (3, 7, 11, 19)[place % 4]
            elif turn == 1:
                mixed = ((b & c) | (b & d) | (c & d)) + 0x5A827999
                at, shift = place % 4 * 4 + place // 4, (3, 5, 9, 13)[place % 4]
            else:
                mixed = (b ^ c ^ d) + 0x6ED9EBA1
                at, shift = _THIRD[place], (3, 9, 11, 15)[place % 4]
            a, b, c, d = d, _rotated(a + mixed + words[at], shift), b, c
        state = [(old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


#: the order of the words in the third round
_THIRD = (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)

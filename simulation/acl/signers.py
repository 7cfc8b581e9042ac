"""The message's DKIM signatures: who signed it, what was found of each, and the ACL that runs for each signer.

What a signature says of itself is read from its header line; whether it is good is a verdict (the described world's, so
far). Manual 58.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import append_to_list, split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, Unanswered
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.engine import run_hook
from eximious.simulation.acl.outcomes import OK, AclResult
from eximious.simulation.acl.state import state_of

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context

#: algorithms that are known, as (kind of key, hash)
ALGORITHMS = {
    "rsa-sha1": ("rsa", "sha1"),
    "rsa-sha256": ("rsa", "sha256"),
    "rsa-sha512": ("rsa", "sha512"),
    "ed25519-sha256": ("ed25519", "sha256"),
}
#: a body line of so many bytes, its end included, ends the verification
LONGEST_LINE = 16384
NO_LIMIT = "9999999999999"
STATUSES = ("none", "invalid", "fail", "pass")
#: variables of a verdict that a world may give, with what they are otherwise
KEY = {
    "key_length": 0,
    "key_testing": "0",
    "key_nosubdomains": "0",
    "key_srvtype": "*",
    "key_granularity": "*",
    "key_notes": "",
}
_SPACES = dict.fromkeys(map(ord, " \t\r\n"))
_HEX = re.compile(r"=([0-9A-F]{2})")
_REASONS = {
    "pubkey_unavailable": "invalid - public key record (currently?) unavailable",
    "pubkey_dns_syntax": "invalid - syntax error in public key record",
    "pubkey_der_syntax": "invalid - syntax error in public key record",
    "bodyhash_mismatch": "verification failed - body hash mismatch (body probably modified in transit)",
    "signature_incorrect": "verification failed - signature did not verify (headers probably modified in transit)",
    "pubkey_too_short": "verification failed - signature invalid (key too short)",
}


class Signature:
    """One DKIM-Signature: line. Names are those of the variables without ``dkim_``.

    Whether it is good is asked when somebody first wants to know ``status``, ``reason`` or ``key``.
    """

    def __init__(self, tags: dict[str, str]) -> None:
        def get(name: str) -> str:
            return Tainted(tags.get(name, ""))

        self.domain, self.selector = get("d"), get("s")
        self.identity = Tainted(_unquoted(tags.get("i", "")))
        self.algo = tags.get("a", "")
        head, slash, body = tags.get("c", "").partition("/")
        known = head in ("simple", "relaxed") and (not slash or body in ("simple", "relaxed"))
        self.canon_headers = head if known else "simple"
        self.canon_body = body if known and slash else "simple"
        self.copiedheaders = Tainted(_unquoted(tags.get("z", "")))
        self.bodylength = str(_number(tags["l"])) if "l" in tags else NO_LIMIT
        self.created = str(_number(tags["t"])) if "t" in tags else "0"
        self.expires = str(_number(tags["x"])) if "x" in tags else NO_LIMIT
        self.headernames = get("h")
        packed = re.sub(r"[^A-Za-z0-9+/]", "", tags.get("b", ""))
        self.bits = len(packed) * 6 // 8 * 8
        #: the ACL said something else
        self.overridden = False
        #: whom to ask; None: nobody, it is not verified
        self.ctx: Context | None = None
        self.verdict: tuple[str, str, dict[str, Any]] | None = None

    def _judged(self) -> tuple[str, str, dict[str, Any]]:
        if self.verdict is None:
            self.verdict = ("none", "", dict(KEY)) if self.ctx is None else _judge(self.ctx, self)
        return self.verdict

    @property
    def status(self) -> str:
        """none, invalid, fail or pass."""
        return self._judged()[0]

    @property
    def reason(self) -> str:
        """Why it is invalid or fails."""
        return self._judged()[1]

    @property
    def key(self) -> dict[str, Any]:
        """The variables about its key."""
        return self._judged()[2]

    def show(self, ctx: Context) -> None:
        """Set the variables of a signature."""
        message = ctx.message
        for name in ("algo", "canon_body", "canon_headers", "copiedheaders", "bodylength", "created", "expires",
                     "headernames", "identity", "domain", "selector"):  # fmt: skip
            setattr(message, f"dkim_{name}", getattr(self, name))
        for name, value in self.key.items():
            setattr(message, f"dkim_{name}", value)
        message.dkim_verify_status, message.dkim_verify_reason = self.status, self.reason


def _number(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else 0


def _unquoted(text: str) -> str:
    """A value in DKIM's own quoted-printable."""
    return _HEX.sub(lambda found: chr(int(found[1], 16)), text)


def parse(line: str) -> Signature | None:
    """Read a DKIM-Signature: line; None where its algorithm is not known. RFC 6376."""
    tags: dict[str, str] = {}
    for part in line.partition(":")[2].translate(_SPACES).split(";"):
        name, equals, value = part.partition("=")
        if equals and name:
            tags[name] = value
    return Signature(tags) if tags.get("a") in ALGORITHMS else None


def verify_signatures(ctx: Context) -> list[Signature]:
    """Find the message's signatures that are verified, in the order of that; once for a message.

    Sets ``$dkim_signers``.
    """
    effects = state_of(ctx).message
    if effects.signatures is None:
        effects.signatures = [] if effects.dkim_disable_verify else _verified(ctx)
        names = ""
        for signature in effects.signatures:
            for name in (signature.domain, signature.identity):
                if name and name not in names.split(":"):
                    names = append_to_list(names, ":", name)
        ctx.message.dkim_signers = Tainted(names)
        ctx.message.dkim_signatures = effects.signatures
    found: list[Signature] = effects.signatures
    return found


def _verified(ctx: Context) -> list[Signature]:
    message, options = ctx.message, ctx.env.options
    if _has_long_line(message.body, state_of(ctx).message.longest_line):
        log_write(ctx, "DKIM: validation error: LONG_LINE")
        log_write(ctx, "DKIM: Error during validation, disabling signature verification: LONG_LINE")
        state_of(ctx).message.dkim_disable_verify = True
        return []
    found = []
    for header in message.headers or ():
        if not header.deleted and header.text[:15].lower() == "dkim-signature:":
            signature = parse(header.text)
            if signature is not None:
                found.append(signature)
    keys = split_list(str(options.get("dkim_verify_keytypes") or "ed25519:rsa"))
    hashes = split_list(str(options.get("dkim_verify_hashes") or "sha256:sha512"))
    order = {(key, hash_): (n, m) for n, key in enumerate(keys) for m, hash_ in enumerate(hashes)}
    found = [signature for signature in found if ALGORITHMS[signature.algo] in order]
    found.sort(key=lambda signature: order[ALGORITHMS[signature.algo]])
    for signature in found:
        signature.ctx = ctx
        if options.get("dkim_verify_minimal") and signature.status == "pass":
            break
    return found


def _has_long_line(body: bytes, longest: int) -> bool:
    if longest + 2 >= LONGEST_LINE:
        return True
    if len(body) < LONGEST_LINE - 2:
        return False
    return max(map(len, body.split(b"\n"))) + 2 >= LONGEST_LINE


def _judge(ctx: Context, signature: Signature) -> tuple[str, str, dict[str, Any]]:
    """Ask whether a signature is good: the answer is a status, or a mapping with reason and the key's facts."""
    answer = ctx.env.doors.verdicts.ask("dkim", signature.domain, signature.selector)
    said: dict[str, Any] = {"status": answer} if isinstance(answer, str) else answer
    unknown = set(said) - {"status", "reason", *KEY} if isinstance(said, dict) else {"it"}
    if unknown or said.get("status") not in STATUSES:
        raise Unanswered(
            "dkim",
            f"whether the signature of {signature.domain} is good, in a form that is known",
            f"verdicts:\n  dkim:\n    - ask: [{signature.domain}, {signature.selector}]\n"
            "      answer: {status: pass, key_length: 2048}   # or none, invalid, fail; reason: bodyhash_mismatch…\n",
        )
    key: dict[str, Any] = {}
    for name, otherwise in KEY.items():
        value = said.get(name, otherwise)
        if not isinstance(otherwise, int):
            value = Tainted(str(int(value) if isinstance(value, bool) else value))
        key[name] = value
    return said["status"], str(said.get("reason", "")), key


def passing_domain(ctx: Context) -> str:
    """Give the domain of the first signature that is known to be good, for the line about the message's arrival.

    Only what was asked already counts: the DKIM ACL asks, and so does the log selector dkim_verbose.
    """
    for signature in state_of(ctx).message.signatures or ():
        if signature.verdict is not None and signature.verdict[0] == "pass" and not signature.overridden:
            return str(signature.domain)
    return ""


def run_dkim_acl(ctx: Context, text: str | None) -> AclResult:
    """Find the message's signatures, and run acl_smtp_dkim (``text``; None or empty: not set) for each signer.

    To be called whenever a message was received by SMTP, before the MIME ACL: ``$dkim_signers`` and
    ``${authresults`` need it even without an ACL. Nobody is asked whether a signature is good as long as nothing
    depends on it. Gives the first result that is not accept, else accept. Raises Unanswered and Refused.
    Manual 44.7, 58.3.
    """
    message, effects = ctx.message, state_of(ctx).message
    signatures = verify_signatures(ctx)
    if effects.dkim_disable_verify:
        return AclResult(OK, None, None)
    option = ctx.env.options.get("dkim_verify_signers")
    option = "$dkim_signers" if option is None else str(option)
    if not text or not option:
        for signature in signatures:
            _log(ctx, signature)
        return AclResult(OK, None, None)
    try:
        wanted = expand(option, ctx)
    except Failure as failure:
        log_write(ctx, f"expansion of dkim_verify_signers option failed: {failure.message}", "main panic")
        wanted = ""
    result = AclResult(OK, None, None)
    results: list[str] = []
    seen: set[str] = set()
    for signer in split_list(wanted):
        if not signer or signer in seen:
            continue
        seen.add(signer)
        result = _run(ctx, text, signer, signatures, results)
        if result.outcome != OK:
            break
    message.dkim_verify_status = ":".join(results)
    return result


def _run(ctx: Context, text: str, signer: str, signatures: list[Signature], results: list[str]) -> AclResult:
    """Run the ACL for one signer: for each signature of it, or once where there is none."""
    message = ctx.message
    message.dkim_cur_signer = signer
    attribute = "identity" if "@" in signer else "domain"
    mine = [one for one in signatures if getattr(one, attribute).lower() == signer.lower()]
    for signature in mine:
        signature.show(ctx)
        result = run_hook(ctx, "dkim", text)
        changed = (message.dkim_verify_status, message.dkim_verify_reason) != (
            signature.status,
            signature.reason,
        )
        signature.overridden = signature.overridden or changed
        _log(ctx, signature)
        results.append(message.dkim_verify_status)
        if result.outcome != OK:
            return result
    if mine:
        return result
    # the domain and the selector of the signature before stay
    domain, selector = message.dkim_domain, message.dkim_selector
    Signature({}).show(ctx)
    message.dkim_algo = message.dkim_canon_body = message.dkim_canon_headers = ""
    message.dkim_domain, message.dkim_selector = domain, selector
    message.dkim_verify_status, message.dkim_verify_reason = "none", ""
    result = run_hook(ctx, "dkim", text)
    results.append(message.dkim_verify_status)
    return result


def _log(ctx: Context, signature: Signature) -> None:
    from eximious.interpreter.variables.clock import log_selected

    if not log_selected(ctx.env, "dkim_verbose"):
        return
    more = ""
    for name, value, unset in (
        ("i", signature.identity, ""),
        ("t", signature.created, "0"),
        ("x", signature.expires, NO_LIMIT),
        ("l", signature.bodylength, NO_LIMIT),
    ):
        if value != unset:
            more += f" {name}={value}"
    if signature.status == "pass":
        said = "verification succeeded"
    elif signature.status == "none":
        said = "not verified"
    else:
        start = (
            "invalid - unspecified problem"
            if signature.status == "invalid"
            else "verification failed - unspecified reason"
        )
        said = _REASONS.get(signature.reason, start)
    log_write(
        ctx,
        f"DKIM: d={signature.domain or '<UNSET>'} s={signature.selector or '<UNSET>'}"
        f" c={signature.canon_headers}/{signature.canon_body} a={signature.algo} b={signature.bits}{more} [{said}]",
    )

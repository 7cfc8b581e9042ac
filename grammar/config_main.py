"""What Exim checks and works out when it has read the main section (manual 6.8, 14).

In Exim's order. Each check raises :class:`MainProblem` or nothing; the caller reports and goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_drivers import DriverProblem, check_regex
from eximious.grammar.config_errors import LOG, PLAIN
from eximious.grammar.config_values import ValueProblem, expanded, scan_integer
from eximious.grammar.listspans import SPACE, split_spans
from eximious.grammar.patterns import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eximious.grammar.config_model import Configuration, Outside

LOCALHOST_MAX = 16  #: highest localhost_number
DH_BITS_MIN = 1024
FACILITIES = frozenset(("mail", "user", "news", "uucp", "daemon", *(f"local{n}" for n in range(8))))

_RATELIMIT = (
    rf"[{SPACE}]*[+-]?[0-9]+,[{SPACE}]*([0-9smhdw.]{{1,15}}),[{SPACE}]*"
    rf"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?),[{SPACE}]*([^{SPACE}]{{1,15}})"
)
_FRACTIONAL_TIME = r"(?:[0-9]+[wdhm]|[0-9]+(?:\.[0-9]*)?s)+"  # only seconds have fractions
_NUMBER = r"[+-]?(?:0[xX][0-9A-Fa-f]+|[0-9]+)"
_SELECTOR = "[A-Za-z0-9_]*"


class MainProblem(Exception):
    """A check that failed: Exim's words, their form, and the option it is about."""

    def __init__(self, code: str, message: str, option: str, form: str = PLAIN) -> None:
        super().__init__(message)
        self.code, self.message, self.option, self.form = code, message, option, form


def main_checks(configuration: Configuration) -> Iterator[Callable[[Configuration, Outside], None]]:
    """Give the checks that concern this configuration, in Exim's order."""
    values = configuration.settings.values
    for options, check in _CHECKS:
        if any(option in values for option in options):
            yield check


def _local_from(configuration: Configuration, outside: Outside) -> None:
    if configuration.option("local_from_check") and configuration.option("local_sender_retain"):
        message = "both local_from_check and local_sender_retain are set; this combination is not allowed"
        raise MainProblem("local-from", message, "local_sender_retain", LOG)


def _spool_directory(configuration: Configuration, outside: Outside) -> None:
    text = configuration.option("spool_directory")
    if not text:
        raise MainProblem(
            "spool-directory", "spool_directory undefined: cannot proceed", "spool_directory", LOG
        )
    _expand(configuration, outside, "spool_directory", text)


def _expand(configuration: Configuration, outside: Outside, name: str, text: str) -> str:
    """Expand an option's value as Exim does now; its new value is kept."""
    if "$" in text or "\\" in text:
        try:
            text = expanded(outside.expand, text, f'failed to expand {name} "{text}": %s', False)
        except ValueProblem as problem:
            raise MainProblem("expansion", problem.message, name, LOG) from None
    configuration.computed[name] = text
    return text


def _log_file_path(configuration: Configuration, outside: Outside) -> None:
    text = _expand(configuration, outside, "log_file_path", configuration.option("log_file_path"))
    for item, _, _ in split_spans(text):
        if item in ("", "syslog"):
            continue
        name, found, rest = item.partition("%s")
        if not found:
            message = f'log_file_path "{item}" does not contain "%s"'
            raise MainProblem("log-file-path", message, "log_file_path", LOG)
        _, percent, after = f"{name}X{rest}".partition("%")
        if percent and (after[:1] not in ("D", "M") or "%" in after[1:]):
            message = f'log_file_path "{text}" contains unexpected "%" character'
            raise MainProblem("log-file-path", message, "log_file_path", LOG)


def _syslog_facility(configuration: Configuration, outside: Outside) -> None:
    text = configuration.option("syslog_facility")
    if text.lower().removeprefix("log_") not in FACILITIES:
        message = f'failed to interpret syslog_facility "{text}"'
        raise MainProblem("syslog-facility", message, "syslog_facility")


def _pid_file_path(configuration: Configuration, outside: Outside) -> None:
    text = configuration.option("pid_file_path")
    if text:
        _expand(configuration, outside, "pid_file_path", text)


def _uucp_from(configuration: Configuration, outside: Outside) -> None:
    try:
        check_regex(configuration, configuration.option("uucp_from_pattern"))
    except DriverProblem as problem:
        raise MainProblem(problem.code, problem.message, "uucp_from_pattern", LOG) from None


def _ratelimit(name: str) -> Callable[[Configuration, Outside], None]:
    def check(configuration: Configuration, outside: Outside) -> None:
        text = configuration.option(name)
        match = compiled(_RATELIMIT).match(text)
        if not match or not all(compiled(_FRACTIONAL_TIME).fullmatch(match[group]) for group in (1, 3)):
            raise MainProblem("ratelimit", f"malformed ratelimit data: {text}", name, LOG)

    return check


def _system_filter_group(configuration: Configuration, outside: Outside) -> None:
    """A filter's user brings its group along."""
    values = configuration.settings.values
    uid = values.get("system_filter_user")
    if isinstance(uid, int) and values.get("system_filter_group") is None:
        gid = outside.users.primary_group(uid)
        if gid is None:
            raise MainProblem("no-user", f"Failed to look up uid {uid}", "system_filter_user", LOG)
        values["system_filter_group"] = gid


def _errors_reply_to(configuration: Configuration, outside: Outside) -> None:
    text = configuration.option("errors_reply_to")
    if outside.parse_address is None:
        return
    address, complaint = outside.parse_address(text)
    if address is None:
        raise MainProblem(
            "errors-reply-to", f"error in errors_reply_to ({text}): {complaint}", "errors_reply_to"
        )
    if "@" not in address:
        message = f"errors_reply_to ({text}) does not contain a domain"
        raise MainProblem("errors-reply-to", message, "errors_reply_to")


def _accept_max(configuration: Configuration, outside: Outside) -> None:
    if configuration.option("smtp_accept_max") == 0 and (
        configuration.option("smtp_accept_queue") > 0
        or configuration.option("smtp_accept_max_per_host") is not None
    ):
        message = "smtp_accept_max must be set if smtp_accept_queue or smtp_accept_max_per_host is set"
        raise MainProblem("smtp-accept-max", message, "smtp_accept_max")


def _localhost_number(configuration: Configuration, outside: Outside) -> None:
    text = configuration.option("localhost_number")
    number = _expand(configuration, outside, "localhost_number", text)
    configuration.computed.pop("localhost_number")
    found = scan_integer(number.lstrip(SPACE))
    if number.lstrip(SPACE)[found[1] if found else 0 :].strip(SPACE):
        message = f"localhost_number value is not a number: {number}"
        raise MainProblem("localhost-number", message, "localhost_number")
    if found and found[0] > LOCALHOST_MAX:
        message = f"localhost_number is greater than the maximum allowed value ({LOCALHOST_MAX})"
        raise MainProblem("localhost-number", message, "localhost_number")


def _tls_verify(configuration: Configuration, outside: Outside) -> None:
    if configuration.option("tls_verify_certificates") is None:
        for word in ("", "try_"):
            if configuration.option(f"tls_{word}verify_hosts") is not None:
                message = f"tls_{word}verify_hosts is set, but tls_verify_certificates is not set"
                raise MainProblem("tls-verify", message, f"tls_{word}verify_hosts")


def _dh_bits(configuration: Configuration, outside: Outside) -> None:
    if configuration.option("tls_dh_max_bits") < DH_BITS_MIN:
        message = "tls_dh_max_bits is too small, must be at least 1024 for interop"
        raise MainProblem("tls-dh-bits", message, "tls_dh_max_bits")


def _openssl(configuration: Configuration, outside: Outside) -> None:
    if configuration.catalogue.build.defined("USE_GNUTLS"):
        message = "openssl_options is set but we're using GnuTLS"
        raise MainProblem("openssl-options", message, "openssl_options")


def _log_selector(configuration: Configuration, outside: Outside) -> None:
    text = configuration.option("log_selector")
    rest = text.lstrip(SPACE)
    if text[:1] == "=":
        if text[1:] and not compiled(_NUMBER).fullmatch(text[1:].lstrip(SPACE)):
            message = f"malformed numeric log_selector setting: {text}"
            raise MainProblem("log-selector", message, "log_selector")
        return
    while rest:
        if rest[0] not in "+-":
            message = f'malformed log_selector setting: + or - expected but found "{rest}"'
            raise MainProblem("log-selector", message, "log_selector")
        match = compiled(_SELECTOR).match(rest, 1)
        assert match is not None
        name = match.group()
        if name != "all" and configuration.catalogue.log_selector(name) is None:
            message = f"unknown log_selector setting: {rest[0]}{name}"
            raise MainProblem("log-selector", message, "log_selector")
        rest = rest[match.end() :].lstrip(SPACE)


#: (options of which one must be set for the check to matter, check)
_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Configuration, Outside], None]], ...] = (
    (("local_sender_retain",), _local_from),
    (("spool_directory",), _spool_directory),
    (("log_file_path",), _log_file_path),
    (("syslog_facility",), _syslog_facility),
    (("pid_file_path",), _pid_file_path),
    (("uucp_from_pattern",), _uucp_from),
    (("smtp_ratelimit_mail",), _ratelimit("smtp_ratelimit_mail")),
    (("smtp_ratelimit_rcpt",), _ratelimit("smtp_ratelimit_rcpt")),
    (("system_filter_user",), _system_filter_group),
    (("errors_reply_to",), _errors_reply_to),
    (("smtp_accept_max",), _accept_max),
    (("localhost_number",), _localhost_number),
    (("tls_verify_hosts", "tls_try_verify_hosts"), _tls_verify),
    (("tls_dh_max_bits",), _dh_bits),
    (("openssl_options",), _openssl),
    (("log_selector",), _log_selector),
)

"""What reading finds wrong with option lines: names and values (manual 6.9 to 6.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar import config_ast as ast
from eximious.grammar.config_options import bare_name
from eximious.grammar.patterns import compiled
from eximious.lint.registry import explains
from eximious.lint.suggest import closest, looks_like_macro, macro_hint, version_hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.lint.context import Context
    from eximious.lint.engine import Subject

_QUOTED = r'"([^"]*)"'
_TABLES = {ast.ROUTERS: "router", ast.TRANSPORTS: "transport", ast.AUTHENTICATORS: "auth"}
_SECTIONS = {table: section for section, table in _TABLES.items()}


def quoted(finding: Diagnostic, number: int = 0) -> str:
    """Give a text that a message has in double quotes, "" if there is none."""
    found = compiled(_QUOTED).findall(finding.message)
    return found[number] if number < len(found) else ""


@explains("option-unknown")
def option_unknown(finding: Diagnostic, subject: Subject) -> str:
    """An option that does not exist where it stands.

    Exim refuses the whole configuration. The name may be misspelt, belong to another section or driver, or
    to another version or build of Exim; the hint says which.

    Example::

        begin transports
        remote_smtp:
          driver = smtp
          allow_localhost
          hosts_tls_required = *

    The option is called ``hosts_require_tls``.
    """
    name = bare_name(quoted(finding))
    if looks_like_macro(name):
        return macro_hint(name)
    context = subject.context(finding)
    catalogue = subject.language.catalogue
    table = _TABLES.get(context.section, "main")
    here = _names_here(catalogue, table, context)
    close = closest(name, here)
    elsewhere = _elsewhere(name, catalogue, table, context)
    if elsewhere:
        return elsewhere
    if close:
        return f"did you mean {close}?"
    other = _other_version(name, subject, table, context)
    if other:
        return other
    if name.startswith(("domainlist", "hostlist", "addresslist", "localpartlist")):
        return "named lists stand in the main section, before the first begin"
    return "no version of Exim has an option of that name here"


def _names_here(catalogue: Catalogue, table: str, context: Context) -> list[str]:
    if table == "main":
        return list(catalogue.main_options)
    return [*catalogue.options(table, "generic"), *catalogue.options(table, context.driver or "generic")]


def _elsewhere(name: str, catalogue: Catalogue, table: str, context: Context) -> str:
    """Say where else there is an option of that name."""
    places = [
        place
        for place in _places(name, catalogue)
        if place != (table, context.driver) and place != (table, "")
    ]
    if not places:
        return ""
    same = [driver for kind, driver in places if kind == table and driver]
    if same:
        return f"it belongs to the driver {' or '.join(same)}, and this is {context.driver or 'another one'}"
    kind, driver = places[0]
    if kind == "main":
        return "it belongs to the main section, which ends at the first begin"
    what = "authenticators" if kind == "auth" else f"{kind}s"
    return f"it is an option of {what}" + (f" of the driver {driver}" if driver else "")


def _places(name: str, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The tables and drivers that have an option of that name; "" stands for all drivers."""
    if catalogue.option("main", name) is not None:
        yield "main", ""
    for table in _SECTIONS:
        if catalogue.option(table, name, "generic") is not None:
            yield table, ""
        for driver in sorted(catalogue.drivers(table)):
            if catalogue.option(table, name, driver) is not None:
                yield table, driver


def _other_version(name: str, subject: Subject, table: str, context: Context) -> str:
    drivers = ("",) if table == "main" else ("generic", context.driver)

    def has(catalogue: Catalogue) -> bool:
        return any(catalogue.option(table, name, driver) is not None for driver in drivers)

    return version_hint(has, subject.language.catalogue)


@explains("option-repeated")
def option_repeated(finding: Diagnostic, subject: Subject) -> str:
    """An option that is set a second time in the same block.

    Only a few options of routers and transports (``condition``, ``headers_add``, ``headers_remove``, ``set``)
    may be given more than once. ``no_x`` counts as setting ``x``, and an older name of an option as the
    option.

    Example::

        log_selector = +tls_sni
        log_selector = +subject

    Write ``log_selector = +tls_sni +subject``.
    """
    return "put both values into one line, or remove one of the lines"


@explains("option-expected")
def option_expected(finding: Diagnostic, subject: Subject) -> str:
    """A line of the main section or of a driver that begins with no name of an option.

    Often the line before should have ended in a backslash, or a comment lacks its ``#``.

    Example::

        domainlist relay_to_domains = example.com :
          @mx_any

    Write a backslash at the end of the first line.
    """
    return "the line before may lack a backslash at its end"


@explains("option-before-driver")
def option_before_driver(finding: Diagnostic, subject: Subject) -> str:
    """An option of a driver above the line that says which driver it is.

    Options that all routers, transports or authenticators have may stand anywhere; those of one driver
    only after ``driver = …``.

    Example::

        begin transports
        remote_smtp:
          hosts = mail.example.net
          driver = smtp

    Put ``driver = smtp`` first.
    """
    return "put the line driver = ... first"


@explains("missing-equals", "missing-data")
def missing_equals(finding: Diagnostic, subject: Subject) -> str:
    """An option (or named list) that wants a value, and has no equals sign or nothing behind it.

    Only boolean options may stand alone.

    Example::

        message_size_limit 50M

    Write ``message_size_limit = 50M``.
    """
    return "write name = value; only boolean options stand alone"


@explains("missing-quote")
def missing_quote(finding: Diagnostic, subject: Subject) -> str:
    r"""A value that begins with a double quote and does not end with one.

    Inside quotes a double quote is written ``\"`` and a backslash ``\\``.

    Example::

        smtp_banner = "Hello from mail

    Write ``smtp_banner = "Hello from mail"``.
    """
    return r"close the quotes; inside them a quote is written \" and a backslash \\"


@explains("extra-characters")
def extra_characters(finding: Diagnostic, subject: Subject) -> str:
    """Text behind a value (or the name of a driver) that is complete.

    Often a comment: Exim knows comments only on lines of their own.

    Example::

        split_spool_directory = true  # faster

    Put the comment on a line of its own.
    """
    if "integer value" in finding.message:
        return "only K, M or G may follow a number"
    if "string value" in finding.message:
        return r"inside quotes a quote is written \" and a backslash \\"
    return "a comment needs a line of its own; otherwise remove what follows"


@explains("negated-option")
def negated_option(finding: Diagnostic, subject: Subject) -> str:
    """``no_`` or ``not_`` before an option that is not boolean.

    Example::

        no_message_size_limit

    Write ``message_size_limit = 0``.
    """
    return "no_ and not_ are for boolean options only"


@explains("bad-boolean")
def bad_boolean(finding: Diagnostic, subject: Subject) -> str:
    """A value of a boolean option that is none of ``true``, ``yes``, ``false`` and ``no``.

    Example::

        split_spool_directory = on

    Write ``split_spool_directory = true``, or the name alone.
    """
    value = quoted(finding)
    return macro_hint(value) if looks_like_macro(value) else "write true, yes, false or no"


@explains("bad-integer", "overflow")
def bad_integer(finding: Diagnostic, subject: Subject) -> str:
    """A value of a numeric option that is no number, or one that is too large.

    Numbers are decimal, octal (beginning with 0) or hexadecimal (0x…); a letter K, M or G may follow.

    Example::

        smtp_accept_max = many

    Write ``smtp_accept_max = 100``.
    """
    if "octal" in finding.message:
        return _value_macro(finding) or "write an octal number: 0660"
    return _value_macro(finding) or "write a number; K, M or G may follow it"


@explains("bad-fixed")
def bad_fixed(finding: Diagnostic, subject: Subject) -> str:
    """A value that should be a number with up to three digits behind the point.

    Example::

        queue_only_load = high

    Write ``queue_only_load = 8.5``.
    """
    return _value_macro(finding) or "write a number such as 8 or 8.5"


@explains("bad-time", "time-order")
def bad_time(finding: Diagnostic, subject: Subject) -> str:
    """A value that should be a time (or several, in rising order), and is not.

    A time is written in whole weeks, days, hours, minutes and seconds: ``1w2d``, ``1h30m``, ``45s``.

    Example::

        timeout_frozen_after = 7 days

    Write ``timeout_frozen_after = 7d``.
    """
    if finding.code == "time-order":
        return "write the times in rising order"
    return _value_macro(finding) or "a time is written 45s, 30m, 1h30m, 2d or 1w"


def _value_macro(finding: Diagnostic) -> str:
    """The hint for a value that is a macro which is not defined."""
    source = getattr(finding.where, "source", None)
    text = getattr(source, "text", "")
    value = text.partition("=")[2].strip()
    return macro_hint(value) if looks_like_macro(value) else ""


@explains("no-user", "no-group")
def no_user(finding: Diagnostic, subject: Subject) -> str:
    """A user or group that the user database does not have.

    Exim on the machine that has no such user refuses the configuration. It is a note only, because the
    machine where the configuration is checked is often another one than the server.

    Example::

        never_users = root : no-such-user
    """
    return "the machine on which Exim runs must have it (this one has not)"


@explains("expansion")
def expansion(finding: Diagnostic, subject: Subject) -> str:
    """A text that Exim expands while it reads the configuration, and that fails.

    Some options of the main section (``spool_directory``, ``log_file_path``, ``trusted_users``…) are expanded
    at once.

    Example::

        log_file_path = ${lc:/var/log/exim4/%slog
    """
    return "this option is expanded while the configuration is read"


@explains(
    *(
        "errors-reply-to",
        "log-file-path",
        "log-selector",
        "localhost-number",
        "ratelimit",
        "spool-directory",
        "syslog-facility",
        "tls-dh-bits",
    )
)
def main_value(finding: Diagnostic, subject: Subject) -> str:
    """A value of a main option that has a form of its own, and does not have it.

    ``log_file_path`` holds ``%s`` where the name of the log goes, and ``%D`` or ``%M`` for dates;
    ``log_selector`` is a row of names that begin with ``+`` or ``-``; ``smtp_ratelimit_mail`` is
    ``threshold,initial delay,factor,maximum delay``; ``localhost_number`` is a number up to 16;
    ``errors_reply_to`` is an address; ``tls_dh_max_bits`` is at least 1024; ``syslog_facility`` is one of
    mail, user, news, uucp, daemon and local0 to local7.

    Example::

        log_selector = +tls_snI subject

    Write ``log_selector = +tls_sni +subject``.
    """
    if finding.code == "log-selector":
        name = finding.message.rpartition(": ")[2].lstrip("+-").partition('"')[0]
        close = (
            closest(name, subject.language.catalogue.log_selectors) if "unknown" in finding.message else ""
        )
        return f"did you mean {close}?" if close else "write names, each with + or - before it"
    return {
        "errors-reply-to": "write a whole address: postmaster@example.com",
        "log-file-path": "write a path with %s for the name of the log: /var/log/exim4/%slog",
        "localhost-number": "write a number from 0 to 16",
        "ratelimit": "write threshold,first delay,factor,longest delay: 2,0.5s,1.05,4m",
        "spool-directory": "write the path of the folder",
        "syslog-facility": "write mail, user, news, uucp, daemon, or local0 to local7",
        "tls-dh-bits": "write 1024 or more",
    }[finding.code]


@explains("local-from", "openssl-options", "smtp-accept-max", "tls-verify")
def main_together(finding: Diagnostic, subject: Subject) -> str:
    """Main options that do not go together, or of which one needs another.

    Example::

        smtp_accept_max_per_host = 10
        smtp_accept_max = 0

    Set ``smtp_accept_max`` to a number, too.
    """
    return {
        "local-from": "add no_local_from_check",
        "openssl-options": "this build uses GnuTLS: remove the option, or put it between .ifdef and .endif",
        "smtp-accept-max": "give smtp_accept_max a value above 0",
        "tls-verify": "set tls_verify_certificates, too: system, or a path",
    }[finding.code]


@explains("regex")
def regex(finding: Diagnostic, subject: Subject) -> str:
    """A regular expression in an option that Exim compiles while it reads the configuration.

    Example::

        uucp_from_pattern = ^From (

    Close the parenthesis.
    """
    return "the expression is read by PCRE2 as it stands"

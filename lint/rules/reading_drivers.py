"""What reading finds wrong with routers, transports, authenticators, and rewriting and retry rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar import config_ast as ast
from eximious.lint.registry import explains
from eximious.lint.rules.reading_options import quoted
from eximious.lint.suggest import did_you_mean, looks_like_macro, macro_hint, version_hint

if TYPE_CHECKING:
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.lint.engine import Subject

_TABLES = {ast.ROUTERS: "router", ast.TRANSPORTS: "transport", ast.AUTHENTICATORS: "auth"}


@explains("driver-unknown")
def driver_unknown(finding: Diagnostic, subject: Subject) -> str:
    """A driver that does not exist, or that this build has not.

    Example::

        begin routers
        dnslookup:
          driver = dnslookpu

    Write ``driver = dnslookup``.
    """
    name = quoted(finding)
    table = _TABLES.get(subject.context(finding).section, "router")
    catalogue = subject.language.catalogue
    if looks_like_macro(name):
        return macro_hint(name)
    other_version = version_hint(lambda other: name in other.drivers(table), catalogue)
    if other_version:
        return other_version
    for other in _TABLES.values():
        if name in catalogue.drivers(other):
            return f"it is a driver of {'authenticators' if other == 'auth' else other + 's'}"
    return did_you_mean(name, catalogue.drivers(table)) or (
        f"the drivers are {', '.join(sorted(catalogue.drivers(table)))}"
    )


@explains("driver-missing")
def driver_missing(finding: Diagnostic, subject: Subject) -> str:
    """A router, transport or authenticator without ``driver = …``.

    The definition of a macro ends a driver, so one between its name and its options leads to this, too.

    Example::

        begin routers
        local_user:
          check_local_user
          transport = local_delivery

    Write ``driver = accept``.
    """
    return "write driver = ... as its first line"


@explains("driver-repeated")
def driver_repeated(finding: Diagnostic, subject: Subject) -> str:
    """Two routers, transports or authenticators of the same name.

    Example::

        begin routers
        smarthost:
          driver = manualroute
        smarthost:
          driver = dnslookup

    Choose another name for one of them.
    """
    return "choose another name for one of them"


@explains(
    *(
        "router-options",
        "transport-options",
        "authenticator-options",
        "pipe-options",
        "lmtp-command",
        "create-file",
        "smtp-timeout",
        "user-without-group",
        "body-headers",
        "shadow-transport",
    )
)
def driver_together(finding: Diagnostic, subject: Subject) -> str:
    """Options of one driver that do not go together, or that it lacks.

    Exim checks this when it has read the driver, and says what is wrong.

    Example::

        begin routers
        system_aliases:
          driver = redirect
          allow_fail

    A ``redirect`` router needs ``data`` or ``file``.
    """
    message = finding.message
    advice = _TOGETHER.get(finding.code)
    if advice:
        return advice
    if "not both" in message or message.rpartition("\n")[2].lstrip().startswith("only one of"):
        return "remove one of them"
    if "must be" in message or "is required" in message:
        return "add what is missing"
    if "self option" in message:
        return "write freeze, defer, send, pass, fail, or reroute: and a domain"
    if "without the other" in message:
        return "set both, or none"
    return "remove one of them, or give another value"


#: hints by code
_TOGETHER = {
    "body-headers": "remove one of them",
    "create-file": "write anywhere, inhome, belowhome, or an absolute path",
    "lmtp-command": "set one of the two",
    "shadow-transport": "remove it: a shadow transport goes with a local transport",
    "smtp-timeout": "give command_timeout, data_timeout and final_timeout values above 0s",
    "user-without-group": "set group, too",
}


@explains("router-transport")
def router_transport(finding: Diagnostic, subject: Subject) -> str:
    """A router that lacks a transport, or that may not have one.

    ``accept``, ``dnslookup`` and ``ipliteral`` hand mail to a transport, unless they are for verification
    only; ``redirect`` and ``iplookup`` give other addresses.

    Example::

        begin routers
        local_user:
          driver = accept
          check_local_user

    Write ``transport = local_delivery``.
    """
    if "must not" in finding.message:
        return "remove the transport: this router gives other addresses"
    return "write transport = ..., or verify_only"


@explains("router-unknown", "router-order")
def router_unknown(finding: Diagnostic, subject: Subject) -> str:
    """``pass_router`` or ``redirect_router`` that names no router, or one that comes before this one.

    Example::

        begin routers
        first:
          driver = accept
          verify_only
          pass_router = secnd

    Write the name of a router further down.
    """
    if finding.code == "router-order":
        return "name a router that comes further down"
    return did_you_mean(quoted(finding), subject.configuration.routers) or "there is no such router"


@explains("public-name", "public-name-twice")
def public_name(finding: Diagnostic, subject: Subject) -> str:
    """Authenticators that lack the name of their mechanism, or that share one.

    Example::

        begin authenticators
        first:
          driver = plaintext
          public_name = PLAIN
          server_condition = ${if eq{$auth2}{x}}
        second:
          driver = plaintext
          public_name = PLAIN
          server_condition = ${if eq{$auth2}{y}}

    One of them has to go, or to serve as client only.
    """
    return "write public_name = ..." if finding.code == "public-name" else "remove one of them"


@explains("rewrite-replacement", "rewrite-flag", "rewrite-smtp", "rewrite-envelope")
def rewriting(finding: Diagnostic, subject: Subject) -> str:
    """A rewriting rule that is not ``pattern replacement flags``.

    The replacement stands in double quotes if it holds blanks; flags are the letters of manual 31.9.

    Example::

        begin rewrite
        *@old.example  ${lookup{$1}lsearch{/etc/new} {$value}} Ffrs

    Put the replacement in double quotes.
    """
    return {
        "rewrite-replacement": "write: pattern replacement flags",
        "rewrite-flag": "put a replacement with blanks in double quotes",
        "rewrite-smtp": "a rule with the flag S begins with ^",
        "rewrite-envelope": "transports rewrite headers only: the flags b, c, f, h, r, s, t",
    }[finding.code]


@explains(
    *(
        "retry-error-missing",
        "retry-error",
        "retry-senders",
        "retry-letter",
        "retry-comma",
        "retry-semicolon",
        "retry-parameters",
    )
)
def retrying(finding: Diagnostic, subject: Subject) -> str:
    """A retry rule that is not ``pattern error steps``.

    A step is ``F,until,interval`` or ``G,until,interval,factor`` (or ``H``); steps are separated by
    semicolons. The error is ``*`` or one of the names in manual 32.3.

    Example::

        begin retry
        *  *  F,2h,15m G,16h,1h,1.5

    Write a semicolon after ``15m``.
    """
    return {
        "retry-error-missing": "write: pattern error steps, with * for any error",
        "retry-error": "errors are *, quota, refused, timeout and more: see manual 32.3",
        "retry-senders": "write senders=list",
        "retry-letter": "steps begin with F, G or H",
        "retry-comma": "write F,2h,15m or G,16h,1h,1.5",
        "retry-semicolon": "separate steps by semicolons",
        "retry-parameters": "times are above 0 and written as 15m or 2h; a factor is at least 1",
    }[finding.code]

"""What drivers check and work out when Exim has read them (their ``init`` functions).

One function per driver, found by kind and name. They change an instance's values as Exim does, because
``-bP`` and everything later sees the changed ones. A check that fails raises :class:`DriverProblem`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_errors import FOR, LOG, PLAIN
from eximious.grammar.config_values import ValueProblem, expanded
from eximious.grammar.listspans import SPACE
from eximious.grammar.patterns import compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.config_model import Configuration, Instance

#: a NUL-free list of numbers as pipe's temp_errors wants it
_NUMBERS = r"[0-9: \t\n\v\f\r]*"

#: router drivers that need a transport, and those that may not have one
NEEDS_TRANSPORT = frozenset(("accept", "dnslookup", "ipliteral"))
FORBIDS_TRANSPORT = frozenset(("iplookup", "redirect"))
REMOTE_TRANSPORTS = frozenset(("smtp",))

_FROM_LINE = "From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\n"
_QUOTA_WARNING = (
    "To: $local_part@$domain\nSubject: Your mailbox\n\n"
    "This message is automatically created by mail delivery software (Exim).\n\n"
    "The size of your mailbox has exceeded a warning threshold that is\n"
    "set by the system administrator.\n"
)


class DriverProblem(Exception):
    """A check of a driver that failed: Exim's words, and the form in which it says them."""

    def __init__(self, code: str, message: str, form: str = PLAIN, option: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.form, self.option = code, message, form, option


def _about(instance: Instance, message: str, option: str = "") -> DriverProblem:
    """A complaint in the form "configuration error for X router:"."""
    text = f"{instance.name} {instance.kind}:\n  {message}"
    return DriverProblem(f"{instance.kind}-options", text, FOR, option)


# -- routers -------------------------------------------------------------------------------------------


def iplookup(router: Instance) -> None:
    """A port and hosts are needed; the protocol is tcp or udp; the pattern must compile."""
    if router.settings.values.get("port", -1) < 0:
        raise _about(router, "a port must be specified", "port")
    if router.option("hosts") is None:
        raise _about(router, "a host list must be specified", "hosts")
    protocol = router.settings.values.get("protocol")
    if protocol is not None and protocol not in ("udp", "tcp"):
        raise _about(router, "protocol not specified as udp or tcp", "protocol")
    pattern = router.settings.values.get("response_pattern")
    if pattern is not None:
        check_regex(router.configuration, pattern)


def check_regex(configuration: Configuration, pattern: str) -> None:
    """Check that a pattern compiles, if there is somebody to ask."""
    found = configuration.regex_error(pattern) if configuration.regex_error is not None else None
    if found is not None:
        message = f"regular expression error: {found[0]} at offset {found[1]} while compiling {pattern}"
        raise DriverProblem("regex", message, LOG)


def manualroute(router: Instance) -> None:
    """Two options take one of a few words; exactly one of route_list and route_data is needed."""
    words = ("decline", "defer", "fail", "freeze", "ignore", "pass")
    if router.option("host_find_failed") not in words:
        raise _about(router, "unrecognized setting for host_find_failed option", "host_find_failed")
    if router.option("host_all_ignored") not in words[:4] + words[5:]:
        raise _about(router, "unrecognized setting for host_all_ignored option", "host_all_ignored")
    if (router.option("route_list") is None) == (router.option("route_data") is None):
        raise _about(router, "route_list or route_data (but not both) must be specified", "route_data")


def queryprogram(router: Instance) -> None:
    """A command and a user for it are needed."""
    if router.option("command") is None:
        raise _about(router, "a command specification is required")
    if router.option("command_user") is None:
        raise _about(router, "command_user must be specified")


def redirect(router: Instance) -> None:
    """Exactly one of file and data; what one_time and allow_filter need; defaults of the owner checks."""
    values = router.settings.values
    have_file, have_data = router.option("file") is not None, router.option("data") is not None
    if have_file == have_data:
        raise _about(
            router, f'{"only " if have_file else ""}one of "file" or "data" must be specified', "data"
        )
    if router.option("one_time"):
        values["forbid_pipe"] = values["forbid_file"] = values["forbid_filter_reply"] = True
        if router.option("headers_add") is not None or router.option("headers_remove") is not None:
            message = '"headers_add" and "headers_remove" are not permitted with "one_time"'
            raise _about(router, message, "one_time")
        unseen = router.option("unseen")
        if unseen:
            raise _about(router, '"unseen" may not be used with "one_time"', "unseen")
    if router.option("qualify_domain") is not None and router.option("qualify_preserve_domain"):
        message = 'only one of "qualify_domain" or "qualify_preserve_domain" must be set'
        raise _about(router, message, "qualify_preserve_domain")
    if router.option("allow_filter") and not router.option("check_local_user") and not router.is_set("user"):
        message = '"user" or "check_local_user" must be set with "allow_filter"'
        raise _about(router, message, "allow_filter")
    if not router.is_set("check_owner"):
        values["check_owner"] = bool(router.option("check_local_user") or router.option("owners"))
    if not router.is_set("check_group"):
        local = router.option("check_local_user") and not router.option("modemask") & 0o20
        values["check_group"] = bool(local or router.option("owngroups"))


# -- transports ----------------------------------------------------------------------------------------


def _needs_group(transport: Instance) -> None:
    """A fixed user without a password entry has no group: one must be given."""
    values = transport.settings.values
    if isinstance(values.get("user"), int) and values.get("group") is None:
        raise DriverProblem(
            "user-without-group", f"user set without group for the {transport.name} transport", PLAIN, "user"
        )


def _affixes(transport: Instance, plain: bool) -> None:
    """Set what comes before and after messages, and how lines are escaped, where the options say nothing."""
    values = transport.settings.values
    if transport.option("use_bsmtp"):
        values["check_string"], values["escape_string"] = ".", ".."
    elif plain:
        for name, default in (("message_prefix", _FROM_LINE), ("message_suffix", "\n")):
            if values.get(name) is None:
                values[name] = default
        if transport.driver == "appendfile":
            for name, default in (("check_string", "From "), ("escape_string", ">From ")):
                if values.get(name) is None:
                    values[name] = default


def appendfile(transport: Instance) -> None:
    """File or directory; locking; quotas; where files may be created; affixes."""
    values = transport.settings.values
    option = transport.option
    has_file, has_directory = option("file") is not None, option("directory") is not None
    if has_file and has_directory:
        raise _about(transport, 'only one of "file" or "directory" can be specified', "directory")
    if has_file:
        for name in ("quota_filecount", "quota_directory"):
            if option(name) is not None:
                raise _about(transport, f'{name} must not be set without "directory"', name)
    _locking(transport)
    if has_directory:
        if option("maildir_format") and option("mailstore_format"):
            message = "only one of maildir and mailstore may be specified"
            raise _about(transport, message, "mailstore_format")
        for name in ("quota_filecount", "quota_directory"):
            if option(name) is not None and option("quota") is None:
                raise _about(transport, f"quota must be set if {name} is set", name)
    _needs_group(transport)
    where = option("create_file")
    if where is not None and where not in ("anywhere", "belowhome", "inhome") and where[:1] not in ("/", ""):
        message = f"invalid value given for \"create_file\" for the {transport.name} transport: '{where}'"
        raise DriverProblem("create-file", message, PLAIN, "create_file")
    if option("quota_warn_threshold") is not None and option("quota_warn_message") is None:
        values["quota_warn_message"] = _QUOTA_WARNING
    mailbox = not has_directory and not option("maildir_format") and not option("mailstore_format")
    _affixes(transport, mailbox)


def _locking(transport: Instance) -> None:
    """Settle which locks are used."""
    values = transport.settings.values
    option, is_set = transport.option, transport.is_set
    if option("use_flock_lock") and not is_set("use_fcntl_lock"):
        values["use_fcntl_lock"] = False
    if option("mbx_format"):
        names = ("use_lockfile", "use_fcntl_lock", "use_flock_lock")
        if not any(is_set(name) for name in (*names, "use_mbx_lock")):
            values["use_lockfile"] = values["use_flock_lock"] = False
            values["use_mbx_lock"] = values["use_fcntl_lock"] = True
        elif option("use_mbx_lock"):
            for name in names:
                if not is_set(name):
                    values[name] = False
            if not option("use_fcntl_lock") and not option("use_flock_lock"):
                values["use_fcntl_lock"] = True
    if not any(option(name) for name in ("use_fcntl_lock", "use_flock_lock", "use_lockfile", "use_mbx_lock")):
        raise _about(transport, "no locking configured")
    for lock in ("fcntl", "flock"):
        if not option(f"use_{lock}_lock"):
            values[f"lock_{lock}_timeout"] = 0


def autoreply(transport: Instance) -> None:
    """A fixed user needs a group."""
    _needs_group(transport)


def lmtp(transport: Instance) -> None:
    """Exactly one of command and socket."""
    if (transport.option("command") is None) == (transport.option("socket") is None):
        message = f"one (and only one) of command or socket must be set for the {transport.name} transport"
        raise DriverProblem("lmtp-command", message)
    _needs_group(transport)


def pipe(transport: Instance) -> None:
    """Options that exclude each other; temp_errors; affixes."""
    option = transport.option
    name = transport.name

    def clash(message: str, which: str) -> DriverProblem:
        return DriverProblem("pipe-options", f"{message} {name} transport", PLAIN, which)

    if option("pipe_as_creator") and (transport.is_set("user") or transport.is_set("group")):
        raise clash("both pipe_as_creator and an explicit uid/gid are set for the", "pipe_as_creator")
    _needs_group(transport)
    errors = option("temp_errors")
    if errors is not None and errors != "*" and not compiled(_NUMBERS).fullmatch(errors):
        raise clash("temp_errors must be a list of numbers or an asterisk for the", "temp_errors")
    if option("return_output") and option("return_fail_output"):
        raise clash("both return_output and return_fail_output set for", "return_fail_output")
    if option("log_output") and option("log_fail_output"):
        raise clash("both log_output and log_fail_output set for the", "log_fail_output")
    if option("use_shell"):
        if option("restrict_to_path"):
            raise clash("both restrict_to_path and use_shell set for", "use_shell")
        if option("allow_commands") is not None:
            raise clash("both allow_commands and use_shell set for", "use_shell")
    _affixes(transport, True)


def smtp(transport: Instance) -> None:
    """The port follows the protocol; three timeouts may not be zero."""
    values = transport.settings.values
    option = transport.option
    if values.get("port") is None:
        protocol = (option("protocol") or "").lower()
        if transport.configuration.catalogue.version < (4, 99):
            values["port"] = protocol if protocol in ("lmtp", "smtps") else "smtp"
        else:
            values["port"] = {"lmtp": "24", "smtps": "465", "submissions": "465"}.get(protocol, "25")
    if 0 in (option("command_timeout"), option("data_timeout"), option("final_timeout")):
        message = f"command, data, or final timeout value is zero for {transport.name} transport"
        raise DriverProblem("smtp-timeout", message)


# -- authenticators ------------------------------------------------------------------------------------


def _named(authenticator: Instance) -> None:
    """The instance's name serves for a missing public_name."""
    if authenticator.option("public_name") is None:
        authenticator.settings.values["public_name"] = authenticator.name


def _sides(authenticator: Instance, server: bool, client: bool) -> None:
    """Note which sides of the dialogue it can take."""
    authenticator.derived["server"], authenticator.derived["client"] = server, client


def _has(authenticator: Instance, name: str) -> bool:
    return authenticator.option(name) is not None


def plaintext(authenticator: Instance) -> None:
    """A server if it has a condition, a client if it has something to send."""
    _named(authenticator)
    _sides(authenticator, _has(authenticator, "server_condition"), _has(authenticator, "client_send"))


def cram_md5(authenticator: Instance) -> None:
    """Secrets say which sides it takes; the client's name is the primary host name by default."""
    values = authenticator.settings.values
    client = values.get("client_secret") is not None
    _sides(authenticator, _has(authenticator, "server_secret"), client)
    if client and values.get("client_name") is None:
        values["client_name"] = authenticator.configuration.option("primary_hostname")


def spa(authenticator: Instance) -> None:
    """User name and password come together."""
    _named(authenticator)
    user, password = _has(authenticator, "client_username"), _has(authenticator, "client_password")
    if user != password:
        message = "one of client_username and client_password cannot be set without the other"
        raise _about(authenticator, message)
    _sides(authenticator, _has(authenticator, "server_password"), user)


def external(authenticator: Instance) -> None:
    """A server if it has a condition, a client if it has something to send."""
    plaintext(authenticator)


def dovecot(authenticator: Instance) -> None:
    """A server if it has a socket."""
    _named(authenticator)
    _sides(authenticator, _has(authenticator, "server_socket"), False)


def tls(authenticator: Instance) -> None:
    """It has no public name of its own."""
    values = authenticator.settings.values
    values["public_name"] = authenticator.name
    _sides(authenticator, values.get("server_param1") is not None, False)


def gsasl(authenticator: Instance) -> None:
    """The mechanism is the public name by default; the server needs what its mechanism needs."""
    values = authenticator.settings.values
    _named(authenticator)
    if values.get("server_mech") is None:
        values["server_mech"] = authenticator.option("public_name")
    _sides(
        authenticator,
        _has(authenticator, "server_condition") or _has(authenticator, "server_password"),
        _has(authenticator, "client_username") and _has(authenticator, "client_password"),
    )


def cyrus_sasl(authenticator: Instance) -> None:
    """The mechanism is the public name by default. (Which mechanisms the library knows is not asked.)"""
    values = authenticator.settings.values
    _named(authenticator)
    if values.get("server_mech") is None:
        values["server_mech"] = authenticator.option("public_name")
    for name in ("server_hostname", "server_realm"):
        text = authenticator.option(name)
        expand = authenticator.configuration.expand_now
        if text is None or expand is None or ("$" not in text and "\\" not in text):
            continue
        about = f"{authenticator.name} authenticator:  couldn't expand {name} [{text}]: "
        try:
            expanded(expand, text, "%s", False)
        except ValueProblem as problem:
            raise DriverProblem("expansion", about + problem.message, FOR, name) from None
    _sides(authenticator, True, False)


def heimdal_gssapi(authenticator: Instance) -> None:
    """A server by nature."""
    _named(authenticator)
    _sides(authenticator, True, False)


def nothing(instance: Instance) -> None:
    """A driver without checks of its own."""


INIT: dict[str, dict[str, Callable[[Instance], None]]] = {
    "router": {
        "iplookup": iplookup,
        "manualroute": manualroute,
        "queryprogram": queryprogram,
        "redirect": redirect,
    },
    "transport": {
        "appendfile": appendfile,
        "autoreply": autoreply,
        "lmtp": lmtp,
        "pipe": pipe,
        "smtp": smtp,
    },
    "authenticator": {
        "cram_md5": cram_md5,
        "cyrus_sasl": cyrus_sasl,
        "dovecot": dovecot,
        "external": external,
        "gsasl": gsasl,
        "heimdal_gssapi": heimdal_gssapi,
        "plaintext": plaintext,
        "spa": spa,
        "tls": tls,
    },
}


def initialise(instance: Instance) -> None:
    """Run the checks of an instance's driver. Raises DriverProblem."""
    if instance.driver is not None:
        INIT[instance.kind].get(instance.driver, nothing)(instance)


# -- after a whole section -----------------------------------------------------------------------------


def finish_router(router: Instance, configuration: Configuration, number: int) -> None:
    """What Exim checks of a router, the one with that number, once the section is read."""
    values = router.settings.values
    driver = router.driver
    transport = values.get("transport")
    if driver in NEEDS_TRANSPORT and transport is None and not router.option("verify_only"):
        raise _plain(router, "a transport is required for this router")
    if driver in FORBIDS_TRANSPORT and transport is not None:
        raise _plain(router, "a transport must not be defined for this router")
    _self(router)
    if not router.is_set("retry_use_local_part"):
        names = (
            "local_parts",
            "condition",
            "local_part_prefix",
            "local_part_suffix",
            "senders",
            "require_files",
        )
        values["retry_use_local_part"] = bool(router.option("check_local_user")) or any(
            values.get(name) is not None for name in names
        )
    for option in ("pass_router", "redirect_router"):
        name = values.get(option)
        if name is None:
            continue
        if name not in configuration.routers:
            message = f'new_router "{name}" not found for "{router.name}" router'
            raise DriverProblem("router-unknown", message, PLAIN, option)
        if option == "pass_router" and list(configuration.routers).index(name) <= number:
            message = f'new_router "{name}" does not follow "{router.name}" router'
            raise DriverProblem("router-order", message, PLAIN, option)


def _plain(router: Instance, message: str) -> DriverProblem:
    return DriverProblem("router-transport", f"{router.name} router:\n  {message}", PLAIN, "transport")


def _self(router: Instance) -> None:
    """Read the self option; ``reroute:`` leaves the new domain in it."""
    values = router.settings.values
    setting = router.option("self")
    if setting in ("freeze", "defer", "send", "pass", "fail"):
        router.derived["self"] = (setting, False)
    elif setting.startswith("reroute:"):
        rest = setting[8:].lstrip(SPACE)
        rewrite = rest.startswith("rewrite:")
        values["self"] = rest[8:].lstrip(SPACE) if rewrite else rest
        router.derived["self"] = ("reroute", rewrite)
    else:
        raise _about(router, f"{setting} is not valid for the self option", "self")


def finish_transport(transport: Instance) -> None:
    """What Exim checks of a transport once the section is read."""
    values = transport.settings.values
    local = transport.driver not in REMOTE_TRANSPORTS
    if not local and values.get("shadow_transport") is not None:
        message = f"shadow transport not allowed on non-local transport {transport.name}"
        raise DriverProblem("shadow-transport", message, PLAIN, "shadow_transport")
    if transport.option("body_only") and transport.option("headers_only"):
        message = f"{transport.name} transport: body_only and headers_only are mutually exclusive"
        raise DriverProblem("body-headers", message, PLAIN, "headers_only")
    if not transport.is_set("retry_use_local_part"):
        values["retry_use_local_part"] = local


def finish_authenticator(authenticator: Instance, others: list[Instance]) -> None:
    """What Exim checks of an authenticator once the section is read; ``others``: those after it."""
    name = authenticator.option("public_name")
    if name is None:
        message = f"no public name specified for the {authenticator.name} authenticator"
        raise DriverProblem("public-name", message)
    for other in others:
        public: Any = other.option("public_name")
        if public is None or public.lower() != name.lower():
            continue
        for side in ("client", "server"):
            if authenticator.derived.get(side) and other.derived.get(side):
                message = (
                    f"two {side} authenticators ({authenticator.name} and {other.name}) "
                    f"have the same public name ({name})"
                )
                raise DriverProblem("public-name-twice", message)

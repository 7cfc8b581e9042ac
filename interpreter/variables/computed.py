"""Variables that are computed when they are used, each by the function of its name (manual 11.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Environment

#: the accounts that Exim runs under where the configuration names none: Debian's, then the usual one
USUAL_USERS = ("Debian-exim", "exim")


# ---- the context's own


def item(ctx: Context) -> str:
    """``$item``: empty outside of an iteration."""
    return ctx.item or ""


def value(ctx: Context) -> str:
    """``$value``: empty if nothing left one."""
    return ctx.value or ""


# ---- configuration and build


def option_text(env: Environment, name: str) -> str | None:
    """A main option whose text is expanded when the configuration has been read; None: unset."""
    text = env.options.get(name)
    if text is None:
        return None
    text = str(text)
    if "$" in text or "\\" in text:
        key = f"option {name}"
        if key not in env.kept:
            from eximious.interpreter.context import Context
            from eximious.interpreter.engine import expand
            from eximious.interpreter.state import Address, Message, Session

            env.kept[key] = expand(text, Context(env, Session(), Message(), Address()))
        text = str(env.kept[key])
    return text


def config_dir(ctx: Context) -> str:
    """The folder of the configuration file; "." for a name without a slash."""
    head, slash, _ = ctx.env.config_file.rpartition("/")
    return head if slash else "."


def version_number(ctx: Context) -> str:
    """The version, or what the option exim_version says (4.93)."""
    named: str | None = ctx.env.options.get("exim_version")
    return ctx.env.version_text if named is None else named


def primary_hostname(ctx: Context) -> str:
    """The option, or the machine's own name."""
    name: str | None = ctx.env.primary_hostname or ctx.env.options.get("primary_hostname")
    if name is None:
        name = ctx.env.doors.machine.hostname()
    return name


def qualify_domain(ctx: Context) -> str:
    """The option, or the primary host name."""
    found: str | None = ctx.env.options.get("qualify_domain")
    return found if found is not None else primary_hostname(ctx)


def qualify_recipient(ctx: Context) -> str:
    """The option, or what qualify_domain gives."""
    found: str | None = ctx.env.options.get("qualify_recipient")
    return found if found is not None else qualify_domain(ctx)


def smtp_active_hostname(ctx: Context) -> str:
    """The expanded option while a session runs, else the primary host name."""
    name = ctx.session.smtp_active_hostname
    return name if name is not None else primary_hostname(ctx)


def spool_directory(ctx: Context) -> str:
    """The option, expanded."""
    found = option_text(ctx.env, "spool_directory")
    return found if found is not None else "/var/spool/exim4"


def localhost_number(ctx: Context) -> str:
    """The option, expanded; 0 where it is unset."""
    return option_text(ctx.env, "localhost_number") or "0"


# ---- the process and the machine


def caller_uid(ctx: Context) -> str:
    """The real user id of the caller."""
    return str(caller(ctx.env)[0])


def caller_gid(ctx: Context) -> str:
    """The real group id of the caller."""
    return str(caller(ctx.env)[1])


def caller(env: Environment) -> tuple[int, int]:
    """The ids of whoever called: those of the environment, else the process's own."""
    if env.caller_uid is not None and env.caller_gid is not None:
        return env.caller_uid, env.caller_gid
    uid, gid = env.doors.machine.caller()
    return (
        uid if env.caller_uid is None else env.caller_uid,
        gid if env.caller_gid is None else env.caller_gid,
    )


def exim_uid(ctx: Context) -> str:
    """The user Exim runs as: the option exim_user, else an account of the usual name."""
    return str(_exim_ids(ctx.env)[0])


def exim_gid(ctx: Context) -> str:
    """The group Exim runs as: the option exim_group, else that of the user."""
    return str(_exim_ids(ctx.env)[1])


def _exim_ids(env: Environment) -> tuple[int, int]:
    kept: tuple[int, int] | None = env.kept.get("exim ids")
    if kept is not None:
        return kept
    uid, gid = env.exim_uid, env.exim_gid
    users = env.doors.users
    user, group = env.options.get("exim_user"), env.options.get("exim_group")
    # the option's default is a name of the build's, which need not be this machine's
    names = [str(user), *USUAL_USERS] if user is not None else [*USUAL_USERS]
    account = None if uid is not None else next(filter(None, map(users.getpwnam, names)), None)
    if uid is None:
        uid = int(str(user)) if str(user).isdecimal() else account.pw_uid if account is not None else None
    if gid is None and str(group).isdecimal():
        gid = int(str(group))
    if gid is None and group is not None:
        found = users.getgrnam(str(group))
        gid = found.gr_gid if found is not None else None
    if gid is None and account is not None:
        gid = account.pw_gid
    nobody = caller(env)
    kept = env.kept["exim ids"] = nobody[0] if uid is None else uid, nobody[1] if gid is None else gid
    return kept


def initial_cwd(ctx: Context) -> str:
    """The folder in which the process began."""
    env = ctx.env
    if not env.initial_cwd:
        env.initial_cwd = env.doors.machine.cwd()
    return env.initial_cwd


def pid(ctx: Context) -> str:
    """The process id."""
    return str(ctx.env.doors.machine.pid())


def load_average(ctx: Context) -> str:
    """The load average of the last minute, times 1000."""
    load = ctx.env.doors.machine.load_average()
    return str(int(load * 1000) if load >= 0 else -1)


def spool_space(ctx: Context) -> str:
    """Free kilobytes where the spool is; -1: unknown."""
    return _disk(ctx, spool_directory(ctx))[0]


def spool_inodes(ctx: Context) -> str:
    """Free inodes where the spool is; -1: unknown."""
    return _disk(ctx, spool_directory(ctx))[1]


def log_space(ctx: Context) -> str:
    """Free kilobytes where the log files are; -1: unknown, or nothing but syslog."""
    return _disk(ctx, log_directory(ctx))[0]


def log_inodes(ctx: Context) -> str:
    """Free inodes where the log files are; -1: unknown, or nothing but syslog."""
    return _disk(ctx, log_directory(ctx))[1]


def log_directory(ctx: Context) -> str:
    """The folder of the log files; empty if there are none."""
    from eximious.interpreter.listsplit import split_list

    usual = spool_directory(ctx) + "/log/%slog"
    text = option_text(ctx.env, "log_file_path")
    paths = [path for path in split_list(text) if path != "syslog"] if text else [""]
    return (paths[0] or usual).rpartition("/")[0] if paths else ""


def _disk(ctx: Context, folder: str) -> tuple[str, str]:
    free = ctx.env.doors.machine.disk(folder) if folder else None
    return (str(free[0]), str(free[1])) if free is not None else ("-1", "-1")


def queue_size(ctx: Context) -> str:
    """Messages waiting: a daemon knows, and none is running here, unless a value was set."""
    return str(ctx.env.kept.get("queue_size", ""))


def regex_cachesize(ctx: Context) -> str:
    """Compiled patterns kept (4.97): Exim counts its own, which say nothing about ours."""
    return str(ctx.env.kept.get("regex_cachesize", 0))


# ---- the session


def smtp_command_history(ctx: Context) -> str:
    """The last commands, oldest first, separated by commas; Exim remembers 20."""
    return ",".join(ctx.session.smtp_command_history[-20:])


def sender_host_name(ctx: Context) -> str:
    """The client's name, looked up on first use unless that failed before (after a defer it is again)."""
    session = ctx.session
    if session.sender_host_name is None:
        if not session.sender_host_address or session.host_lookup_failed:
            return ""
        from eximious.interpreter.fullhost import build_sender_fullhost
        from eximious.interpreter.hosts import look_up_name

        if look_up_name(ctx):
            build_sender_fullhost(ctx)
    return session.sender_host_name or ""


def headers_added(ctx: Context) -> str:
    """What add_header has added so far."""
    lines = ctx.message.added_headers
    return follow("\n".join(lines), *lines)


# ---- the message


def sender_address_local_part(ctx: Context) -> str:
    """What is before the last @ of the sender's address."""
    address = ctx.message.sender_address
    return follow(address.rpartition("@")[0] if "@" in address else str(address), address)


def sender_address_domain(ctx: Context) -> str:
    """What is behind the last @ of the sender's address."""
    address = ctx.message.sender_address
    return follow(address.rpartition("@")[2] if "@" in address else "", address)


def recipients(ctx: Context) -> str:
    """The envelope's recipients, separated by a comma and a space; unknown where Exim hides them."""
    found = _recipients(ctx)
    return follow(", ".join(found), *found)


def recipients_list(ctx: Context) -> str:
    """The envelope's recipients as a list (4.97)."""
    from eximious.interpreter.listsplit import join_list

    found = _recipients(ctx)
    return follow(join_list(":", found), *found)


def _recipients(ctx: Context) -> list[str]:
    return ctx.message.recipients if ctx.message.enable_dollar_recipients else []


def recipients_count(ctx: Context) -> str:
    """How many recipients the envelope has."""
    count = ctx.message.recipients_count
    return str(len(ctx.message.recipients) if count is None else count)


def message_body(ctx: Context) -> str:
    """The beginning of the body, up to message_body_visible bytes."""
    message = ctx.message
    if message.message_body is not None:
        return message.message_body
    return visible(message.body[: visible_limit(ctx.env)], ctx.env)


def message_body_end(ctx: Context) -> str:
    """The end of the body, up to message_body_visible bytes."""
    message = ctx.message
    if message.message_body_end is not None:
        return message.message_body_end
    limit = visible_limit(ctx.env)
    return visible(message.body[-limit:] if limit else b"", ctx.env)


def visible_limit(env: Environment) -> int:
    """The option message_body_visible."""
    limit = env.options.get("message_body_visible")
    return 500 if limit is None else max(0, int(limit))


def visible(data: bytes, env: Environment) -> str:
    """Part of a body as the variables show it: NULs as spaces, newlines too unless they are to stay."""
    text = data.decode("latin-1").replace("\0", " ")
    if not env.options.get("message_body_newlines"):
        text = text.replace("\n", " ")
    return Tainted(text) if text else ""


def message_headers(ctx: Context) -> str:
    """All header lines, decoded as ``$bh_`` decodes."""
    from eximious.interpreter.headers import all_headers

    return all_headers(ctx, raw=False)


def message_headers_raw(ctx: Context) -> str:
    """All header lines as they are."""
    from eximious.interpreter.headers import all_headers

    return all_headers(ctx, raw=True)


def reply_address(ctx: Context) -> str:
    """The Reply-To: line, or From: where that is missing or empty, on one line and not decoded."""
    from eximious.interpreter.headers import SPACE, header_value

    for name in ("reply-to", "from"):
        found = header_value(ctx, "r", name)
        text = found.strip(SPACE) if found else ""
        if found and text:
            return follow(text.replace("\n", " "), found)
    return ""

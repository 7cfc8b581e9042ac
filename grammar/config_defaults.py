"""Defaults of options as typed values, and what a build fixes (paths, users).

The tables give defaults as people write them; here they are read like values of a configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_values import (
    parse_time,
    read_fixed,
    read_integer,
    read_time_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from eximious.grammar.build import Build
    from eximious.grammar.catalogue import Option

#: what people who build Exim choose
DEBIAN = {
    "exim_group": "Debian-exim",
    "exim_path": "/usr/sbin/exim4",
    "exim_user": "Debian-exim",
    "headers_charset": "UTF-8",
    "log_file_path": "/var/log/exim4/%slog",
    "pid_file_path": "/run/exim4/exim.pid",
    "spool_directory": "/var/spool/exim4",
}
GENERIC = {
    "exim_group": "exim",
    "exim_path": "/usr/exim/bin/exim",
    "exim_user": "exim",
    "log_file_path": "/var/spool/exim/log/%slog",
    "spool_directory": "/var/spool/exim",
}


def site_values(build: Build) -> Mapping[str, str]:
    """Give what this build fixes for main options. ``-bV`` does not show them; Debian's are known."""
    path = build.lines.get("Configuration file search path", "")
    return DEBIAN if path.startswith("/etc/exim4/") else GENERIC


def default_value(option: Option) -> Any:
    """Give the typed default of an option, None if it is unset or not fixed."""
    default = option.default
    kind = option.type
    if default is None:
        return () if kind in ("uidlist", "gidlist", "time_list") else None
    if isinstance(default, str) and kind != "string":
        if kind in ("int", "mkint"):
            return read_integer(default, option.name)
        if kind == "kint":
            return read_integer(default, option.name, True)
        if kind == "octal":
            return read_integer(default, option.name, octal=True)
        if kind == "fixed":
            return read_fixed(default, option.name)
        if kind in ("time", "func"):
            return parse_time(default)
        if kind == "time_list":
            return read_time_list(default, option.name)
    return default if kind != "string" or isinstance(default, str) else str(default)

"""``exim -bP``: the values of options, named lists, drivers and macros, in Exim's words (manual 5.2).

It only shows a configuration that was read; how the arguments come in and where the text goes is the
caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.build import EVERYTHING, FULL, Build
from eximious.grammar.catalogue import Catalogue
from eximious.grammar.config_options import BOOLEANS
from eximious.grammar.configuration import SystemUsers
from eximious.grammar.listspans import split_spans
from eximious.grammar.patterns import compiled
from eximious.grammar.printed import HIDDEN, print_config

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping
    from typing import Any

    from eximious.grammar.catalogue import Option
    from eximious.grammar.config_model import Configuration, Instance
    from eximious.grammar.config_values import Users

#: the order in which Exim looks through its lists
_LIST_ORDER = ("a", "d", "h", "l")
_KINDS = ("router", "transport", "authenticator")
#: what is seldom compiled in: where nobody said what is, such options are taken but not listed
_SELDOM = ("EXPERIMENTAL_BRIGHTMAIL", "HAVE_SETCLASSRESOURCES", "SUPPORT_TRANSLATE_IP_ADDRESS")
_MODULE_OPTIONS = ("acl_smtp_dkim", "dkim_verify_", "dmarc_", "spf_")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\b": "\\b", "\v": "\\v", "\f": "\\f", "\t": "\\t"}
_UNPRINTABLE = r"[^ -~]"
_TIME_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def shown_time(seconds: int) -> str:
    """Give a time as Exim prints it: ``1d1h``, ``0s``."""
    if seconds == 0:
        return "0s"
    parts = []
    for letter, size in _TIME_UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts)


def shown_text(text: str, top_bit: bool = False) -> str:
    """Give text with control characters as escapes; bytes above 127, too, unless ``top_bit`` is set."""
    if text.isascii() and text.isprintable():
        return text

    def escape(match: re.Match[str]) -> str:
        char = match.group()
        if top_bit and char >= "\x80":
            return char
        return _ESCAPES.get(char) or f"\\{ord(char):03o}"

    return compiled(_UNPRINTABLE).sub(escape, text)


class Printer:
    """Prints things of one configuration through ``write``.

    ``labels``: print names before values (``-n`` takes them off); ``admin``: show values that are hidden;
    ``environment``: the process's, for ``-bP environment``.
    """

    def __init__(
        self,
        configuration: Configuration,
        write: Callable[[str], object],
        *,
        labels: bool = True,
        admin: bool = True,
        environment: Mapping[str, str] | None = None,
        users: Users | None = None,
    ) -> None:
        self.configuration, self.write, self.labels, self.admin = configuration, write, labels, admin
        self.environment = environment or {}
        self.users = users or SystemUsers()
        self.top_bit = bool(configuration.option("print_topbitchars"))
        #: what is listed; an option that is set is shown in any case
        self.listed = configuration.catalogue
        if self.listed.build in (EVERYTHING, FULL):
            self.listed = Catalogue(self.listed.version, Build(dict.fromkeys(_SELDOM, False)))

    # -- values ----------------------------------------------------------------------------------------

    def line(self, name: str, value: str, gap: str = " ") -> None:
        """Print one value; ``gap`` is what stands between the equals sign and the value."""
        self.write(f"{name} ={gap}{value}\n" if self.labels else f"{value}\n")

    def value(self, option: Option, value: Any, hidden: bool) -> None:
        """Print the value of an option as its type has it."""
        name, kind = option.name, option.type
        if hidden and not self.admin:
            self.line(name, HIDDEN)
        elif kind in BOOLEANS and not isinstance(value, str):
            self.write(f"{'' if value else 'no_'}{name}\n")
        elif value is None:
            self.missing(name, kind)
        elif isinstance(value, str):
            self.line(name, shown_text(value, self.top_bit))
        elif kind == "rewrite":
            self.line(name, shown_text(value[0], self.top_bit))
        elif kind in ("int", "kint", "mkint"):
            self.line(name, self.number(kind, value))
        elif kind == "octal":
            self.line(name, f"0{value % 2**32:o}" if value else "0")
        elif kind == "fixed":
            self.fixed(name, value)
        elif kind in ("time", "func"):
            self.line(name, shown_time(value))
        elif kind == "time_list":
            self.line(name, ":".join(shown_time(seconds) for seconds in value))
        elif kind in ("uidlist", "gidlist"):
            names = ":".join(self.identity(kind[0], number) for number in value)
            self.line(name, names, " " if names else "")
        else:
            self.line(name, self.identity("g" if "gid" in kind else "u", value))

    def missing(self, name: str, kind: str) -> None:
        """Print an option without value."""
        if kind == "fixed":
            self.write(f"{name} =\n")
        else:
            self.line(name, "")

    def number(self, kind: str, value: int) -> str:
        """Give an integer, with a unit where its type has one."""
        if kind == "int" or value == 0:
            return str(value)
        units = "KMGT" if kind == "kint" else "\0KM"
        step = 0
        while value % 1024 == 0 and step + 1 < len(units):
            value //= 1024
            step += 1
        return f"{value}{units[step]}".replace("\0", "")

    def fixed(self, name: str, value: int) -> None:
        """Print a number of thousandths; a negative one counts as none."""
        if value < 0:
            self.write(f"{name} =\n")
            return
        decimals = f"{value % 1000:03d}".rstrip("0") or "0"
        self.line(name, f"{value // 1000}.{decimals}")

    def identity(self, letter: str, number: int) -> str:
        """Give the name of a user (u) or group (g), or its number."""
        found = self.users.user_name(number) if letter == "u" else self.users.group_name(number)
        return found if found is not None else str(number)

    # -- things ----------------------------------------------------------------------------------------

    def main_option(self, option: Option) -> None:
        """Print a main option. From 4.99 on, those of the loadable modules print nothing."""
        configuration = self.configuration
        if configuration.catalogue.version >= (4, 99) and option.name.startswith(_MODULE_OPTIONS):
            return
        self.value(option, configuration.option(option.name), option.name in configuration.settings.hidden)

    def all_main(self) -> None:
        """Print all main options."""
        for option in self.listed.main_options.values():
            if not option.hidden and option.type != "named-list":
                self.main_option(option)

    def named_lists(self, name: str) -> bool:
        """Print the named lists of that name; say whether there is one."""
        found = False
        for letter in _LIST_ORDER:
            entry = self.configuration.lists[letter].get(name)
            if entry is not None:
                found = True
                text = HIDDEN if entry.hide else entry.text
                self.write(f"{entry.kind}list {name} = {text}\n" if self.labels else f"{text}\n")
        if not found:
            self.write(f'no address, domain, host, or local part list called "{name}" exists\n')
        return found

    def instance(self, instance: Instance) -> None:
        """Print the options of a driver instance: the generic ones, then its driver's own."""
        catalogue = self.configuration.catalogue
        table = "auth" if instance.kind == "authenticator" else instance.kind
        hidden = instance.settings.hidden
        for driver in ("generic", instance.driver):
            if driver is None:
                continue
            if driver == "appendfile":
                self.maildir_use_size_file(instance)
            shown = self.listed.options(table, driver)
            for option in catalogue.options(table, driver).values():
                if not option.hidden and (option.name in shown or instance.is_set(option.name)):
                    self.value(option, instance.option(option.name), option.name in hidden)

    def maildir_use_size_file(self, instance: Instance) -> None:
        """Print the one internal option that Exim forgets to leave out."""
        value = instance.option("maildir_use_size_file")
        self.line("*expand_maildir_use_size_file", value if isinstance(value, str) else "")

    def named_instance(self, kind: str, name: str) -> bool:
        """Print one driver instance; say whether there is one."""
        instance = self.configuration.drivers(kind).get(name)
        if instance is None:
            self.write(f"{kind} {name} not found\n")
            return False
        self.instance(instance)
        return True

    def all_instances(self, kind: str) -> None:
        """Print all instances of a kind."""
        for name, instance in self.configuration.drivers(kind).items():
            self.write(f"\n{name} {kind}:\n")
            self.instance(instance)

    def macro(self, name: str) -> bool:
        """Print a macro; say whether there is one."""
        macro = self.configuration.macros.get(name)
        if macro is None:
            self.write(f"macro {name} not found\n")
            return False
        self.write(f"{macro.name}={macro.value}\n" if self.labels else f"{macro.value}\n")
        return True

    def all_macros(self, names_only: bool) -> None:
        """Print all macros in Exim's order."""
        for macro in self.configuration.macros.all():
            if names_only:
                self.write(f"{macro.name}\n")
            else:
                self.write(f"{macro.name}={macro.value}\n" if self.labels else f"{macro.value}\n")

    def config(self) -> None:
        """Print the configuration as it was read: macros replaced, comments gone, indented afresh."""
        configuration = self.configuration
        version = configuration.catalogue.version
        self.write(f"# Exim Configuration ({version[0]}.{version[1]})\n")
        kept = configuration.reader.printed or []
        for text in print_config(kept, admin=self.admin, terse=not self.labels):
            self.write(f"{text}\n")

    def environment_names(self) -> None:
        """Print the environment that Exim leaves itself."""
        found = kept_environment(self.configuration, self.environment)
        for name in sorted(found):
            self.write(f"{name}={found[name]}\n" if self.labels else f"{name}\n")

    def one(self, name: str) -> bool:
        """Print what a single argument names; say whether it is known."""
        if name.startswith("+"):
            return self.named_lists(name[1:])
        if name in ("configure_file", "config_file"):
            self.write(f"{self.configuration.path}\n")
        elif name == "all":
            self.all_main()
        elif name == "local_scan":
            self.write("local_scan() options are not supported\n")
            return False
        elif name == "config":
            self.config()
        elif name in ("macros", "macro_list"):
            self.all_macros(name == "macro_list")
        elif name == "environment":
            self.environment_names()
        elif name.endswith("s") and name[:-1] in _KINDS:
            self.all_instances(name[:-1])
        elif name.endswith("_list") and name[:-5] in _KINDS:
            for instance in self.configuration.drivers(name[:-5]):
                self.write(f"{instance}\n")
        else:
            option = self.configuration.catalogue.option("main", name)
            if option is None or option.type == "named-list":
                self.write(f"{name} is not a known option\n")
                return False
            self.main_option(option)
        return True


def print_options(
    configuration: Configuration,
    args: list[str],
    write: Callable[[str], object],
    *,
    labels: bool = True,
    admin: bool = True,
    environment: Mapping[str, str] | None = None,
    users: Users | None = None,
) -> int:
    """Print what the arguments of ``-bP`` ask for, all main options if there are none; give the exit code.

    ``config`` needs a configuration loaded with ``keep_lines``. See :class:`Printer` for the rest.
    """
    printer = Printer(configuration, write, labels=labels, admin=admin, environment=environment, users=users)
    if not args:
        printer.all_main()
        return 0
    good = True
    at = 0
    while at < len(args):
        word = args[at]
        if at + 1 < len(args) and word in (*_KINDS, "macro"):
            at += 1
            good &= printer.macro(args[at]) if word == "macro" else printer.named_instance(word, args[at])
        else:
            good &= printer.one(word)
        at += 1
    return 0 if good else 1


def kept_environment(configuration: Configuration, environment: Mapping[str, str]) -> dict[str, str]:
    """Give what keep_environment lets through, with what add_environment adds (manual 14.1)."""
    keep = configuration.option("keep_environment") or ""
    found = {name: value for name, value in environment.items() if _kept(name, keep)}
    timezone = configuration.settings.values.get("timezone")
    if timezone:
        found["TZ"] = timezone
    for item, _, _ in split_spans(configuration.option("add_environment") or ""):
        name, equals, value = item.partition("=")
        if equals:
            found[name] = value
    return found


def _kept(name: str, patterns: str) -> bool:
    """Say whether a variable matches the list: names, ``*tail``, ``^regex``, negation."""
    negated = False
    for pattern, _, _ in split_spans(patterns):
        negated = pattern.startswith("!")
        if negated:
            pattern = pattern[1:].lstrip()
        if pattern.startswith("^"):
            from eximious.interpreter.regex import compile_regex

            hit = compile_regex(pattern).matches(name)
        elif pattern.startswith("*"):
            hit = name.endswith(pattern[1:])
        else:
            hit = name == pattern
        if hit:
            return not negated
    return negated

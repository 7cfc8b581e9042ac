"""What reading finds wrong with lines, macros, conditionals, includes, sections and ACLs (manual 6, 44)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_ast import SECTION_WORDS
from eximious.grammar.patterns import compiled
from eximious.lint.registry import explains
from eximious.lint.rules.reading_options import quoted
from eximious.lint.suggest import closest, did_you_mean, looks_like_macro, macro_hint, version_hint

if TYPE_CHECKING:
    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.lint.engine import Subject

_WORD = r"!?[ \t]*([A-Za-z][A-Za-z0-9_]*)"


@explains("macro-malformed", "macro-name")
def macro_malformed(finding: Diagnostic, subject: Subject) -> str:
    """A line that begins with an upper case letter and defines no macro.

    In the main section every such line is a definition: ``NAME = value``, the name made of letters,
    digits and underscores and at most 63 characters long.

    Example::

        EXTRA_OPTIONS
        MAX-SIZE = 50M

    The first line stands for a macro that is not defined; write ``MAX_SIZE`` in the second.
    """
    if finding.code == "macro-name":
        return "a name has at most 63 characters"
    return "a line that begins in upper case defines a macro: NAME = value. Or is it one that is not defined?"


@explains("macro-redefined")
def macro_redefined(finding: Diagnostic, subject: Subject) -> str:
    """A macro that is defined a second time with ``=``.

    Example::

        RELAY_HOSTS = 192.0.2.1
        RELAY_HOSTS = 192.0.2.2

    Write ``RELAY_HOSTS == 192.0.2.2`` if that is meant; a definition of the command line (``-D``) wins
    anyway.
    """
    return "write == to give it another value, or .ifndef ... .endif around a default"


@explains("macro-substring")
def macro_substring(finding: Diagnostic, subject: Subject) -> str:
    """A macro whose name holds the name of an earlier one.

    Exim replaces the earlier one inside the later one's name, so the later one could never be used.

    Example::

        RELAY = 192.0.2.1
        RELAY_DOMAINS = example.com

    Define the longer name first, or choose another one.
    """
    return "define the longer name first, or choose another one"


@explains("macro-undefined")
def macro_undefined(finding: Diagnostic, subject: Subject) -> str:
    """A macro that is given another value with ``==`` and has none yet.

    Example::

        RELAY_HOSTS == 192.0.2.2

    Write ``RELAY_HOSTS = 192.0.2.2``.
    """
    return "write a single = for the first definition"


@explains("macro-growth", "read-limit")
def read_limit(finding: Diagnostic, subject: Subject) -> str:
    """A bound of this package: macros that make lines, or files that make the configuration, too large.

    Exim itself would go on until its memory ends. Macros that multiply each other, and files that include
    themselves, do this.

    Example::

        .include /etc/exim4/exim4.conf
    """
    return "does a macro multiply others, or a file include itself?"


@explains("if-depth", "if-unclosed", "if-unopened", "if-dropped")
def conditionals(finding: Diagnostic, subject: Subject) -> str:
    """Conditionals (``.ifdef`` … ``.endif``) that do not match up.

    At most ten may be open, over all included files together. The word must stand alone: in a file whose
    lines end in CR LF, Exim drops ``.endif`` without a word.

    Example::

        .ifdef TLS
        tls_advertise_hosts = *

    Write ``.endif`` behind it.
    """
    return {
        "if-depth": "at most ten may be open at a time",
        "if-unclosed": "write .endif",
        "if-unopened": "remove the line, or look for an .endif too many above",
    }.get(finding.code, "")


@explains("include-open", "include-relative")
def include(finding: Diagnostic, subject: Subject) -> str:
    """A file that ``.include`` names and that cannot be read.

    ``.include_if_exists`` passes over a file that is not there, and wants an absolute path. To check the
    configuration of another machine, put its files into a folder and name that with ``--root``.

    Example::

        .include /etc/exim4/local.inc
    """
    if finding.code == "include-relative":
        return "write the whole path, beginning with /"
    advice = "name the folder that holds the machine's files with --root, or use .include_if_exists"
    return f"{finding.hint}: {advice}" if finding.hint else advice


@explains("bom")
def bom(finding: Diagnostic, subject: Subject) -> str:
    """A byte order mark at the beginning of the file, as some editors write it."""
    return "save the file without a byte order mark"


@explains("section-unknown")
def section_unknown(finding: Diagnostic, subject: Subject) -> str:
    """A section after ``begin`` that Exim does not know.

    The sections are acl, routers, transports, authenticators, rewrite, retry and local_scan.

    Example::

        begin acls_and_more

    Write ``begin acl``.
    """
    words = ("acl", "routers", "transports", "authenticators", "rewrite", "retry", "local_scan")
    close = closest(quoted(finding).lower(), [*words, *SECTION_WORDS])
    close = next((word for word in words if close.startswith(word)), close)
    return f"did you mean {close}?" if close else f"the sections are {', '.join(words)}"


@explains("section-repeated")
def section_repeated(finding: Diagnostic, subject: Subject) -> str:
    """A section that begins a second time.

    Example::

        begin routers
        begin transports
        begin routers

    Put all routers under one ``begin routers``.
    """
    return "put both parts under one begin"


@explains("local-scan", "ignored")
def local_scan(finding: Diagnostic, subject: Subject) -> str:
    """The section for options of a ``local_scan()`` function, which this build has not.

    Example::

        begin local_scan
        limit = 5
    """
    return "remove the section"


@explains("list-malformed")
def list_malformed(finding: Diagnostic, subject: Subject) -> str:
    """A line that begins like a named list and is none.

    Example::

        domainlist_cach local_domains = example.com

    Write ``domainlist_cache``.
    """
    return "write: domainlist name = items"


@explains("list-repeated")
def list_repeated(finding: Diagnostic, subject: Subject) -> str:
    """A named list that is defined a second time.

    Example::

        domainlist local_domains = example.com
        domainlist local_domains = example.net

    Write one list: ``domainlist local_domains = example.com : example.net``.
    """
    return "put the items into one list, or choose another name"


@explains("acl-syntax")
def acl_syntax(finding: Diagnostic, subject: Subject) -> str:
    """A line of an ACL that is no statement, condition or modifier.

    A statement begins with a verb (accept, defer, deny, discard, drop, require, warn), followed by conditions
    and modifiers, each with an equals sign; ``set`` wants a variable that begins with ``acl_c`` or ``acl_m``.

    Example::

        begin acl
        check_rcpt:
          deny recipient = postmaster@example.com

    Write ``recipients``.
    """
    message = finding.message
    catalogue = subject.language.catalogue
    if "unknown ACL condition" in message or "unknown ACL verb" in message:
        what = "verb" if "unknown ACL verb" in message else ""
        name = quoted(finding) if what else _condition_name(message, catalogue.acl("verb"))
        if looks_like_macro(name):
            return macro_hint(name)
        known = [*catalogue.acl("verb")]
        if not what:
            known += [*catalogue.acl("condition"), *catalogue.acl("modifier")]
        other = _other_version(name, subject)
        return did_you_mean(name, known) or other or "it begins neither a statement nor a condition"
    if "missing after ACL" in message:
        return "write name = value"
    if "negation is not allowed" in message:
        return "only conditions may be negated, modifiers not"
    if "variable name" in message:
        return "the variables are acl_c... and acl_m..., followed by a digit or an underscore: acl_m_reason"
    if "malformed ACL line" in message:
        return "write the ! before a condition, not before the verb"
    return (
        "see the manual, section 44.3" if "endpass" not in message else "endpass goes with accept and discard"
    )


def _condition_name(message: str, verbs: object) -> str:
    """The word that is no condition: the first of the line, or the one behind its verb."""
    text = message.partition(' in "')[2].rstrip('"')
    match = compiled(_WORD).match(text)
    if match and match[1] in verbs:  # type: ignore[operator]
        match = compiled(_WORD).match(text[match.end() :].lstrip())
    return match[1] if match else ""


def _other_version(name: str, subject: Subject) -> str:
    def has(catalogue: Catalogue) -> bool:
        return any(catalogue.acl_row(kind, name) is not None for kind in ("condition", "modifier"))

    return version_hint(has, subject.language.catalogue)


@explains("acl-name", "acl-repeated")
def acl_name(finding: Diagnostic, subject: Subject) -> str:
    """A line of the acl section, outside of any ACL, that is not ``name:``; or a name that is there already.

    Example::

        begin acl
          accept hosts = :

    Write ``check_rcpt:`` above it, or any other name.
    """
    if finding.code == "acl-repeated":
        return "choose another name, or join the two"
    return "write the name of the ACL and a colon before its first statement"


@explains("name-missing", "name-too-long")
def name_missing(finding: Diagnostic, subject: Subject) -> str:
    """A line in a section of drivers before the first ``name:``, or a name that is longer than Exim can take.

    The definition of a macro ends a driver, so what follows it needs a name, too.

    Example::

        begin routers
          driver = accept

    Write ``local_user:`` above it, or any other name.
    """
    if finding.code == "name-too-long":
        return "choose a shorter name"
    return "write a name and a colon first; the definition of a macro ends what came before it"

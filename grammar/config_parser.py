"""Makes the tree of a configuration: the lexer's tokens through the tables of config.lark.

Owns the builders that the grammar names. Nothing of Lark's leaves (or enters) this module.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.grammar import _config_lalr, lalr
from eximious.grammar.config_ast import (
    Acl,
    AclCondition,
    AclStatement,
    BadLine,
    ConfigurationTree,
    Driver,
    Macro,
    NamedList,
    Option,
    RetryRule,
    RetryStep,
    RewriteRule,
    Section,
    Value,
)
from eximious.grammar.config_lexer import Lexer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.config_lexer import Token
    from eximious.grammar.reader import LogicalLine

    Nodes = list[Any]


def _value(token: Token) -> Value:
    line, text = token[1]
    return Value(text, line, token[2], token[3])


class _Builders:
    """One function per alternative of the grammar; each gets the tokens and values of its rule."""

    @staticmethod
    def finish(main: Nodes, sections: Nodes) -> ConfigurationTree:
        return ConfigurationTree(tuple(main), tuple(sections))

    @staticmethod
    def nothing() -> Nodes:
        return []

    @staticmethod
    def add_option(nodes: Nodes, option: Token, value: Token | None = None) -> Nodes:
        line, name, hide, rest = option[1]
        node = None if value is None else Value(value[1][1], line, value[2], value[3])
        nodes.append(Option(name, hide, rest, node, line, option[2], option[3]))
        return nodes

    @staticmethod
    def add_list(nodes: Nodes, head: Token, value: Token | None = None) -> Nodes:
        line, kind, name, cache, hide = head[1]
        node = None if value is None else _value(value)
        nodes.append(NamedList(kind, name, node, cache, hide, line, head[2], head[3]))
        return nodes

    @staticmethod
    def add_macro(nodes: Nodes, head: Token, value: Token) -> Nodes:
        line, name, operator = head[1]
        nodes.append(Macro(name, operator, _value(value), line, head[2], head[3]))
        return nodes

    @staticmethod
    def add_bad(nodes: Nodes, token: Token) -> Nodes:
        line, text, code, message = token[1]
        nodes.append(BadLine(text, code, message, line, token[2], token[3]))
        return nodes

    @staticmethod
    def add_section(sections: Nodes, head: Token, leading: Nodes, items: Nodes) -> Nodes:
        line, word, kind = head[1]
        sections.append(Section(word, kind, tuple(leading), tuple(items), line, head[2], head[3]))
        return sections

    @staticmethod
    def add_rules(sections: Nodes, head: Token, items: Nodes) -> Nodes:
        return _Builders.add_section(sections, head, [], items)

    @staticmethod
    def add_lines(sections: Nodes, head: Token, lines: Nodes) -> Nodes:
        return _Builders.add_section(sections, head, lines, [])

    @staticmethod
    def add_acl(acls: Nodes, head: Token, leading: Nodes, statements: Nodes) -> Nodes:
        line, name = head[1]
        acls.append(Acl(name, tuple(leading), tuple(statements), line, head[2], head[3]))
        return acls

    @staticmethod
    def add_statement(statements: Nodes, verb: Token, body: Nodes) -> Nodes:
        line, name = verb[1]
        statements.append(AclStatement(name, tuple(body), line, verb[2], verb[3]))
        return statements

    @staticmethod
    def add_condition(conditions: Nodes, head: Token, value: Token | None = None) -> Nodes:
        line, name, negated, variable = head[1]
        node = None if value is None else Value(value[1][1], line, value[2], value[3])
        conditions.append(AclCondition(name, negated, variable, node, line, head[2], head[3]))
        return conditions

    @staticmethod
    def add_driver(drivers: Nodes, head: Token, lines: Nodes) -> Nodes:
        line, name = head[1]
        drivers.append(Driver(name, tuple(lines), line, head[2], head[3]))
        return drivers

    @staticmethod
    def add_rewrite(rules: Nodes, pattern: Token, replacement: Token, flags: Token | None = None) -> Nodes:
        rules.append(
            RewriteRule(
                _value(pattern),
                _value(replacement),
                None if flags is None else _value(flags),
                pattern[1][0],
                pattern[2],
                (flags or replacement)[3],
            )
        )
        return rules

    @staticmethod
    def add_retry(rules: Nodes, pattern: Token, error: Token, steps: Nodes) -> Nodes:
        return _Builders.add_retry_senders(rules, pattern, error, None, steps)

    @staticmethod
    def add_retry_senders(
        rules: Nodes, pattern: Token, error: Token, senders: Token | None, steps: Nodes
    ) -> Nodes:
        line = pattern[1][0]
        rules.append(
            RetryRule(
                _value(pattern),
                _value(error),
                None if senders is None else _value(senders),
                tuple(steps),
                line,
                pattern[2],
                len(line.text),
            )
        )
        return rules

    @staticmethod
    def add_step(steps: Nodes, letter: Token, arguments: Nodes) -> Nodes:
        line, text = letter[1]
        end = arguments[-1].end if arguments else letter[3]
        steps.append(RetryStep(text, tuple(arguments), line, letter[2], end))
        return steps

    @staticmethod
    def add_argument(arguments: Nodes, token: Token) -> Nodes:
        arguments.append(_value(token))
        return arguments


_table = lalr.Table(sys.modules[_config_lalr.__name__], _Builders)


def parse_configuration(
    lines: Iterable[LogicalLine], catalogue: Catalogue
) -> tuple[ConfigurationTree, list[LogicalLine]]:
    """Give the tree of the logical lines, and the lines in order; every text has a tree.

    ``catalogue`` tells which ACL verbs, conditions and modifiers exist. What Exim refuses about a line as it
    stands is a :class:`BadLine`. Source: manual chapter 6.
    """
    lexer = Lexer(catalogue, _table.terminals)
    tree: ConfigurationTree = _table.parse(lexer.tokens(lines))
    return tree, lexer.lines

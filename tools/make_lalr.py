"""Compile the Lark grammars into parser tables: python tools/make_lalr.py [--check].

Writes ``grammar/_<name>_lalr.py`` for every ``grammar/<name>.lark``. With ``--check`` nothing is
written; exit code 1 says that a table is not what Lark makes of its grammar.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

FOLDER = Path(__file__).resolve().parent.parent / "grammar"


def compile_grammar(path: Path) -> str:
    """Give the source of the table module for the grammar in ``path``."""
    parser = Lark(
        path.read_text(encoding="utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        start="start",
        maybe_placeholders=False,
    )
    table = parser.parser.parser._parse_table
    rules = sorted(parser.rules, key=lambda r: (r.origin.name, r.order, str(r)))
    symbols = {name: n for n, name in enumerate(sorted({r.origin.name for r in rules}))}
    names = sorted({name for row in table.states.values() for name in row if name not in symbols})
    terminals = {name: number for number, name in enumerate(names)}
    numbers = {rule: n for n, rule in enumerate(rules)}
    # Lark numbers states in the order of a set: number them in the order a walk from the start meets them.
    states = {table.start_states["start"]: 0}
    queue = list(states)
    for state in queue:
        for name, (kind, target) in sorted(table.states[state].items()):
            if (name in symbols or kind is Shift) and target not in states:
                states[target] = len(states)
                queue.append(target)
    actions: list[dict[int, int]] = [{} for _ in states]
    gotos: list[dict[int, int]] = [{} for _ in states]
    for state in queue:
        row = table.states[state]
        for name, (kind, target) in row.items():
            if name in symbols:
                gotos[states[state]][symbols[name]] = states[target]
            elif kind is Shift:
                actions[states[state]][terminals[name]] = states[target]
            else:
                actions[states[state]][terminals[name]] = ~numbers[target]
    lines = [
        f'"""Parser tables of {path.name}, made by tools/make_lalr.py. Do not edit."""',
        "",
        "# fmt: off",
        f"TERMINALS = {terminals!r}",
        f"START = {states[table.start_states['start']]}",
        f"ACCEPT = {states[table.end_states['start']]}",
        "RULES = (",
        *(
            f"    ({len(r.expansion)}, {symbols[r.origin.name]}, {(r.alias or r.origin.name)!r}),"
            for r in rules
        ),
        ")",
        "ACTIONS = [",
        *(f"    {dict(sorted(row.items()))!r}," for row in actions),
        "]",
        "GOTOS = [",
        *(f"    {dict(sorted(row.items()))!r}," for row in gotos),
        "]",
        "# fmt: on",
    ]
    return "\n".join(lines) + "\n"


class _NoLexer(Lexer):
    """Lark wants a lexer; ours never runs inside Lark."""

    def __init__(self, lexer_conf: object) -> None:
        pass

    def lex(self, data: object) -> object:
        raise NotImplementedError("the tables are run by eximious.grammar.lalr")


def main(arguments: list[str]) -> int:
    """Write (or with --check compare) the tables; gives the exit code."""
    stale = []
    for path in sorted(FOLDER.glob("*.lark")):
        target = path.with_name(f"_{path.stem}_lalr.py")
        source = compile_grammar(path)
        if target.exists() and target.read_text(encoding="utf-8") == source:
            continue
        if "--check" in arguments:
            stale.append(target.name)
        else:
            target.write_text(source, encoding="utf-8")
            print(f"wrote {target.name}")
    for name in stale:
        print(f"{name} is not what Lark makes of its grammar: run python tools/make_lalr.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

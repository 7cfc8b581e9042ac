"""Runs LALR(1) tables that Lark made from a grammar in this folder.

Lark is the grammar compiler (``tools/make_lalr.py`` writes the tables as plain Python literals, and a
test compares them with a fresh compilation); this driver only runs them. It is here because
``import lark`` alone costs several times what a whole ``exim -be`` may take, and its parser five times as
much per token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Table:
    """A compiled grammar: ``terminals`` (name -> number) and the builders bound to its rules.

    ``module`` is a generated module with TERMINALS, ACTIONS (per state: terminal number -> state to
    shift to, or ~rule to reduce by), GOTOS (per state: nonterminal number -> state), RULES (length,
    nonterminal number, builder name), START, ACCEPT; ``builders`` holds a function per builder name.
    """

    __slots__ = ("accept", "actions", "gotos", "rules", "start", "terminals")

    def __init__(self, module: Any, builders: Any) -> None:
        self.terminals: dict[str, int] = module.TERMINALS
        self.actions: list[dict[int, int]] = module.ACTIONS
        self.gotos: list[dict[int, int]] = module.GOTOS
        self.rules = [(length, symbol, getattr(builders, name)) for length, symbol, name in module.RULES]
        self.start: int = module.START
        self.accept: int = module.ACCEPT

    def parse(self, tokens: Iterable[tuple[int, Any, int, int]]) -> Any:
        """Give what the builder of the start rule made of ``tokens`` (terminal number, value, start, end).

        The last token is ``$END``.

        The caller's lexer is total, so a token that does not fit is a defect of ours: ValueError.
        """
        actions, gotos, rules, accept = self.actions, self.gotos, self.rules, self.accept
        state = self.start
        states = [state]
        values: list[Any] = []
        push_state, push_value = states.append, values.append
        for token in tokens:
            kind = token[0]
            while True:
                action = actions[state].get(kind)
                if action is None:
                    raise ValueError(f"unexpected token {token!r} in state {state}")
                if action >= 0:
                    state = action
                    push_state(state)
                    push_value(token)
                    break
                length, symbol, builder = rules[~action]
                if length:
                    value = builder(*values[-length:])
                    del values[-length:], states[-length:]
                else:
                    value = builder()
                state = gotos[states[-1]][symbol]
                push_state(state)
                if state == accept:
                    return value
                push_value(value)
        raise ValueError("the tokens end without $END")

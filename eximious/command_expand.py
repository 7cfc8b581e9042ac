"""``eximious expand``: evaluate expansions in a configuration, and say how each part got its value."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Refused
from eximious.options import EXIT_DONE, EXIT_FINDINGS, EXIT_LACKING, EXIT_USAGE, common_options, open_assembly

if TYPE_CHECKING:
    from typing import Any

    from eximious.assembly import Assembly

NAME = "eximious expand"


def main(argv: list[str]) -> int:
    """Run the command; gives its exit code."""
    import argparse

    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Evaluate Exim string expansions, offline, with the answers that the real Exim gives.",
        epilog="Without EXPR, or for -, expressions are read from standard input, one a line.",
    )
    parser.add_argument("expressions", nargs="*", metavar="EXPR", help="text to expand")
    parser.add_argument("--message", metavar="FILE", help="a message whose headers and body are known")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a variable a value (as from outside)",
    )
    parser.add_argument("--explain", action="store_true", help="show how each part got its value")
    common_options(parser)
    options = parser.parse_intermixed_args(argv)
    assembly = open_assembly(options, NAME)
    if isinstance(assembly, int):
        return assembly
    problem = _prepare(assembly, options)
    if problem:
        sys.stderr.write(f"{NAME}: {problem}\n")
        return EXIT_USAGE
    code = EXIT_DONE
    results = []
    for text in _texts(options.expressions):
        result = evaluate(assembly, text, options.explain, options.show_secrets)
        results.append(result)
        code = max(code, result.exit_code)
        if options.format == "text":
            result.print()
    if options.format == "json":
        import json

        json.dump({"results": [result.to_dict() for result in results]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    return code


def _texts(given: list[str]) -> Any:
    import os

    for text in given or ["-"]:
        if text == "-":
            for line in sys.stdin.buffer:
                yield line.rstrip(b"\r\n").decode("latin-1")
        else:
            yield os.fsencode(text).decode("latin-1")


def _prepare(assembly: Assembly, options: Any) -> str:
    """Set the message and the variables that were given; gives what is wrong with them."""
    problem, _ = assembly.set_origin({}, None, options.message or "")
    if problem:
        return problem
    if options.set:
        from eximious.interpreter.outcomes import Failure
        from eximious.interpreter.variables import set_variable

        for setting in options.set:
            name, equals, value = setting.partition("=")
            if not equals:
                return f"--set wants NAME=VALUE, not {setting!r}"
            try:
                set_variable(assembly.context, name.lstrip("$"), value.encode().decode("latin-1"))
            except (Failure, ValueError) as failure:
                return f"--set {setting}: {getattr(failure, 'message', failure)}"
    return ""


class Result:
    """What came of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: str | None = None
        self.error = ""
        self.kind = "value"
        self.offset = -1
        self.steps: list[Any] = []
        self.left_out = 0
        self.notes: list[str] = []
        self.hide: Any = lambda text: text

    @property
    def exit_code(self) -> int:
        """The exit code that this result calls for."""
        return {"value": EXIT_DONE, "refused": EXIT_LACKING}.get(self.kind, EXIT_FINDINGS)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        out: dict[str, Any] = {"expression": self.hide(self.text), "outcome": self.kind}
        if self.value is not None:
            out["value"] = self.hide(self.value)
        if self.error:
            out["error"] = self.hide(self.error)
        if self.offset >= 0:
            out["offset"] = self.offset
        if self.steps:
            out["steps"] = [_step_dict(step, self.text, self.hide) for step in self.steps]
        return out

    def print(self) -> None:
        """Write the text form."""
        write = _write
        if self.value is not None:
            write(self.hide(self.value) + "\n")
        else:
            write(
                ("Failed: " if self.kind != "refused" else "Not evaluated: ") + self.hide(self.error) + "\n"
            )
            if 0 <= self.offset <= len(self.text):
                from eximious.grammar.diagnostics import caret

                for line in caret(self.text, self.offset + 1):
                    write(f"  {self.hide(line)}\n")
        for note in self.notes:
            write(f"  hint: {note}\n")
        for step in self.steps:
            _print_step(step, self.text, self.hide, write, "  ")
        if self.left_out:
            write(f"  … and {self.left_out} more steps\n")


def _write(text: str) -> None:
    """Write text of one character a byte; what is no UTF-8 goes out as it came."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    data = b"".join(
        character.encode("utf-8") if ord(character) > 255 else character.encode("latin-1")
        for character in text
    )
    if stream is None:
        sys.stdout.write(data.decode("utf-8", "replace"))
    else:
        stream.write(data)
        stream.flush()


def evaluate(assembly: Assembly, text: str, explain: bool = False, show_secrets: bool = False) -> Result:
    """Expand one text and give what came of it."""
    from eximious.assembly import fresh_run
    from eximious.interpreter.outcomes import Defer, Failure, ForcedFailure, OverBudget, Unanswered

    result = Result(text)
    ctx = fresh_run(assembly.context)
    if not show_secrets:
        from eximious.secrets import hider

        result.hide = hider(ctx.env)
    tracer = None
    try:
        if explain:
            from eximious.grammar.expansion_parser import parse_expansion
            from eximious.interpreter.compiler import Compiler
            from eximious.interpreter.trace import Tracer

            tracer = Tracer()
            language = ctx.env.language
            tree = parse_expansion(text, language.item_shapes, language.condition_shapes)
            value = Compiler(language, text, tracer.observe).expansion(tree)(ctx)
        else:
            from eximious.interpreter.engine import expand

            value = expand(text, ctx)
        result.value = value.partition("\0")[0]
    except Failure as failure:
        result.error, result.offset = failure.message, failure.offset
        result.kind = (
            "forced failure"
            if isinstance(failure, ForcedFailure)
            else "defer"
            if isinstance(failure, Defer)
            else "error"
        )
    except Refused as refusal:
        result.kind, result.error, result.offset = "refused", str(refusal), refusal.offset
    except Unanswered as question:
        result.kind, result.error, result.offset = "refused", str(question), question.offset
        result.notes.append(f"add to the world:\n{question.lines_to_add}")
    except OverBudget as bound:
        result.kind, result.error, result.offset = "error", str(bound), bound.offset
    if tracer is not None:
        result.steps, result.left_out = tracer.steps, tracer.left_out
    return result


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr_text(value)


def repr_text(text: str) -> str:
    """Text as a trace shows it: in double quotes, with what cannot be seen escaped."""
    from eximious.interpreter.messages import shown

    return f'"{shown(text, (4, 99))}"'


def _step_dict(step: Any, text: str, hide: Any) -> dict[str, Any]:
    node = step.node
    out: dict[str, Any] = {"text": hide(text[node.start : node.end]), "start": node.start, "end": node.end}
    if step.failure is not None:
        out["failure"] = hide(step.failure)
    elif step.value is not None:
        out["value"] = step.value if isinstance(step.value, bool) else hide(step.value)
        if type(step.value).__name__ == "Tainted":
            out["tainted"] = True
    if step.children:
        out["steps"] = [_step_dict(child, text, hide) for child in step.children]
    return out


def _print_step(step: Any, text: str, hide: Any, write: Any, indent: str) -> None:
    node = step.node
    source = text[node.start : node.end]
    if len(source) > 60:
        source = source[:57] + "..."
    if step.failure is not None:
        what = f"failed: {hide(step.failure)}"
    else:
        what = _shown(step.value if isinstance(step.value, bool) else hide(step.value or ""))
        if type(step.value).__name__ == "Tainted":
            what += " (tainted)"
    write(f"{indent}{hide(source)}  =>  {what}\n")
    for child in step.children:
        _print_step(child, text, hide, write, indent + "  ")

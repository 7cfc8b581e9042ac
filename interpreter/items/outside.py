"""Items that reach outside through the doors: run, readfile, readsocket, perl, dlfunc (manual 11.5).

Each asks its door, and the door decides whether it may; nothing here opens or starts anything itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import Argument, Broken, Operator, Variable, Word
from eximious.interpreter.arguments import Arguments, branches, skip_branches
from eximious.interpreter.functions import raising, sequence
from eximious.interpreter.outcomes import ExpansionError, Failure, ForcedFailure, Lacking
from eximious.interpreter.registry import OWN, compiled_item, item
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.expansion_ast import Item
    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run

SPACE = " \t\n\v\f\r"
#: seconds a command may take
RUN_TIMEOUT = 60.0
#: arguments a command may have
MOST_ARGUMENTS = 60
#: bytes of a file or an answer that are taken
SIZE_LIMIT = 64 << 20


# ---- run


class _Run:
    """The options, command and strings of run, read in Exim's order; ``problem`` ends the reading."""

    def __init__(self, compiler: Compiler, node: Item, skipping: bool) -> None:
        reader = Arguments(compiler, node, skipping=skipping)
        self.reader = reader
        self.problem: Run | None = None
        self.effects: list[Run] = []
        self.command: Argument | None = None
        self.late = compiler.version >= (4, 96)
        if compiler.text.startswith(",", node.start + len("${run")) and not self._options(compiler, node):
            return
        self.command = reader.take()
        if self.command is None:
            self.problem = reader.problem("missing '{' for command arg of run")
        elif not self.late:
            effect = compiler.skip(self.command.text) if skipping else compiler.expansion(self.command.text)
            if effect is not None:
                self.effects.append(effect)

    def _options(self, compiler: Compiler, node: Item) -> bool:
        """Read ``,preexpand``; False if there is a problem."""
        text, reader = compiler.text, self.reader
        place = node.start + len("${run")
        while text.startswith(",", place):
            place += 1
            if compiler.version < (4, 96) or not text.startswith("preexpand", place):
                # what it quotes is one character, and the letters behind it
                end = place + 1
                while end < len(text) and text[end].isascii() and text[end].isalpha():
                    end += 1
                self.problem = compiler.raising(f"bad option '{text[place:end]}' for run", place)
                return False
            place += len("preexpand")
            self.late = False
        while type(reader.peek()) is Word and reader.place < place:
            reader.index += 1
        rest = text[place:].lstrip(SPACE)
        if rest and rest[0] != "{":
            self.problem = compiler.raising("missing '{' for command arg of run", place, curly=True)
            return False
        return True


def _command_text(compiler: Compiler, command: Argument) -> Run:
    """The command as written: Exim reads over it as if it were not wanted, to find its end.

    Where that fails it takes what it has read, if the closing brace happens to come next.
    """
    check = compiler.skip(command.text)
    start, end = command.text.start, command.text.end
    whole = compiler.text[start:end]
    # no problem of the text: it depends on the state whether Exim gets here
    unclosed = raising("missing '}' closing command arg of run", command.end, curly=True)
    ends = {
        node.start: node.end
        for node in command.text.walk()
        if type(node) is Variable or type(node) is Operator
    }
    for node in command.text.walk():
        if type(node) is Broken and node.message.startswith("$ not"):
            ends[node.start] = node.start + 1

    def run(ctx: Context) -> str:
        if check is not None:
            try:
                check(ctx)
            except Failure as failure:
                stopped = ends.get(failure.offset, -1)
                if compiler.text[stopped : stopped + 1] != "}":
                    unclosed(ctx)
                return compiler.text[start:stopped]
        if not command.closed:
            unclosed(ctx)
        return whole

    return run


def _skip_run(compiler: Compiler, node: Item) -> Run | None:
    parsed = _Run(compiler, node, True)
    if parsed.problem is not None:
        return parsed.problem
    if compiler.version < (4, 97):
        return _skip_run_at_first(compiler, node)
    rest = skip_branches(parsed.reader, "run")
    assert parsed.command is not None
    if parsed.late:
        if compiler.skip(parsed.command.text) is None and parsed.command.closed:
            return sequence([], rest)
        return sequence([_command_text(compiler, parsed.command)], rest)
    return sequence(parsed.effects, rest)


def _skip_run_at_first(compiler: Compiler, node: Item) -> Run:
    """4.96 runs nothing while it skips, but takes that for a success, and wants the yes string."""
    parsed = _Run(compiler, node, True)
    again = Arguments(compiler, node)
    again.index = parsed.reader.index
    yes, _ = branches(again, "run")
    before = [_command_text(compiler, parsed.command)] if parsed.late and parsed.command else parsed.effects

    def run(ctx: Context) -> str:
        for effect in before:
            effect(ctx)
        ctx.value, ctx.scratch["runrc"] = None, 0
        return yes(ctx, None)

    return run


@compiled_item("run", section="11.5", skip=_skip_run)
def compile_run(compiler: Compiler, node: Item) -> Run:
    """``${run{command args}{yes}{no}}``: what it writes is ``$value``, its exit code ``$runrc``."""
    parsed = _Run(compiler, node, False)
    if parsed.problem is not None or parsed.command is None:
        assert parsed.problem is not None
        return parsed.problem
    late, start = parsed.late, node.start
    command = _command_text(compiler, parsed.command) if late else compiler.expansion(parsed.command.text)
    yes, no = branches(parsed.reader, "run")

    def run(ctx: Context) -> str:
        text = command(ctx)
        try:
            arguments = command_arguments(ctx, text, late, "${run} expansion")
            code, output = _execute(ctx, arguments)
        except (Failure, Lacking) as failure:
            if failure.offset < 0 or late:
                failure.offset = start
            raise
        ctx.scratch["runrc"] = code
        ctx.value = output
        result = yes(ctx, ctx.value) if code == 0 else no(ctx, ctx.value)
        return result

    return run


def _execute(ctx: Context, arguments: list[str]) -> tuple[int, str]:
    if arguments and type(arguments[0]) is Tainted and ctx.env.version >= (4, 94):
        raise ExpansionError("couldn't create child process: Operation not permitted")
    try:
        code, output = ctx.env.doors.processes.run(arguments, "", RUN_TIMEOUT)
    except TimeoutError:
        raise ExpansionError("command timed out") from None
    if code < 0:
        raise ExpansionError(f"command killed by signal {-code}")
    return code, output.partition("\0")[0]


def command_arguments(ctx: Context, command: str, expand_each: bool, where: str) -> list[str]:
    """Split a command into arguments as Exim does, expanding each of them afterwards if so asked.

    Words are separated by white space; a word may be in double quotes (with escapes) or single ones.
    Raises ExpansionError with Exim's message. Manual 29.3.
    """
    words: list[str] = []
    place = 0
    while True:
        while place < len(command) and command[place] in SPACE:
            place += 1
        if place >= len(command):
            break
        if len(words) >= MOST_ARGUMENTS:
            raise ExpansionError(f'Too many arguments in command "{command}" in {where}')
        word, place = _word(command, place)
        words.append(Tainted(word) if type(command) is Tainted else word)
    if not words and ctx.env.version < (4, 96):
        words.append("")
    if not expand_each:
        return words
    from eximious.interpreter.engine import expand

    expanded = []
    for word in words:
        try:
            value = expand(word, ctx)
        except Failure as failure:
            failure.message = (
                f'Expansion of "{word}" from command "{command}" in {where} failed: {failure.message}'
            )
            raise
        expanded.append(value)
    return expanded


def _word(command: str, place: int) -> tuple[str, int]:
    quote = command[place]
    if quote == "'":
        end = command.find("'", place + 1)
        return (command[place + 1 :], len(command)) if end < 0 else (command[place + 1 : end], end + 1)
    if quote == '"':
        from eximious.grammar.expansion_parser import unescape

        end = place + 1
        while end < len(command) and command[end] != '"':
            end += 2 if command[end] == "\\" else 1
        return unescape(command[place + 1 : end].replace("\\N", "N")), end + 1
    end = place
    while end < len(command) and command[end] not in SPACE:
        end += 1
    return command[place:end], end


# ---- readfile


@item("readfile", section="11.5", args=(1, 2), taint=OWN)
def readfile(ctx: Context, args: list[Any]) -> str:
    """``${readfile{path}{eol}}``: a file's text, its newlines replaced if a second string is given."""
    path, end_of_line = args
    from eximious.interpreter.files import open_for_reading

    with open_for_reading(ctx, path) as stream:
        try:
            data = stream.read(SIZE_LIMIT)
        except OSError:
            data = b""
    return lines_of(data.decode("latin-1"), end_of_line)


def lines_of(text: str, end_of_line: str | None) -> str:
    """Text read line by line as C reads it: a line ends at a NUL, and with it goes its newline."""
    if "\0" in text:
        lines = text.split("\n")
        kept = [line + "\n" if "\0" not in line else line.partition("\0")[0] for line in lines[:-1]]
        text = "".join(kept) + lines[-1].partition("\0")[0]
    return text if end_of_line is None else text.replace("\n", end_of_line)


# ---- readsocket


class _ReadSocket:
    """The arguments of readsocket; the fifth is wanted only where the others fail."""

    def __init__(self, compiler: Compiler, node: Item, skipping: bool) -> None:
        reader = Arguments(compiler, node, skipping=skipping)
        self.runs: list[Run] = []
        self.skips: list[Run] = []
        self.missing: Run | None = None
        for count in range(4):
            part = reader.take()
            if part is None:
                if count < 2:
                    self.missing = reader.problem("Not enough arguments for 'readsocket' (min is 2)")
                break
            if not skipping:
                self.runs.append(compiler.expansion(part.text))
            effect = compiler.skip(part.text)
            if effect is not None:
                self.skips.append(effect)
        self.instead: Run | None = None
        self.skip_instead: Run | None = None
        if self.missing is None:
            part = reader.take()
            if part is not None:
                self.instead = compiler.expansion(part.text)
                self.skip_instead = compiler.skip(part.text)
        self.unclosed = None if reader.at_close else reader.problem("missing '}' closing readsocket")


def _skip_readsocket(compiler: Compiler, node: Item) -> Run | None:
    parsed = _ReadSocket(compiler, node, True)
    if parsed.missing is not None:
        return sequence(parsed.skips, parsed.missing)
    effects = [*parsed.skips, *([parsed.skip_instead] if parsed.skip_instead is not None else [])]
    return sequence(effects, parsed.unclosed)


@compiled_item("readsocket", section="11.5", skip=_skip_readsocket)
def compile_readsocket(compiler: Compiler, node: Item) -> Run:
    """``${readsocket{spec}{request}{options}{eol}{instead}}``: one request to a socket, and its answer."""
    parsed = _ReadSocket(compiler, node, False)
    if parsed.missing is not None:
        run_missing = sequence(parsed.runs, parsed.missing)
        assert run_missing is not None
        return run_missing
    runs, instead, skip_instead, unclosed = parsed.runs, parsed.instead, parsed.skip_instead, parsed.unclosed
    start = node.start

    def run(ctx: Context) -> str:
        values = [argument(ctx) for argument in runs]
        try:
            result = exchange(ctx, *values)
        except Lacking as lacking:
            if lacking.offset < 0:
                lacking.offset = start
            raise
        except ExpansionError:
            if instead is None:
                raise
            result = instead(ctx)
        else:
            if skip_instead is not None:
                skip_instead(ctx)
        if unclosed is not None:
            unclosed(ctx)
        return result

    return run


def _socket_options(text: str) -> tuple[float, bool, bool]:
    """Give time-out in seconds, whether the sending side is shut down, and whether TLS is wanted."""
    from eximious.interpreter.listsplit import split_list
    from eximious.interpreter.operators.time import read_interval

    timeout, shutdown, tls = 5.0, True, False
    items = split_list(text)
    if items:
        seconds = read_interval(items[0])
        if seconds is not None and seconds >= 0:
            timeout = float(seconds)
            items = items[1:]
    for option in items:
        if option.startswith("shutdown="):
            shutdown = option[9:] != "no"
        elif option.startswith("tls="):
            tls = option[4:] not in ("no", "")
        elif option.startswith("timeout="):
            seconds = read_interval(option[8:])
            if seconds is not None and seconds >= 0:
                timeout = float(seconds)
    return timeout, shutdown, tls


def exchange(ctx: Context, spec: str, request: str, options: str = "", end_of_line: str | None = None) -> str:
    """Send ``request`` and give what comes back. Raises ExpansionError with Exim's message."""
    if type(spec) is Tainted and ctx.env.version >= (4, 94):
        raise ExpansionError("(null)")
    timeout, shutdown, tls = _socket_options(options)
    if spec.startswith("inet:"):
        _, colon, port = spec[5:].rpartition(":")
        if not colon or not port.isdecimal():
            raise ExpansionError("")
    failed = ctx.scratch.setdefault("sockets that failed", set())
    if spec in failed and ctx.env.version < (4, 97):
        # 4.96 goes on with the connection that it did not get
        raise ExpansionError("request write to socket failed: Bad file descriptor" if request else "")
    failed.add(spec)
    try:
        connection = ctx.env.doors.sockets.connect(spec, timeout, tls)
    except TimeoutError:
        raise ExpansionError(f"failed to connect to socket {spec}: Connection timed out") from None
    except OSError as error:
        raise ExpansionError(_connect_message(spec, error)) from None
    failed.discard(spec)
    try:
        if request:
            connection.send(request.encode("latin-1"))
        if shutdown and not tls:
            connection.shutdown()
        pieces, size = [], 0
        while size < SIZE_LIMIT:
            piece = connection.recv(65536)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
    except TimeoutError:
        raise ExpansionError("socket read timed out") from None
    except OSError as error:
        import os

        raise ExpansionError(f"request write to socket failed: {os.strerror(error.errno or 0)}") from None
    finally:
        connection.close()
    text = lines_of(b"".join(pieces).decode("latin-1"), end_of_line or None)
    return Tainted(text)


def _connect_message(spec: str, error: OSError) -> str:
    import os

    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    if "too long" in str(error):  # Exim cuts such a path, and finds nothing there
        reason = os.strerror(2)
    if not spec:  # nobody listens at an address without a name
        reason = os.strerror(111)
    if not spec.startswith("inet:"):
        return f"failed to connect to socket {spec}: {reason}"
    host = spec[5:].rpartition(":")[0]
    if host.startswith("["):
        host = host.strip("[]")
    if error.errno is None or error.errno < 0:
        return f"no IP address found for host {host}"
    return f"failed to connect to any address for {host}: {reason}"


# ---- perl, dlfunc


@item("perl", section="12", args=(1, 9), taint=OWN)
def perl(ctx: Context, args: list[Any]) -> str:
    """``${perl{sub}{args}…}``: a subroutine of the embedded Perl, as a verdict ``perl``."""
    if not ctx.env.options.get("perl_startup"):
        raise ExpansionError("A setting of perl_startup is needed when using the Perl interpreter")
    given = [arg for arg in args if arg is not None]
    result = ctx.env.doors.verdicts.ask("perl", *given, expand=ctx.env.language.expander(ctx))
    if result is None:
        message = f'Perl subroutine "{given[0]}" returned undef to force failure'
        raise ForcedFailure(message)
    return Tainted(result)


@item("dlfunc", section="11.5", args=(2, 10), taint=OWN)
def dlfunc(ctx: Context, args: list[Any]) -> str:
    """``${dlfunc{file}{function}{args}…}``: a function of a shared object, as a verdict ``dlfunc``."""
    given = [arg for arg in args if arg is not None]
    result = ctx.env.doors.verdicts.ask("dlfunc", *given)
    if result is None:
        raise ForcedFailure("")
    return Tainted(result)

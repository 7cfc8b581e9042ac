"""Embedded Perl for real: a perl process that keeps its state between calls (manual 12).

Exim has the interpreter inside itself; here it is a child that is talked to over two pipes. What the code
prints goes to standard output; ``Exim::expand_string`` is asked back. Messages have four bytes of length,
a letter, and the text.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError, Failure, ForcedFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: seconds for one call
TIMEOUT = 60.0
#: bytes of one answer
ANSWER_LIMIT = 64 * 1024 * 1024

#: reads messages from one descriptor and answers on the other; the rest is what Exim's own glue offers
_GLUE = r"""
package Eximious;
my ($in, $out);
my ($from, $to) = map { /(\d+)/ } splice(@ARGV);  # a match takes the taint off
open($in, '<&=', $from) or die; open($out, '>&=', $to) or die;
binmode $in; binmode $out; select((select($out), $| = 1)[0]);
sub text { my $t = "$_[0]"; utf8::encode($t) if utf8::is_utf8($t); return $t }
sub put { my ($kind, $t) = @_; $t = text($t); print $out pack('N', length $t), $kind, $t }
sub get { my ($h, $t) = ('', ''); read($in, $h, 5) == 5 or exit 0; my ($n, $k) = unpack('Na', $h);
  if ($n) { read($in, $t, $n) == $n or exit 0 } ($t) = $t =~ /\A(.*)\z/s; return ($k, $t) }
package Exim;
sub expand_string { Eximious::put('X', $_[0]); my ($k, $t) = Eximious::get();
  return $t if $k eq 'V'; return undef if $k eq 'F';
  my (undef, $file, $line) = caller;
  die "syntax error in Exim::expand_string argument: $t at $file line $line.\n" }
sub log_write { Eximious::put('L', $_[0]); return }
sub debug_write { Eximious::put('D', join('', @_)); return }
package main;
$SIG{__WARN__} = sub { Exim::log_write(join('', @_)) };
$0 = '/dev/null';
sub Eximious::loop {
  while (1) {
    my ($kind, $count) = Eximious::get();
    my @args; for (1 .. $count) { my (undef, $t) = Eximious::get(); push @args, $t }
    if ($kind eq 'E') {
      # an error before the first statement ran is one of compilation; others are not told
      $Eximious::ran = 0; eval "package main; \$Eximious::ran = 1;\n#line 1\n$args[0]\n";
      Eximious::put($@ && !$Eximious::ran ? 'C' : 'R', ''); next }
    my $name = shift @args; my $full = $name =~ /::/ ? $name : "main::$name";
    if (!defined &$full) { Eximious::put('E', "Undefined subroutine &$full called.\n"); next }
    my $result = eval { scalar(&$full(@args)) };
    if ($@) { Eximious::put('E', $@) }
    elsif (!defined $result) { Eximious::put('U', '') }
    else { Eximious::put('R', $result) }
  }
}
Eximious::loop();
"""


class Perl:
    """A perl process, started at the first call.

    ``startup``: the option perl_startup; ``taintmode``: perl_taintmode; ``environ``: its environment;
    ``folder``: where it runs; ``log``: takes what the code logs or warns of.
    """

    def __init__(
        self,
        startup: str,
        taintmode: bool,
        environ: dict[str, str],
        folder: str,
        log: Callable[[str], object] | None = None,
    ) -> None:
        self._startup, self._taintmode, self._environ = startup, taintmode, environ
        self._folder, self._log = folder, log
        self._process: Any = None
        self._to = self._from = -1

    def call(self, name: str, arguments: tuple[str, ...], expand: Callable[[str], str] | None) -> str | None:
        """Call a subroutine: its result, None for undef. Raises ExpansionError with what it died of."""
        self.start(expand)
        if "'" in name:  # the old way to write ::
            import re

            name = re.sub(r"'(?=\w)", "::", name)
            name = "main" + name if name.startswith("::") else name
        kind, text = self._exchange("S", [name, *arguments], expand)
        if kind == "U":
            return None
        if kind == "E":
            raise ExpansionError(text)
        return text.partition("\0")[0]

    def start(self, expand: Callable[[str], str] | None = None) -> None:
        """Start perl and run the startup code, if that was not done. Raises ExpansionError for its syntax."""
        if self._process is None:
            self._start()
            if self._exchange("E", [self._startup], expand)[0] == "C":
                raise ExpansionError("error in perl_startup code: Compilation error\n")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            for descriptor in (self._to, self._from):
                os.close(descriptor)
            try:
                process.wait(1)
            except Exception:
                process.kill()
                process.wait()

    def _start(self) -> None:
        import subprocess

        read_end, self._to = os.pipe()
        self._from, write_end = os.pipe()
        command = ["perl", *(["-T"] if self._taintmode else []), "-e", _GLUE, str(read_end), str(write_end)]
        try:
            self._process = subprocess.Popen(
                command,
                executable="/usr/bin/perl",
                stdin=subprocess.DEVNULL,
                pass_fds=(read_end, write_end),
                env={k.encode("latin-1"): v.encode("latin-1") for k, v in self._environ.items()},
                cwd=self._folder,
                umask=0o077,
            )
        except OSError as error:
            os.close(self._to)
            os.close(self._from)
            raise ExpansionError(f"perl cannot be started: {error.strerror}") from None
        finally:
            os.close(read_end)
            os.close(write_end)

    def _send(self, kind: str, text: str) -> None:
        data = text.encode("latin-1")
        data = len(data).to_bytes(4, "big") + kind.encode() + data
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except OSError:
            self._died()

    def _receive(self, end: float) -> tuple[str, str]:
        head = self._read(5, end)
        size = int.from_bytes(head[:4], "big")
        if size > ANSWER_LIMIT:
            self._died()
        return chr(head[4]), self._read(size, end).decode("latin-1")

    def _read(self, size: int, end: float) -> bytes:
        import select
        import time

        pieces = []
        while size:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                self._died("perl took too long")
            piece = os.read(self._from, min(size, 65536))
            if not piece:
                self._died()
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _died(self, why: str = "perl ended") -> None:
        process = self._process
        if process is not None:
            process.kill()
        self.close()
        raise ExpansionError(why)

    def _exchange(self, kind: str, texts: list[str], expand: Callable[[str], str] | None) -> tuple[str, str]:
        """Send a request; answer what it asks back; give its answer."""
        import time

        end = time.monotonic() + TIMEOUT
        self._send(kind, str(len(texts)))
        for text in texts:
            self._send("T", text)
        while True:
            kind, text = self._receive(end)
            if kind == "X":
                self._answer(text, expand)
            elif kind == "L":
                if self._log is not None:
                    self._log(text)
            elif kind != "D":
                return kind, text

    def _answer(self, text: str, expand: Callable[[str], str] | None) -> None:
        if expand is None:
            self._send("E", "nothing can be expanded here")
            return
        try:
            self._send("V", expand(text))
        except ForcedFailure:
            self._send("F", "")
        except Failure as failure:
            self._send("E", failure.message)

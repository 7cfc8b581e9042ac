"""Functions of shared objects for real, called as Exim's local functions are (manual 11.5, dlfunc).

The object runs inside this process. One that needs functions of Exim itself cannot be loaded, and
its error says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError, ForcedFailure

if TYPE_CHECKING:
    from typing import Any

OK, FAIL, FAIL_FORCED = 0, 2, 4  #: what a function returns
#: how the program names itself in an error of the loader
PROGRAM = "/usr/sbin/exim4"


def call(objects: dict[str, Any], path: str, function: str, arguments: tuple[str, ...]) -> str:
    """Call a function: its text. ``objects``: those loaded so far, by path. Raises a Failure."""
    import ctypes

    library = objects.get(path)
    if library is None:
        try:
            library = ctypes.CDLL(path or None)
        except OSError as error:
            raise ExpansionError(f'dlopen "{path}" failed: {error}') from None
        objects[path] = library
    try:
        entry = library[function]
    except AttributeError as error:
        reason = str(error)
        if not path:
            reason = PROGRAM + reason[reason.find(": undefined symbol") :]
        raise ExpansionError(f'dlsym "{function}" in "{path}" failed: {reason}') from None
    words = [word.encode("latin-1") for word in arguments]
    vector = (ctypes.c_char_p * (len(words) + 1))(*words, None)
    result = ctypes.c_char_p()
    entry.restype = ctypes.c_int
    status = entry(ctypes.byref(result), ctypes.c_int(len(words)), vector)
    text = (result.value or b"").decode("latin-1")
    if status == OK:
        return text
    message = text if result.value is not None else "(no message)"
    raise ForcedFailure(message) if status == FAIL_FORCED else ExpansionError(message)

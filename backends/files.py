"""Files for real: below the allowed folders, or below a root that stands for ``/``.

With a root, a path means what it would mean after chroot: ``..`` and absolute symbolic links stay inside.
Without one, a path is allowed by where it really leads, so a symbolic link out of an allowed folder is
refused. Paths are text with one character a byte.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

_LINKS = 40  #: symbolic links that are followed for one path
_KEPT = 4096  #: paths of which it is kept where they lead by their text


def _bytes(path: str) -> bytes:
    """A path as the system takes it; Exim's strings end at a NUL."""
    return path.partition("\0")[0].encode("latin-1")


def _text(path: bytes) -> str:
    return path.decode("latin-1")


def _below(path: bytes, folders: Iterable[bytes]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip(b"/") + b"/") for folder in folders)


def open_here(path: bytes) -> BinaryIO:
    """Open for reading without waiting: a FIFO that nobody writes to is empty."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.set_blocking(descriptor, True)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


class Seeing:
    """What all doors to files have in common."""

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """As os.stat."""
        raise NotImplementedError

    def exists(self, path: str) -> bool:
        """Whether there is something to look at. Raises what :meth:`stat` raises, but no OSError."""
        try:
            self.stat(path)
        except OSError:
            return False
        return True


class RealFiles(Seeing):
    """The system's files.

    ``read`` and ``write``: the folders (or files) below which that is allowed; None: everywhere.
    """

    def __init__(self, read: Iterable[str] | None = None, write: Iterable[str] | None = ()) -> None:
        given = None if read is None else [_bytes(path) for path in read]
        self._read = None if given is None else [os.path.realpath(path) for path in given]
        self._written = [] if given is None else [os.path.abspath(path) for path in given]
        self._write = None if write is None else [os.path.realpath(_bytes(path)) for path in write]
        self._may_hold: dict[str, bool] = {}

    def _place(self, path: str, last_link: bool = False) -> bytes:
        """Give the real path for reading; raises Refused."""
        raw = _bytes(path)
        if self._read is None or not raw:
            return raw
        if last_link:
            head, tail = os.path.split(raw.rstrip(b"/") or b"/")
            real = os.path.join(os.path.realpath(head or b"."), tail)
        else:
            real = os.path.realpath(raw)
        if not _below(real, self._read):
            raise _refused("reading", path, "read", real)
        return real

    def may_hold(self, path: str) -> bool:
        """Whether a path, as it is written, leads to where may be read: without a look at symbolic links."""
        if self._read is None:
            return True
        known = self._may_hold.get(path)
        if known is None:
            if len(self._may_hold) >= _KEPT:
                self._may_hold.clear()
            plain = os.path.abspath(_bytes(path))
            known = _below(plain, self._read) or _below(plain, self._written)
            if path.startswith("/"):
                self._may_hold[path] = known
        return known

    def open(self, path: str) -> BinaryIO:
        """Open for reading; OSError as the system says. Raises Refused."""
        return open_here(self._place(path))

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """As os.stat. Raises Refused."""
        return os.stat(self._place(path, not follow_symlinks), follow_symlinks=follow_symlinks)

    def listdir(self, path: str) -> list[str]:
        """The names in a folder. Raises Refused."""
        return [_text(name) for name in os.listdir(self._place(path))]

    def local_path(self, path: str, write: bool = False) -> str:
        """The path itself, made real and checked. Raises Refused."""
        if write and self._write is not None:
            real = os.path.realpath(_bytes(path))
            if not _below(real, self._write):
                raise _refused("writing to", path, "write", real)
            return _text(real)
        return _text(self._place(path))


class RootedFiles(Seeing):
    """The files below ``root``, which stands for ``/``. ``write``: allowed there.

    ``own``: files and folders that are themselves (the configuration that was named, and what is beside it),
    where they exist.
    """

    def __init__(self, root: str, write: bool = False, own: Iterable[str] = ()) -> None:
        self._root = os.path.realpath(_bytes(root)).rstrip(b"/")
        self._write = write
        self._own = [os.path.realpath(_bytes(path)) for path in own]
        #: while nothing changes: a folder's path -> see _folder
        self._folders: dict[str, bytes | None] | None = None

    def hold(self) -> None:
        """Take it that no folder changes until :meth:`release`."""
        self._folders = {}

    def release(self) -> None:
        """Folders may change again."""
        self._folders = None

    def _folder(self, path: str) -> bytes | None:
        """Where a folder is, a slash behind it; None where it does not exist, empty for what is no folder."""
        try:
            place = self._place(path)
            is_folder = stat.S_ISDIR(os.stat(place).st_mode)
        except FileNotFoundError:
            return None
        except OSError:
            return b""
        return place.rstrip(b"/") + b"/" if is_folder else b""

    def _place(self, path: str, last_link: bool = False) -> bytes:
        """Where the path leads inside; a link to nowhere gives a path that does not exist."""
        raw = _bytes(path)
        if not raw:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if self._own and os.path.lexists(raw):
            real = os.path.realpath(raw)
            if _below(real, self._own):
                return raw if last_link else real
        pending = [part for part in reversed(_bytes(path).split(b"/")) if part and part != b"."]
        place: list[bytes] = []
        links, there = 0, True
        while pending:
            part = pending.pop()
            if part == b"..":
                del place[-1:]
                there = True
                continue
            here = b"/".join((self._root, *place, part))
            if pending or not last_link:
                target = b""
                try:
                    if there:
                        target = os.readlink(here)
                except FileNotFoundError:
                    there = False  # nothing is below what is not there
                except OSError:
                    pass
                if target:
                    links += 1
                    if links > _LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                    if target.startswith(b"/"):
                        place.clear()
                    pending += [name for name in reversed(target.split(b"/")) if name and name != b"."]
                    continue
            place.append(part)
        whole = b"/".join((self._root, *place))
        return whole + b"/" if path.endswith("/") and place else whole or b"/"

    def open(self, path: str) -> BinaryIO:
        """Open for reading; OSError as the system says."""
        return open_here(self._place(path))

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """As os.stat."""
        folders = self._folders
        if folders is not None and not self._own:
            folder, _, name = path.rpartition("/")
            if name not in ("", ".", "..") and "\0" not in path:
                try:
                    place = folders[folder]
                except KeyError:
                    place = folders[folder] = self._folder(folder or "/")
                if place is None:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
                if place:
                    found = os.lstat(place + name.encode("latin-1"))
                    if not (follow_symlinks and stat.S_ISLNK(found.st_mode)):
                        return found
        return os.stat(self._place(path, not follow_symlinks), follow_symlinks=follow_symlinks)

    def listdir(self, path: str) -> list[str]:
        """The names in a folder."""
        return [_text(name) for name in os.listdir(self._place(path))]

    def local_path(self, path: str, write: bool = False) -> str:
        """The path outside. Raises Refused for writing that is not allowed."""
        if write and not self._write:
            raise _refused("writing to", path, "write", self._root + b"/")
        return _text(self._place(path))


def _refused(action: str, path: str, word: str, real: bytes) -> Refused:
    folder = _text(os.path.dirname(real) or b"/")
    return Refused("files", f"{action} {path}", f"--allow {word}={folder}")

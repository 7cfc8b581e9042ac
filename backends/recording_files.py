"""Files that are copied into a world when they are read, with what the system says of them."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from eximious.backends.described import ABSENT
from eximious.backends.described_files import _plain, facts_of
from eximious.backends.files import Seeing
from eximious.backends.recording import _Passing
from eximious.interpreter.outcomes import Refused, Unanswered

if TYPE_CHECKING:
    from typing import Any, BinaryIO

#: what SQLite keeps beside its database
_BESIDE = ("-journal", "-wal", "-shm")


class RecordingFiles(_Passing, Seeing):
    """Reading files; each is copied when it is first opened, so as it was before the run."""

    def open(self, path: str) -> BinaryIO:
        """Open for reading."""
        try:
            opened: BinaryIO = self.door.open(path)
        except OSError as error:
            self._failed(path, error, errno.EISDIR)
            raise
        self._copy(path, opened)
        return opened

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """As os.stat."""
        try:
            found: os.stat_result = self.door.stat(path, follow_symlinks=follow_symlinks)
        except OSError as error:
            self._failed(path, error)
            raise
        self._facts(path, found, follow_symlinks, True)
        return found

    def listdir(self, path: str) -> list[str]:
        """The names in a folder."""
        try:
            names: list[str] = self.door.listdir(path)
        except OSError as error:
            self._failed(path, error, errno.ENOTDIR)
            raise
        self._entry(path)["names"] = list(names)
        self._folder(path)
        return names

    def local_path(self, path: str, write: bool = False) -> str:
        """Where the file is; it is copied as it is now."""
        place: str = self.door.local_path(path, write)
        if os.path.isfile(place.encode("latin-1")):
            for end in ("", *_BESIDE):
                if end and not os.path.isfile((place + end).encode("latin-1")):
                    continue
                with open((place + end).encode("latin-1"), "rb") as stream:
                    self._copy(path + end, stream)
        elif not os.path.lexists(place.encode("latin-1")):
            self.recording.entry("files", _plain(path), ABSENT)
        return place

    def _entry(self, path: str) -> dict[str, Any]:
        """What is noted of a path that is there."""
        noted = self.recording.entries("files")
        plain = _plain(path)
        if not isinstance(noted.get(plain), dict):
            noted[plain] = {}
        entry: dict[str, Any] = noted[plain]
        return entry

    def _inside(self, path: str) -> bytes:
        """Where a path is in the world's root/."""
        return os.fsencode(os.path.join(self.recording.folder, "root")) + _plain(path).encode("latin-1")

    def _copy(self, path: str, opened: BinaryIO) -> None:
        target = self._inside(path)
        noted = self.recording.entries("files").get(_plain(path))
        if isinstance(noted, dict) and noted.get("type") and os.path.exists(target):
            return
        found = os.fstat(opened.fileno())
        self._facts(path, found, True)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target + b".new", "wb") as copy:
            if stat.S_ISREG(found.st_mode):
                at = opened.tell()
                opened.seek(0)
                while piece := opened.read(1 << 20):
                    copy.write(piece)
                opened.seek(at)
        os.replace(target + b".new", target)

    def _folder(self, path: str) -> None:
        os.makedirs(self._inside(path), exist_ok=True)

    def _facts(self, path: str, found: os.stat_result, follow: bool, asked: bool = False) -> None:
        """Note what the system says of a file; ``asked``: the run was told so (reading changes times)."""
        try:
            facts = facts_of(found)
        except Unanswered:
            facts = {"mode": f"{stat.S_IMODE(found.st_mode):04o}"}
        entry = self._entry(path)
        if not follow and facts.get("type") == "link":
            entry["link"] = facts
            with suppress(OSError, Refused, Unanswered):
                entry.update(facts_of(self.door.stat(path)))
        else:
            entry.update({name: value for name, value in facts.items() if asked or name not in entry})
        if facts.get("type") == "folder":
            self._folder(path)

    def _failed(self, path: str, error: OSError, expected: int = 0) -> None:
        """Note that a path could not be read; ``expected``: what a file of another type says by itself."""
        plain = _plain(path)
        if error.errno == errno.ENOENT:
            if self.recording.entries("files").get(plain) is None:
                self.recording.entry("files", plain, ABSENT)
            return
        try:
            found = self.door.stat(path)
        except (OSError, Refused, Unanswered):
            self.recording.entry("files", plain, {"fails": errno.errorcode.get(error.errno or 0, "EIO")})
            return
        self._facts(path, found, True)
        if error.errno != expected:
            self._entry(path)["fails"] = errno.errorcode.get(error.errno or 0, "EIO")
        elif expected == errno.ENOTDIR and posixpath.basename(plain):
            with suppress(OSError, Refused, Unanswered):
                self.open(path).close()

"""The spool: the directory in which HR drops tokens, and its folders. The file rules of docs/hr-integration.md.

    new/         HR's drop user may write here, and no other user but root
    accepted/    received and durable. Not yet "access gone": that is what the completion token says
    rejected/    wrong: nothing was done because of it
    quarantine/  right, and nothing could be done: needs attention

Rules of this file: a name ending in ``.set`` is a delivery, put there by renaming; every other name is a delivery under
way and is ignored. What is not a regular file is moved, never opened or followed. Nothing is deleted or overwritten: a
file is filed under a new name that is made with its reason, and when HR has meanwhile renamed another token over the
one that was read, that one goes back. A file moved into ``new/`` from here keeps the name HR gave it, as long as that
name is free: HR looks for it by that name. Nothing here is relied on after a power cut: the store is.
"""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from agent.errors import RefusedError
from agent.kernel import rename
from agent.offboard.intake.delivery import Delivery, identity, read_delivery
from agent.offboard.intake.turns import Turns
from rules.text import Message, Sentence, foreign
from rules.visible import visible

Folder = Literal["accepted", "rejected", "quarantine"]

SUFFIX: Final = ".set"

_LONGEST_NAME: Final = 255  # bytes, NAME_MAX
_FOLDERS: Final[tuple[Folder, ...]] = ("accepted", "rejected", "quarantine")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Spool:
    """The four directories below *root*. One thread at a time; :meth:`close` closes the descriptors."""

    def __init__(self, root: Path) -> None:
        """Open the directories, and make those that are missing. Raises :class:`RefusedError`."""
        self.root = root
        self.new = root / "new"
        self._number = 0
        self._folders: dict[str, int] = {}
        try:
            for folder, mode in ((root, 0o711), *((root / name, 0o700) for name in ("new", *_FOLDERS))):
                if not folder.is_dir():
                    folder.mkdir(mode=mode)
                    folder.chmod(mode)
            for name in ("new", *_FOLDERS):
                self._folders[name] = os.open(root / name, _DIRECTORY)
            problem = self._problem()
        except OSError as error:
            self.close()
            raise _unusable(root, foreign(error.strerror or "")) from error
        if problem:
            self.close()
            raise _unusable(root, problem)

    def _problem(self) -> Sentence | None:
        """Return the problem of folders that other users can write to or that are on several filesystems."""
        device = os.fstat(self._folders["new"]).st_dev
        for name, descriptor in self._folders.items():
            status = os.fstat(descriptor)
            if status.st_dev != device:
                return Message("offboard.spool-on-several-filesystems")
            if name != "new" and (status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022):
                return Message("offboard.spool-folder-writable", folder=name)
        return None

    def close(self) -> None:
        """Close every descriptor."""
        for descriptor in self._folders.values():
            os.close(descriptor)
        self._folders.clear()

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode of the ``new/`` that is being swept: a watcher of another one hears nothing."""
        status = os.fstat(self._folders["new"])
        return status.st_dev, status.st_ino

    def give(self, drop_uid: int) -> None:
        """Let *drop_uid* and root alone write into ``new/``."""
        status = os.fstat(self._folders["new"])
        if status.st_uid != drop_uid or status.st_mode & 0o777 != 0o700:
            os.fchown(self._folders["new"], drop_uid, -1)
            os.fchmod(self._folders["new"], 0o700)

    def names(self, turns: Turns) -> list[str]:
        """Return the deliveries in the open ``new/`` whose turn it is, and no unfinished file."""
        return turns.take(set(os.listdir(self._folders["new"])), self._age)  # noqa: PTH208 - a descriptor

    def all_names(self) -> list[str]:
        """Return all deliveries in the ``new/`` that is open."""
        return sorted(filter(is_delivery, os.listdir(self._folders["new"])))  # noqa: PTH208 - a descriptor

    def _age(self, name: str) -> int:
        return os.stat(name, dir_fd=self._folders["new"], follow_symlinks=False).st_ctime_ns

    def replaced(self) -> bool:
        """Whether an open directory is no longer the one of that name: renamed, removed, mounted over."""
        for name, descriptor in self._folders.items():
            try:
                status = (self.root / name).lstat()
            except OSError:
                return True
            if not os.path.samestat(status, os.fstat(descriptor)):
                return True
        return False

    def adopt(self, predecessor: "Spool") -> int:
        """Move the deliveries of *predecessor*, which this spool replaces, into ``new/``; return how many failed."""
        return sum(not predecessor.leave(name, self._folders["new"]) for name in predecessor.all_names())

    def leave(self, name: str, to: int) -> bool:
        """Move one delivery into another ``new/``, given by descriptor; return whether that succeeded."""
        self._number += 1
        try:
            _move_in(name, self._folders["new"], name, to, f"adopted-{self.identity[1]}-{self._number:04d}")
        except OSError:
            return False
        return True

    def read(self, name: str, drop_uid: int) -> Delivery | None:
        """Read one delivery by the file rules; return ``None`` when it no longer exists."""
        return read_delivery(self._folders["new"], name, drop_uid)

    def reserve(self, folder: Folder, now: datetime, reason: Mapping[str, object]) -> str:
        """Write the reason into *folder* under an unused name, and return the name without its ending."""
        text = json.dumps(reason, ensure_ascii=False, indent=1).encode() + b"\n"
        directory, draft = self._folders[folder], f".draft-{os.getpid()}"
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(draft, flags, 0o600, dir_fd=directory), "wb") as sink:
            sink.write(text)
        while True:
            self._number += 1
            stem = f"{now:%Y%m%dT%H%M%S.%f}Z-{self._number:04d}"
            try:  # by a link: whole or not at all, and never over another one
                os.link(draft, stem + ".json", src_dir_fd=directory, dst_dir_fd=directory)
            except FileExistsError:
                continue
            os.unlink(draft, dir_fd=directory)
            return stem

    def unreserve(self, folder: Folder, stem: str) -> None:
        """Remove a reason whose delivery stays in place."""
        with suppress(OSError):
            os.unlink(stem + ".json", dir_fd=self._folders[folder])

    def put_away(self, delivery: Delivery, folder: Folder, stem: str) -> bool:
        """Move a delivery to its reason; return whether it was still the one that was read.

        If it was not, it is in ``new/`` again, to be swept like any other.
        """
        directory = self._folders[folder]
        try:
            os.rename(delivery.name, stem + SUFFIX, src_dir_fd=self._folders["new"], dst_dir_fd=directory)
        except FileNotFoundError:
            return False
        if delivery.identity == identity(os.stat(stem + SUFFIX, dir_fd=directory, follow_symlinks=False)):
            return True
        _move_in(stem + SUFFIX, directory, delivery.name, self._folders["new"], f"changed-{stem}")
        return False

    def take_back(self, stem: str) -> None:
        """Move a quarantined delivery back into ``new/``.

        Raises :class:`RefusedError` when there is none of that name.
        """
        if "/" in stem or stem.startswith("."):
            raise _nothing(stem)
        directory = self._folders["quarantine"]
        try:
            _move_in(stem + SUFFIX, directory, _named(directory, stem), self._folders["new"], stem)
        except OSError as error:
            raise _nothing(stem) from error

    def sync(self) -> None:
        """Put the names themselves on the disk."""
        for descriptor in self._folders.values():
            os.fsync(descriptor)


def is_delivery(name: str) -> bool:
    """Whether a name is that of a delivery, and not of one under way."""
    return name.endswith(SUFFIX)


def _move_in(name: str, source: int, wanted: str, new: int, otherwise: str) -> None:
    """Move a delivery into a ``new/``: under the name *wanted* if it is free, else under one of our own.

    That one begins with *otherwise*, which is unused, and ends with HR's name, as far as there is room.
    """
    try:
        rename.move(name, source, wanted, new)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOSYS, errno.EINVAL):
            raise
        longer = f"{otherwise}-{wanted}"
        own_name = longer if len(os.fsencode(longer)) <= _LONGEST_NAME else otherwise + SUFFIX
        os.rename(name, own_name, src_dir_fd=source, dst_dir_fd=new)


def _named(directory: int, stem: str) -> str:
    """Return HR's name of the delivery that lies in the folder as *stem*; its own name if that is unknown."""
    own = stem + SUFFIX
    try:
        with open(
            os.open(f"{stem}.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory), "rb"
        ) as source:
            delivered_as = json.load(source)["file"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return own
    plain = (
        isinstance(delivered_as, str)
        and "/" not in delivered_as
        and delivered_as.endswith(SUFFIX)
        and len(delivered_as) > len(SUFFIX)
    )
    return (
        delivered_as
        if plain and visible(delivered_as) == delivered_as and len(os.fsencode(delivered_as)) <= _LONGEST_NAME
        else own
    )


def _unusable(folder: Path, reason: Sentence) -> RefusedError:
    return RefusedError(
        Message("hr.spool-unusable", path=str(folder), reason=reason),
        Message("hr.spool-directory-requirements"),
    )


def _nothing(stem: str) -> RefusedError:
    name = visible(stem)
    return RefusedError(
        Message("hr.not-in-quarantine", notice=name),
        Message("hr.quarantine-names"),
    )

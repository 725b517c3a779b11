"""The spool: where HR drops tokens, and where each goes. The file rules of docs/hr-integration.md, on real descriptors.

    new/         HR's drop user may write here, and nobody else but root
    accepted/    received and durable. Not yet "access gone": that is what the completion token says
    rejected/    wrong: nothing was done because of it
    quarantine/  right, and nothing could be done: somebody must look

Rules of this file: a name ending in ``.set`` is a delivery, put there by renaming; every other name is a delivery under
way and is left alone. What is not a plain file is moved, never opened or followed. Nothing is deleted and nothing
written over: a file is put away under a new name that is made with its reason, and when HR has meanwhile renamed
another token over the one that was read, that one goes back. Whatever comes into ``new/`` from here comes under the
name HR gave it, as long as nothing else has it: it is by that name that HR looks for it. Nothing here is relied on
after a power cut: the store is.
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
from agent.offboard.intake.delivery import Delivery, identity, look
from agent.offboard.intake.turns import Turns
from rules.text import Text
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
            self._check()
        except OSError as error:
            self.close()
            raise _unusable(root, error) from error

    def _check(self) -> None:
        """Refuse folders that others could write to, and a ``new/`` that nothing can be moved out of."""
        device = os.fstat(self._folders["new"]).st_dev
        for name, descriptor in self._folders.items():
            status = os.fstat(descriptor)
            if status.st_dev != device:
                raise OSError(errno.EXDEV, "its folders are not on one filesystem")
            if name != "new" and (status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022):
                raise OSError(errno.EPERM, f"`{name}` could be written by others")

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
        """Let *drop_uid* write into ``new/``, and nobody else but root."""
        status = os.fstat(self._folders["new"])
        if status.st_uid != drop_uid or status.st_mode & 0o777 != 0o700:
            os.fchown(self._folders["new"], drop_uid, -1)
            os.fchmod(self._folders["new"], 0o700)

    def names(self, turns: Turns) -> list[str]:
        """Return the deliveries in the ``new/`` that is open whose turn it is, and no file under way."""
        return turns.take(set(os.listdir(self._folders["new"])), self._age)  # noqa: PTH208 - a descriptor

    def all_names(self) -> list[str]:
        """Return all deliveries in the ``new/`` that is open."""
        return sorted(filter(is_delivery, os.listdir(self._folders["new"])))  # noqa: PTH208 - a descriptor

    def _age(self, name: str) -> int:
        return os.stat(name, dir_fd=self._folders["new"], follow_symlinks=False).st_ctime_ns

    def replaced(self) -> bool:
        """Whether a directory that is open here is no longer the one of that name: renamed, removed, mounted over."""
        for name, descriptor in self._folders.items():
            try:
                there = (self.root / name).lstat()
            except OSError:
                return True
            if not os.path.samestat(there, os.fstat(descriptor)):
                return True
        return False

    def adopt(self, other: "Spool") -> int:
        """Move what is left in *other*, whose place this one has taken, into ``new/``; return how many were not."""
        return sum(not other.leave(name, self._folders["new"]) for name in other.all_names())

    def leave(self, name: str, to: int) -> bool:
        """Move one delivery into another ``new/``, given by descriptor; return whether it could be."""
        self._number += 1
        try:
            _move_in(name, self._folders["new"], name, to, f"adopted-{self.identity[1]}-{self._number:04d}")
        except OSError:
            return False
        return True

    def look(self, name: str, drop_uid: int) -> Delivery | None:
        """Read one delivery by the file rules; return ``None`` when it is gone again."""
        return look(self._folders["new"], name, drop_uid)

    def reserve(self, folder: Folder, now: datetime, reason: Mapping[str, object]) -> str:
        """Write the reason into *folder* under a name nobody has, and return the name without its ending."""
        text = json.dumps(reason, ensure_ascii=False, indent=1).encode() + b"\n"
        there, draft = self._folders[folder], f".draft-{os.getpid()}"
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(draft, flags, 0o600, dir_fd=there), "wb") as sink:
            sink.write(text)
        while True:
            self._number += 1
            stem = f"{now:%Y%m%dT%H%M%S.%f}Z-{self._number:04d}"
            try:  # by a link: whole or not at all, and never over another one
                os.link(draft, stem + ".json", src_dir_fd=there, dst_dir_fd=there)
            except FileExistsError:
                continue
            os.unlink(draft, dir_fd=there)
            return stem

    def unreserve(self, folder: Folder, stem: str) -> None:
        """Take away a reason whose delivery stays where it is."""
        with suppress(OSError):
            os.unlink(stem + ".json", dir_fd=self._folders[folder])

    def put_away(self, delivery: Delivery, folder: Folder, stem: str) -> bool:
        """Move a delivery to its reason; return whether it was still the one that was looked at.

        When it was not, it is in ``new/`` again, to be swept like any other.
        """
        there = self._folders[folder]
        try:
            os.rename(delivery.name, stem + SUFFIX, src_dir_fd=self._folders["new"], dst_dir_fd=there)
        except FileNotFoundError:
            return False
        if delivery.identity == identity(os.stat(stem + SUFFIX, dir_fd=there, follow_symlinks=False)):
            return True
        _move_in(stem + SUFFIX, there, delivery.name, self._folders["new"], f"changed-{stem}")
        return False

    def take_back(self, stem: str) -> None:
        """Move a quarantined delivery back into ``new/``.

        Raises :class:`RefusedError` when there is none of that name.
        """
        if "/" in stem or stem.startswith("."):
            raise _nothing(stem)
        there = self._folders["quarantine"]
        try:
            _move_in(stem + SUFFIX, there, _named(there, stem), self._folders["new"], stem)
        except OSError as error:
            raise _nothing(stem) from error

    def sync(self) -> None:
        """Put the names themselves on the disk."""
        for descriptor in self._folders.values():
            os.fsync(descriptor)


def is_delivery(name: str) -> bool:
    """Whether a name is that of a delivery, and not of one under way."""
    return name.endswith(SUFFIX)


def _move_in(name: str, there: int, wanted: str, new: int, otherwise: str) -> None:
    """Move a delivery into a ``new/``: under the name *wanted* if nothing has that name, else under one of our own.

    That one begins with *otherwise*, which nobody has, and ends with what HR said, as far as there is room.
    """
    try:
        rename.move(name, there, wanted, new)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOSYS, errno.EINVAL):
            raise
        longer = f"{otherwise}-{wanted}"
        ours = longer if len(os.fsencode(longer)) <= _LONGEST_NAME else otherwise + SUFFIX
        os.rename(name, ours, src_dir_fd=there, dst_dir_fd=new)


def _named(there: int, stem: str) -> str:
    """Return the name under which HR delivered what lies in the folder as *stem*; its own where that cannot be said."""
    own = stem + SUFFIX
    try:
        with open(os.open(f"{stem}.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=there), "rb") as source:
            said = json.load(source)["file"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return own
    plain = isinstance(said, str) and "/" not in said and said.endswith(SUFFIX) and len(said) > len(SUFFIX)
    return said if plain and visible(said) == said and len(os.fsencode(said)) <= _LONGEST_NAME else own


def _unusable(folder: Path, error: OSError) -> RefusedError:
    shown, why = visible(str(folder)), visible(error.strerror or "")
    return RefusedError(
        Text(f"the spool `{shown}` cannot be used: {why}", f"无法使用投递目录 `{shown}`：{why}"),
        Text(
            "it is a directory of root's on one filesystem with its neighbours",
            "它应为 root 的目录，且与相邻目录同在一个文件系统",
        ),
    )


def _nothing(stem: str) -> RefusedError:
    said = visible(stem)
    return RefusedError(
        Text(f"nothing called `{said}` is in quarantine", f"隔离区中没有 `{said}`"),
        Text("the names are those of the files without `.set`", "名称为文件名去掉 `.set`"),
    )

"""Moving things aside: kept for audit with their owner, mode and times, at a place only root can enter.

Rules of this file:
- nothing is deleted; under the case's directory everything lies at its old path, so no list is needed to find it again;
- homes are their owner's, who may have put a link or another file in any place: below a home no link is followed, a
  link that lies where a directory should be is itself what is moved, and only names are taken, never what they lead to;
- a move across filesystems is a copy, made durable, and then the removal of the original; cut short and repeated it
  ends the same. A second thing from the same place is kept beside the first as ``NAME.1``;
- what is too much to be copied (:mod:`agent.offboard.steps.bounded_copy`) stays on its filesystem, root's and closed,
  under a name that starts nothing: ``.NAME.seized-CASE``.
Sources: openat(2), rename(2), fsync(2).
"""

import contextlib
import errno
import os
import stat
from pathlib import Path

from agent.offboard.steps import bounded_copy
from agent.offboard.steps.bounded_copy import DEEPEST, TOO_MUCH, Allowance

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def seize(top: Path, below: str, kept: Path, owner: int | None = None, allowed: Allowance | None = None) -> Path | None:
    """Move ``top/below`` to ``kept/top/below``; return where it is now, ``None`` when there was nothing.

    *allowed* is what may be copied, of several things together; what is more is closed where it lies, and then the
    path returned is not below *kept*, whose last part is the name of the case.

    *top* is trusted, links in it included; *below*, relative to it, is not. With *owner*, *top* must be that uid's and
    a directory, else there is nothing. Raises ``OSError`` when it is there and could not be moved.
    """
    parts = Path(below).parts
    if ".." in parts or Path(below).is_absolute():
        raise OSError(errno.EINVAL, "not a place below", below)
    try:
        here = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if owner is not None and os.fstat(here).st_uid != owner:
            return None
        for depth, name in enumerate(parts, 1):
            try:
                found = os.stat(name, dir_fd=here, follow_symlinks=False)
            except FileNotFoundError:
                return None
            if depth < len(parts) and stat.S_ISDIR(found.st_mode):
                inner = os.open(name, _DIRECTORY, dir_fd=here)
                os.close(here)
                here = inner
                continue
            # the thing itself, or a link or file where one of its directories should be
            place = top.joinpath(*parts[:depth])
            try:
                return _move(here, name, kept / str(place).lstrip("/"), allowed or Allowance.at(kept))
            except OSError as error:
                if error.errno not in TOO_MUCH:
                    raise
                return place.with_name(_close(here, name, kept.name))
    finally:
        os.close(here)
    return None


def _close(folder: int, name: str, case: str) -> str:
    """Make *name* root's and closed to everybody, under a name that nothing starts from; return that name."""
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.chown(name, 0, 0, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISLNK(os.fstat(fd).st_mode):
            Path(f"/proc/self/fd/{fd}").chmod(0)
    finally:
        os.close(fd)
    number, fresh = 0, f".{name}.seized-{case}"
    while os.path.lexists(f"/proc/self/fd/{folder}/{fresh}"):
        number += 1
        fresh = f".{name}.seized-{case}.{number}"
    os.rename(name, fresh, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    return fresh


def _move(folder: int, name: str, to: Path, allowed: Allowance, depth: int = 0) -> Path:
    if depth > DEEPEST:
        raise bounded_copy.too_much(name)
    _private(to.parent)
    source = Path(f"/proc/self/fd/{folder}") / name
    to = _free(to, source)
    try:
        if not os.path.lexists(to):
            os.rename(name, to, src_dir_fd=folder)
        elif (
            to.is_dir()
        ):  # an earlier move of this directory was cut short, or it was made again: what is in it follows
            _move_inside(folder, name, to, allowed, depth)
        else:  # an earlier copy of this very file, cut short before the original was removed
            os.unlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if depth == 0:
            bounded_copy.measure(folder, name, allowed)
        _copy(folder, name, to, allowed, depth)
    _durable(to.parent)
    os.fsync(folder)
    return to


def _move_inside(folder: int, name: str, to: Path, allowed: Allowance, depth: int) -> None:
    inner = os.open(name, _DIRECTORY, dir_fd=folder)
    try:
        found = os.fstat(inner)
        for below in sorted(os.listdir(inner)):  # noqa: PTH208 - by descriptor
            _move(inner, below, to / below, allowed, depth + 1)
    finally:
        os.close(inner)
    _dress(to, found)
    os.rmdir(name, dir_fd=folder)


def _copy(folder: int, name: str, to: Path, allowed: Allowance, depth: int) -> None:
    """Move one thing to another filesystem. Fifos, sockets and devices are made anew, never opened."""
    source = Path(f"/proc/self/fd/{folder}") / name
    found = source.lstat()
    if stat.S_ISDIR(found.st_mode):
        to.mkdir(mode=0o700)
        _move_inside(folder, name, to, allowed, depth)
        return
    fresh = to.with_name(f"{to.name}.partial")
    fresh.unlink(missing_ok=True)
    if stat.S_ISLNK(found.st_mode):
        fresh.symlink_to(source.readlink())
    elif stat.S_ISREG(found.st_mode):
        bounded_copy.copy_file(folder, name, fresh)
    else:
        os.mknod(fresh, stat.S_IFMT(found.st_mode) | 0o600, found.st_rdev)
    _dress(fresh, found)
    fresh.rename(to)
    os.unlink(name, dir_fd=folder)


def _dress(path: Path, found: os.stat_result) -> None:
    """Give *path* the owner, mode and times of what it is a copy of, and no set-uid or set-gid bit: it is evidence."""
    os.chown(path, found.st_uid, found.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        path.chmod(stat.S_IMODE(found.st_mode) & ~(stat.S_ISUID | stat.S_ISGID))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)


def _free(to: Path, source: Path) -> Path:
    """Return *to*, or the first ``to.N`` that is free, a copy of *source*, or a directory as *source* is."""
    number = 0
    at = to
    while os.path.lexists(at) and not _same(at, source):
        number += 1
        at = to.with_name(f"{to.name}.{number}")
    return at


def _same(kept: Path, source: Path) -> bool:
    one, other = kept.lstat(), source.lstat()
    if stat.S_ISDIR(one.st_mode) and stat.S_ISDIR(other.st_mode):
        return True
    if not (stat.S_ISREG(one.st_mode) and stat.S_ISREG(other.st_mode)):
        return False
    alike = (one.st_size, one.st_mtime_ns, one.st_uid) == (other.st_size, other.st_mtime_ns, other.st_uid)
    return alike and bounded_copy.same(kept, source)


def _private(folder: Path) -> None:
    """Make *folder* and what is above it, for root alone where they are new."""
    for path in (*reversed(folder.parents), folder):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)


def _durable(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Seizing of files: moved aside and kept for audit with owner, mode and times, in a directory only root can enter.

Rules of this file:
- nothing is deleted; under the case's directory everything lies at its old path, so no list is needed to find it again;
- homes belong to their owners, who may have put a link or another file in any place: below a home no link is followed,
  a link in place of a directory is itself what is moved, and only names are taken, never what they lead to;
- a move across filesystems is a copy, made durable, and then the removal of the original; interrupted and repeated it
  ends the same. A second file from the same place is kept beside the first as ``NAME.1``;
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


def seize(
    top: Path, below: str, seized: Path, owner: int | None = None, allowed: Allowance | None = None
) -> Path | None:
    """Move ``top/below`` to ``seized/top/below``; return its new path, ``None`` when there was nothing.

    *allowed* is the allowance for copies, shared by several moves; what exceeds it is closed in place, and then the
    path returned is not below *seized*, whose last part is the name of the case. *top* is trusted, links in it
    included; *below*, relative to it, is not. With *owner*, *top* must be that uid's and a directory, else there is
    nothing. Raises ``OSError`` when the path exists and could not be moved.
    """
    parts = Path(below).parts
    if ".." in parts or Path(below).is_absolute():
        raise OSError(errno.EINVAL, "not a place below", below)
    try:
        directory = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if owner is not None and os.fstat(directory).st_uid != owner:
            return None
        for depth, name in enumerate(parts, 1):
            try:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            except FileNotFoundError:
                return None
            if depth < len(parts) and stat.S_ISDIR(status.st_mode):
                inner = os.open(name, _DIRECTORY, dir_fd=directory)
                os.close(directory)
                directory = inner
                continue
            # the path itself, or a link or file in place of one of its directories
            place = top.joinpath(*parts[:depth])
            try:
                return _move(directory, name, seized / str(place).lstrip("/"), allowed or Allowance.at(seized))
            except OSError as error:
                if error.errno not in TOO_MUCH:
                    raise
                return place.with_name(_close(directory, name, seized.name))
    finally:
        os.close(directory)
    return None


def _close(folder: int, name: str, case: str) -> str:
    """Make *name* root's and closed to all others, under a name that starts nothing; return that name."""
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
        ):  # an earlier move of this directory was interrupted, or it was made again: its contents follow
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
        status = os.fstat(inner)
        for below in sorted(os.listdir(inner)):  # noqa: PTH208 - by descriptor
            _move(inner, below, to / below, allowed, depth + 1)
    finally:
        os.close(inner)
    _dress(to, status)
    os.rmdir(name, dir_fd=folder)


def _copy(folder: int, name: str, to: Path, allowed: Allowance, depth: int) -> None:
    """Move one inode to another filesystem. Fifos, sockets and devices are made anew, never opened."""
    source = Path(f"/proc/self/fd/{folder}") / name
    status = source.lstat()
    if stat.S_ISDIR(status.st_mode):
        to.mkdir(mode=0o700)
        _move_inside(folder, name, to, allowed, depth)
        return
    fresh = to.with_name(f"{to.name}.partial")
    fresh.unlink(missing_ok=True)
    if stat.S_ISLNK(status.st_mode):
        fresh.symlink_to(source.readlink())
    elif stat.S_ISREG(status.st_mode):
        bounded_copy.copy_file(folder, name, fresh)
    else:
        os.mknod(fresh, stat.S_IFMT(status.st_mode) | 0o600, status.st_rdev)
    _dress(fresh, status)
    fresh.rename(to)
    os.unlink(name, dir_fd=folder)


def _dress(path: Path, status: os.stat_result) -> None:
    """Give *path* the owner, mode and times of its original, without set-uid and set-gid bits: it is evidence."""
    os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        path.chmod(stat.S_IMODE(status.st_mode) & ~(stat.S_ISUID | stat.S_ISGID))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def _free(to: Path, source: Path) -> Path:
    """Return *to*, or the first ``to.N`` that is free, a copy of *source*, or a directory as *source* is."""
    number = 0
    at = to
    while os.path.lexists(at) and not _same(at, source):
        number += 1
        at = to.with_name(f"{to.name}.{number}")
    return at


def _same(copy: Path, source: Path) -> bool:
    copy_status, source_status = copy.lstat(), source.lstat()
    if stat.S_ISDIR(copy_status.st_mode) and stat.S_ISDIR(source_status.st_mode):
        return True
    if not (stat.S_ISREG(copy_status.st_mode) and stat.S_ISREG(source_status.st_mode)):
        return False
    alike = (copy_status.st_size, copy_status.st_mtime_ns, copy_status.st_uid) == (
        source_status.st_size,
        source_status.st_mtime_ns,
        source_status.st_uid,
    )
    return alike and bounded_copy.same(copy, source)


def _private(folder: Path) -> None:
    """Make *folder* and its parents, for root alone where they are new."""
    for path in (*reversed(folder.parents), folder):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)


def _durable(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

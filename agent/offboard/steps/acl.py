"""Deny entries over every inode of every area: what is refused even where the agent does not run.

Rules of this file:
- no file is opened: attributes are set by path, through the way into the area that the context gives;
- the entry is on the inode and not only on the directory, because a hard link or a moved file leaves the directory;
- the owner of a file is not subject to its ACL and could change it, so what the person owns becomes root's; who it was
  is kept beside the case first (``owners.jsonl``);
- a default ACL is changed only where there is one: a new one would switch off other people's umask (acl(5)).
"""

import errno
import json
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from agent.kernel.walk import WalkEntry, WalkFailure
from agent.offboard.context import AreaPath, RevocationContext, RevocationSubject
from agent.offboard.steps import acl_bytes, places
from agent.offboard.steps.acl_bytes import ACCESS, DEFAULT, Acl
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text
from rules.visible import visible

_SHOWN = 20
_OWNERS = "owners.jsonl"

_KEPT = 1000  # different ACLs whose change is remembered

Change = Callable[[Acl], Acl]


class Rewrite:
    """A change of ACLs, worked out once for each different one: most files of an area have the same."""

    def __init__(self, how: Change) -> None:
        self._how = how
        self._known: dict[bytes | int, bytes | None] = {}

    def of(self, raw: bytes | None, mode: int) -> bytes | None:
        """Return the attribute that takes the place of *raw*, ``None`` when *raw* is right as it is.

        Without an attribute the permission bits of *mode* count. Raises ``ValueError`` when *raw* is no ACL.
        """
        key = mode & 0o777 if raw is None else raw
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            before = acl_bytes.of_mode(mode) if raw is None else acl_bytes.parse(raw)
            after = self._how(before)
            self._known[key] = None if after == before else acl_bytes.render(after)
        return self._known[key]


class Tour:
    """One pass over areas: what was changed, what was as it should be, and where it could not go."""

    def __init__(self) -> None:
        self.changed = 0
        self.same = 0
        self.owned = 0
        self.troubles: list[str] = []
        self.trouble_count = 0
        self.without: list[str] = []

    def facts(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "changed": self.changed,
            "same": self.same,
            "owned": self.owned,
            "troubles": self.troubles,
            "trouble_count": self.trouble_count,
            "without_acls": self.without,
        }

    def trouble(self, path: str, code: int) -> None:
        """Note a place that could not be changed."""
        self.trouble_count += 1
        if len(self.troubles) < _SHOWN:
            self.troubles.append(f"{path}: {os.strerror(code)}")


def change(at: str, mode: int, rewrite: Rewrite) -> bool:
    """Change the ACL of one inode, and its default ACL if it has one; return whether that changed anything.

    Raises ``OSError``; ENOTSUP means that the filesystem keeps no ACLs.
    """
    changed = _set(at, ACCESS, rewrite, _get(at, ACCESS), mode)
    default = _get(at, DEFAULT) if stat.S_ISDIR(mode) else None
    return (default is not None and _set(at, DEFAULT, rewrite, default, mode)) or changed


def allow_again(leaver: RevocationSubject, context: RevocationContext) -> Tour:
    """Take the deny entries of *leaver* away again, in their areas. Owners stay: see ``owners.jsonl``."""
    tour = Tour()
    rewrite = Rewrite(lambda acl: acl_bytes.undo(acl, leaver.uids))
    for area in _theirs(leaver, context):
        _visit(area, context, tour, lambda inode: change(inode.at, inode.found.st_mode, rewrite))
    return tour


def _theirs(leaver: RevocationSubject, context: RevocationContext) -> list[AreaPath]:
    return [area for area in context.areas() if not leaver.areas or area.name in leaver.areas]


def _look_back(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    names = [visible(area.name) for area in _theirs(leaver, context)]
    return tuple(StepTarget(Text(f"deny entries in area `{name}`", f"目录 `{name}` 中的拒绝项")) for name in names)


def _run_back(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    tour = allow_again(leaver, context)
    if tour.trouble_count:
        return _result(tour, 0)
    count = tour.changed
    text = Text(f"taken away on {count} files and directories", f"已从 {count} 个文件和目录移除")
    return StepResult(StepState.DONE, text, tour.facts())


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when the host has no area."""
    return None if any(True for _ in context.areas()) else Text("there is no area on this host", "本机没有涉密目录")


def look(_leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the areas."""
    names = (visible(area.name) for area in context.areas())
    return tuple(StepTarget(Text(f"deny entries in area `{name}`", f"目录 `{name}` 中的拒绝项")) for name in names)


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Deny on every inode. ``done`` when each one was reached; the canary of the proof confirms it."""
    return run_together([(leaver, case)], context)[0]


def run_together(leavers: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """Deny all of *leavers* in one pass. What the pass changed is in the facts of each, whoever it was changed for."""
    uids = sorted({uid for leaver, _ in leavers for uid in leaver.uids})
    rewrite = Rewrite(lambda acl: acl_bytes.deny(acl, uids))
    tour, owned = Tour(), [0] * len(leavers)
    with ExitStack() as stack:
        owners: dict[int, tuple[int, _Owners]] = {}
        for number, (leaver, case) in enumerate(leavers):
            kept = stack.enter_context(_Owners(places.kept(context, case) / _OWNERS))
            owners |= dict.fromkeys(leaver.uids, (number, kept))

        def deny(inode: WalkEntry) -> bool:
            theirs = owners.get(inode.found.st_uid)
            if theirs:
                number, kept = theirs
                kept.note(inode)
                os.chown(inode.at, 0, -1, follow_symlinks=False)
                owned[number] += 1
            return change(inode.at, inode.found.st_mode, rewrite) or theirs is not None

        for area in context.areas():
            _visit(area, context, tour, deny)
    return [_result(tour, count) for count in owned]


def _result(tour: Tour, owned: int) -> StepResult:
    tour.owned = owned
    if tour.trouble_count:
        first = visible(tour.troubles[0])
        text = Text(
            f"{tour.trouble_count} places were not reached, first `{first}`",
            f"有 {tour.trouble_count} 处未能处理，首个为 `{first}`",
        )
        return StepResult(StepState.PENDING, text, tour.facts())
    if tour.without:
        names = visible(", ".join(tour.without))
        text = Text(f"the filesystem of `{names}` keeps no ACLs", f"`{names}` 所在文件系统不支持 ACL")
        return StepResult(StepState.DONE if tour.changed + tour.same else StepState.SKIPPED, text, tour.facts())
    total = tour.changed + tour.same
    return StepResult(
        StepState.DONE,
        Text(f"denied on {total} files and directories", f"已在 {total} 个文件和目录上拒绝"),
        tour.facts(),
    )


def _visit(area: AreaPath, context: RevocationContext, tour: Tour, act: Callable[[WalkEntry], bool]) -> None:
    try:
        for item in context.walk(area.path):
            if isinstance(item, WalkFailure):
                tour.trouble(item.path, item.error)
                continue
            if stat.S_ISLNK(item.found.st_mode):  # it has no ACL, and what it leads to has its own
                continue
            try:
                if act(item):
                    tour.changed += 1
                else:
                    tour.same += 1
            except FileNotFoundError:  # deleted since it was listed
                continue
            except OSError as error:
                if error.errno == errno.ENOTSUP:
                    tour.without.append(area.name)
                    return
                tour.trouble(item.path, error.errno or errno.EIO)
    except OSError as error:
        tour.trouble(area.path, error.errno or errno.EIO)


def _get(at: str, name: str) -> bytes | None:
    try:
        return os.getxattr(at, name, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        raise


def _set(at: str, name: str, rewrite: Rewrite, before: bytes | None, mode: int) -> bool:
    try:
        after = rewrite.of(before, mode)
    except ValueError:
        raise OSError(errno.EIO, "the ACL cannot be read", at) from None
    if after is None:
        return False
    os.setxattr(at, name, after, follow_symlinks=False)
    return True


class _Owners:
    """Who owned what, one JSON line an inode, written before it changes hands. Repeating a run adds no line twice."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[tuple[int, int]] = set()
        self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.fsync(self._fd)
            os.close(self._fd)

    def note(self, inode: WalkEntry) -> None:
        """Write the line of *inode*, unless it is there."""
        if self._fd < 0:
            self._open()
        found = inode.found
        if (found.st_dev, found.st_ino) not in self._known:
            self._known.add((found.st_dev, found.st_ino))
            line = {"dev": found.st_dev, "ino": found.st_ino, "uid": found.st_uid, "path": inode.path}
            os.write(self._fd, json.dumps(line).encode() + b"\n")

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for line in self._path.read_bytes().splitlines():
            try:
                known = json.loads(line)
                self._known.add((known["dev"], known["ino"]))
            except (ValueError, KeyError, TypeError):  # a line that was cut short: its inode has not changed hands
                continue


STEP = RevocationStep(
    "acl",
    Text("deny entries on every classified file", "在每个涉密文件上设置拒绝项"),
    probe,
    look,
    run,
    together=run_together,
)

BACK = RevocationStep("acl-back", Text("take the deny entries away", "移除拒绝项"), probe, _look_back, _run_back)
"""The opposite, where a grant is given again after a departure that was taken back."""

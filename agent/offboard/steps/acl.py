"""Deny entries over every inode of every area: what is refused even where the agent does not run.

Rules of this file:
- no file is opened: attributes are set by path, through the way into the area that the context gives;
- the entry is on the inode and not only on the directory, because a hard link or a moved file leaves the directory;
- the owner of a file is not subject to its ACL and could change it, so what the person owns becomes root's; who it was
  is kept beside the case first (``owners.jsonl``);
- a default ACL is changed only where there is one: a new one would switch off other people's umask (acl(5));
- an ACL that takes no more entries is no failure: the decider's denial stands there alone, and the step says where;
- entries are for users, never for groups: another group's entry that allows would outweigh one that denies (acl(5));
- which accounts have entries where is remembered before the first one is set (``RevocationContext.denials``).
"""

import errno
import json
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
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

# ext4 has one block for all attributes of an inode (ENOSPC), xfs a number of entries (E2BIG), the VFS 64 KiB (ERANGE).
_NO_ROOM = frozenset((errno.ENOSPC, errno.ERANGE))

Change = Callable[[Acl], Acl]


class FullAclError(OSError):
    """The ACL of an inode takes no more entries."""


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
        self.full: list[str] = []
        self.full_count = 0

    def facts(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "changed": self.changed,
            "same": self.same,
            "owned": self.owned,
            "troubles": self.troubles,
            "trouble_count": self.trouble_count,
            "without_acls": self.without,
            "full": self.full,
            "full_count": self.full_count,
        }

    def keeps_no_more(self, path: str) -> None:
        """Note a place whose ACL takes no more entries."""
        self.full_count += 1
        if len(self.full) < _SHOWN:
            self.full.append(path)

    def add(self, other: "Tour") -> None:
        """Count what *other* met as well."""
        self.changed += other.changed
        self.same += other.same
        self.owned += other.owned
        self.trouble_count += other.trouble_count
        self.full_count += other.full_count
        self.troubles = (self.troubles + other.troubles)[:_SHOWN]
        self.full = (self.full + other.full)[:_SHOWN]
        self.without += other.without

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
    """Take the deny entries of *leaver* away again, in their areas, and remember that where all were reached.

    Raises ``ShoumiError`` when it could not be remembered: it is then done again.
    """
    whole = Tour()
    for area in _theirs(leaver, context):
        tour = take_away(leaver.uids, area, context)
        whole.add(tour)
        if not tour.trouble_count and context.denials:
            context.denials.removed(leaver.uids, (area.name,))
    return whole


def take_away(uids: Iterable[int], area: AreaPath, context: RevocationContext) -> Tour:
    """Take the deny entries of *uids* away in *area*. Owners stay: see ``owners.jsonl``."""
    tour, theirs = Tour(), frozenset(uids)
    rewrite = Rewrite(lambda acl: acl_bytes.undo(acl, theirs))
    _visit(area, context, tour, lambda inode: change(inode.at, inode.found.st_mode, rewrite))
    return tour


def denied_here(path: str, uids: Iterable[int], top: str) -> frozenset[int]:
    """Return which of *uids* an entry on *path*, or on a directory between *top* and it, refuses. Looks, opens nothing.

    What cannot be looked at refuses nobody, as far as this can tell.
    """
    places = [path]
    while places[-1] != top and len(places[-1]) > len(top):
        places.append(str(Path(places[-1]).parent))
    found: set[int] = set()
    for place in places:
        with suppress(OSError, ValueError):
            raw = os.getxattr(place, ACCESS, follow_symlinks=False)
            owner = os.stat(place, follow_symlinks=False).st_uid  # noqa: PTH116 - as the line above
            given = acl_bytes.parse(raw)
            found |= {uid for uid in uids if uid != owner and acl_bytes.denies(given, {uid})}
    return frozenset(found)


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
    areas = tuple(context.areas())
    if context.denials:
        for leaver, case in leavers:
            context.denials.set(case, leaver.id, leaver.uids, areas)
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

        for area in areas:
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
    if tour.full_count:
        first, count = visible(tour.full[0]), tour.full_count
        text = Text(
            f"denied on {total} files and directories; the ACLs of {count} take no more entries, first `{first}`:"
            " there the agent's denial stands alone",
            f"已在 {total} 个文件和目录上拒绝；{count} 处的 ACL 已满，首个为 `{first}`：该处仅由代理拒绝",
        )
        return StepResult(StepState.DONE, text, tour.facts())
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
                if isinstance(error, FullAclError):
                    tour.keeps_no_more(item.path)
                    continue
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
    try:
        os.setxattr(at, name, after, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.E2BIG or (error.errno in _NO_ROOM and _outgrows_a_block(at, after)):
            raise FullAclError(error.errno, error.strerror, at) from error
        raise
    return True


def _outgrows_a_block(at: str, attribute: bytes) -> bool:
    """Whether *attribute* and those the inode has fill most of what a filesystem keeps of them: one block, on ext4.

    A full disk says the same of few and short ones. The kernel keeps entries no shorter than half of how they are
    handed in.
    """
    filled, most = len(attribute), os.statvfs(at).f_frsize // 2
    for name in os.listxattr(at, follow_symlinks=False):
        if filled >= most:
            break  # an owner may have set thousands, of 64 KiB each
        filled += len(name) + len(os.getxattr(at, name, follow_symlinks=False))
    return filled >= most


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
            except (
                ValueError,
                KeyError,
                TypeError,
                RecursionError,
            ):  # a line that was cut short: its inode has not changed hands
                continue


STEP = RevocationStep(
    "acl",
    Text("deny entries on every classified file", "在每个涉密文件上设置拒绝项"),
    probe,
    look,
    run,
    together=run_together,
    partly=Text("deny entries on classified files", "在涉密文件上设置拒绝项"),
)

BACK = RevocationStep("acl-back", Text("take the deny entries away", "移除拒绝项"), probe, _look_back, _run_back)
"""The opposite, where a grant is given again after a departure that was taken back."""

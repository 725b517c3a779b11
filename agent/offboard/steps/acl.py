"""The ACL step: deny entries on every inode of every area, which refuse access even where the agent does not run.

Rules of this file:
- no file is opened: attributes are set by path, through the way into the area that the context gives;
- the entry is on the inode and not only on the directory, because a hard link or a moved file leaves the directory;
- the owner of a file is not subject to its ACL and could change it, so files of the person become root's; their owner
  is recorded beside the case first (``owners.jsonl``);
- a default ACL is changed only where there is one: a new one would switch off other people's umask (acl(5));
- an ACL that takes no more entries is no failure: only the decider denies access there, and the step names the place;
- entries are for users, never for groups: another group's entry that allows would outweigh one that denies (acl(5));
- the accounts with entries and their areas are recorded before the first entry is set (``RevocationContext.denials``).
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
from rules.text import Message, Sentence
from rules.visible import visible

_SHOWN = 20
_OWNERS = "owners.jsonl"

_KEPT = 1000  # different ACLs whose change is cached

# ext4 has one block for all attributes of an inode (ENOSPC), xfs a number of entries (E2BIG), the VFS 64 KiB (ERANGE).
_NO_ROOM = frozenset((errno.ENOSPC, errno.ERANGE))

Change = Callable[[Acl], Acl]


class FullAclError(OSError):
    """The ACL of an inode takes no more entries."""


class Rewrite:
    """A change of ACLs, worked out once for each different one: most files of an area have the same."""

    def __init__(self, how: Change) -> None:
        self._how = how
        self._cache: dict[bytes | int, bytes | None] = {}

    def of(self, raw: bytes | None, mode: int) -> bytes | None:
        """Return the attribute that takes the place of *raw*, ``None`` when *raw* is right as it is.

        Without an attribute the permission bits of *mode* count. Raises ``ValueError`` when *raw* is no ACL.
        """
        key = mode & 0o777 if raw is None else raw
        if key not in self._cache:
            if len(self._cache) >= _KEPT:
                self._cache.clear()
            before = acl_bytes.of_mode(mode) if raw is None else acl_bytes.parse(raw)
            after = self._how(before)
            self._cache[key] = None if after == before else acl_bytes.render(after)
        return self._cache[key]


class Tour:
    """One pass over areas: the inodes changed, those already right, and those not reached."""

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
        """Record a place whose ACL takes no more entries."""
        self.full_count += 1
        if len(self.full) < _SHOWN:
            self.full.append(path)

    def add(self, further: "Tour") -> None:
        """Add the counts of *further*."""
        self.changed += further.changed
        self.same += further.same
        self.owned += further.owned
        self.trouble_count += further.trouble_count
        self.full_count += further.full_count
        self.troubles = (self.troubles + further.troubles)[:_SHOWN]
        self.full = (self.full + further.full)[:_SHOWN]
        self.without += further.without

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
    for area in _areas_of(leaver, context):
        tour = take_away(leaver.uids, area, context)
        whole.add(tour)
        if not tour.trouble_count and context.denials:
            context.denials.removed(leaver.uids, (area.name,))
    return whole


def take_away(uids: Iterable[int], area: AreaPath, context: RevocationContext) -> Tour:
    """Take the deny entries of *uids* away in *area*. Owners stay: see ``owners.jsonl``."""
    tour, removed_uids = Tour(), frozenset(uids)
    rewrite = Rewrite(lambda acl: acl_bytes.undo(acl, removed_uids))
    _visit(area, context, tour, lambda inode: change(inode.at, inode.found.st_mode, rewrite))
    return tour


def denied_here(path: str, uids: Iterable[int], top: str) -> frozenset[int]:
    """Return which of *uids* an entry on *path*, or on a directory between *top* and it, refuses. Opens nothing.

    A place that cannot be read refuses nobody, as far as this can tell.
    """
    places = [path]
    while places[-1] != top and len(places[-1]) > len(top):
        places.append(str(Path(places[-1]).parent))
    refused: set[int] = set()
    for place in places:
        with suppress(OSError, ValueError):
            raw = os.getxattr(place, ACCESS, follow_symlinks=False)
            owner = os.stat(place, follow_symlinks=False).st_uid  # noqa: PTH116 - as the line above
            acl = acl_bytes.parse(raw)
            refused |= {uid for uid in uids if uid != owner and acl_bytes.denies(acl, {uid})}
    return frozenset(refused)


def _areas_of(leaver: RevocationSubject, context: RevocationContext) -> list[AreaPath]:
    return [area for area in context.areas() if not leaver.areas or area.name in leaver.areas]


def _find_targets_back(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    names = [visible(area.name) for area in _areas_of(leaver, context)]
    return tuple(StepTarget(Message("offboard.deny-entries-area", name=name)) for name in names)


def _run_back(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    tour = allow_again(leaver, context)
    if tour.trouble_count:
        return _step_result(tour, 0)
    count = tour.changed
    text = Message("offboard.deny-entries-removed", count=count)
    return StepResult(StepState.DONE, text, tour.facts())


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when the host has no area."""
    return None if any(True for _ in context.areas()) else Message("offboard.no-area")


def find_targets(_leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the areas."""
    names = (visible(area.name) for area in context.areas())
    return tuple(StepTarget(Message("offboard.deny-entries-area", name=name)) for name in names)


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Deny on every inode. ``done`` when each one was reached; the canary of the proof confirms it."""
    return run_together([(leaver, case)], context)[0]


def run_together(leavers: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """Deny all of *leavers* in one pass. The counts of the pass are in the facts of each."""
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
            owner_file = stack.enter_context(_Owners(places.seized_folder(context, case) / _OWNERS))
            owners |= dict.fromkeys(leaver.uids, (number, owner_file))

        def deny(inode: WalkEntry) -> bool:
            owner_entry = owners.get(inode.found.st_uid)
            if owner_entry:
                number, owner_file = owner_entry
                owner_file.note(inode)
                os.chown(inode.at, 0, -1, follow_symlinks=False)
                owned[number] += 1
            return change(inode.at, inode.found.st_mode, rewrite) or owner_entry is not None

        for area in areas:
            _visit(area, context, tour, deny)
    return [_step_result(tour, count) for count in owned]


def _step_result(tour: Tour, owned: int) -> StepResult:
    tour.owned = owned
    if tour.trouble_count:
        first = visible(tour.troubles[0])
        text = Message("offboard.paths-not-reached", count=tour.trouble_count, first=first)
        return StepResult(StepState.PENDING, text, tour.facts())
    if tour.without:
        text = Message("offboard.filesystem-without-acls", areas=[f"`{area}`" for area in tour.without])
        return StepResult(StepState.DONE if tour.changed + tour.same else StepState.SKIPPED, text, tour.facts())
    total = tour.changed + tour.same
    if tour.full_count:
        first, count = visible(tour.full[0]), tour.full_count
        text = Message("offboard.deny-entries-set-some-acls-full", total=total, full=count, first=first)
        return StepResult(StepState.DONE, text, tour.facts())
    return StepResult(
        StepState.DONE,
        Message("offboard.deny-entries-set", count=total),
        tour.facts(),
    )


def _visit(area: AreaPath, context: RevocationContext, tour: Tour, act: Callable[[WalkEntry], bool]) -> None:
    try:
        for inode in context.walk(area.path):
            if isinstance(inode, WalkFailure):
                tour.trouble(inode.path, inode.error)
                continue
            if stat.S_ISLNK(inode.found.st_mode):  # a link has no ACL, and its target has its own
                continue
            try:
                if act(inode):
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
                    tour.keeps_no_more(inode.path)
                    continue
                tour.trouble(inode.path, error.errno or errno.EIO)
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
    """Whether *attribute* and those of the inode fill most of what a filesystem keeps of them: one block, on ext4.

    A full disk gives the same error for few and short ones. The kernel stores an entry in no less than half its length.
    """
    filled, most = len(attribute), os.statvfs(at).f_frsize // 2
    for name in os.listxattr(at, follow_symlinks=False):
        if filled >= most:
            break  # an owner may have set thousands, of 64 KiB each
        filled += len(name) + len(os.getxattr(at, name, follow_symlinks=False))
    return filled >= most


class _Owners:
    """The former owners, one JSON line per inode, written before the owner changes; a repeated run adds none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cache: set[tuple[int, int]] = set()
        self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.fsync(self._fd)
            os.close(self._fd)

    def note(self, inode: WalkEntry) -> None:
        """Write the line of *inode*, unless it exists."""
        if self._fd < 0:
            self._open()
        status = inode.found
        if (status.st_dev, status.st_ino) not in self._cache:
            self._cache.add((status.st_dev, status.st_ino))
            line = {"dev": status.st_dev, "ino": status.st_ino, "uid": status.st_uid, "path": inode.path}
            os.write(self._fd, json.dumps(line).encode() + b"\n")

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for line in self._path.read_bytes().splitlines():
            try:
                record = json.loads(line)
                self._cache.add((record["dev"], record["ino"]))
            except (
                ValueError,
                KeyError,
                TypeError,
                RecursionError,
            ):  # a line that was cut short: its inode has not changed hands
                continue


STEP = RevocationStep(
    "acl",
    Message("common.deny-entries-every-classified-file"),
    probe,
    find_targets,
    run,
    together=run_together,
    partly=Message("common.deny-entries-classified-files"),
)

BACK = RevocationStep("acl-back", Message("common.take-deny-entries-away"), probe, _find_targets_back, _run_back)
"""The opposite, where a grant is restored after a rescinded departure."""

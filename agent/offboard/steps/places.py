"""Places on a host where programs start or logins are kept for a person, and the accounts of the host.

Rules of this file: read-only, except :func:`move_all`. A user's file may contain anything and is parsed accordingly.
``root`` stands before every path, so that a simulated host in a directory is read like a real one.
"""

import os
import pwd
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from agent.offboard.context import Account, RevocationContext, RevocationSubject
from agent.offboard.steps.bounded_copy import Allowance
from agent.offboard.steps.seizing import seize
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Message, Sentence
from rules.visible import visible

_SHOWN = 5  # paths closed in place that a sentence names


class PersonalPlace(NamedTuple):
    """``top`` is trusted, ``below`` is not; with ``owner`` only when ``top`` is that uid's own directory."""

    top: Path
    below: str
    owner: int | None = None

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.top / self.below

    @property
    def exists(self) -> bool:
        """Whether the path exists. A link counts, wherever it leads."""
        return os.path.lexists(self.path)


Places = Callable[[RevocationSubject, RevocationContext], Iterable[PersonalPlace]]
Probe = Callable[[RevocationSubject, RevocationContext], Sentence | None]


class Login(NamedTuple):
    """A line of passwd(5)."""

    name: str
    uid: int
    home: str


def local_logins(root: Path) -> list[Login]:
    """Return the well-formed lines of ``/etc/passwd``; empty when there is no such file."""
    try:
        lines = (root / "etc/passwd").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    cells = [line.split(":") for line in lines]
    return [Login(cell[0], int(cell[2]), cell[5]) for cell in cells if len(cell) == 7 and cell[2].isdecimal()]


def accounts(uids: Iterable[int], root: Path = Path("/")) -> tuple[Account, ...]:
    """Return each uid with all its names on this host: those of ``/etc/passwd``, else of its directory service."""
    local = local_logins(root)
    resolved = []
    for uid in uids:
        logins = [login for login in local if login.uid == uid]
        if not logins and root == Path("/"):
            logins = _from_directory(uid)
        names = tuple(dict.fromkeys(login.name for login in logins))
        resolved.append(Account(uid, names, logins[0].home if logins else ""))
    return tuple(resolved)


def _from_directory(uid: int) -> list[Login]:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return []
    return [Login(entry.pw_name, entry.pw_uid, entry.pw_dir)]


def named(leaver: RevocationSubject) -> list[tuple[Account, str]]:
    """Return each account with each of its names that can be a file name."""
    return [
        (account, name)
        for account in leaver.accounts
        for name in account.names
        if name not in ("", ".", "..") and "/" not in name
    ]


def in_homes(leaver: RevocationSubject, context: RevocationContext, *below: str) -> list[PersonalPlace]:
    """Return these places in every home of *leaver* that is theirs; ``/`` and shared homes are not."""
    return [
        PersonalPlace(home, subpath, account.uid)
        for account in leaver.accounts
        if account.home.strip("/")
        and (home := context.root / account.home.strip("/")).is_dir()
        and home.stat().st_uid == account.uid
        for subpath in below
    ]


def owned_in(folder: Path, uids: Iterable[int], prefix: str = "") -> list[PersonalPlace]:
    """Return the files of *folder* that belong to one of *uids*, links not followed."""
    owner_uids = frozenset(uids)
    try:
        with os.scandir(folder) as directory:
            entries = [
                (entry.name, entry.stat(follow_symlinks=False)) for entry in directory if entry.name.startswith(prefix)
            ]
    except OSError:
        return []
    return [
        PersonalPlace(folder, name)
        for name, status in sorted(entries)
        if status.st_uid in owner_uids and not stat.S_ISDIR(status.st_mode)
    ]


def seized_folder(context: RevocationContext, case: str) -> Path:
    """Return the directory of the case's seized files."""
    return context.seized / case


def move_all(places: Iterable[PersonalPlace], context: RevocationContext, case: str) -> StepResult:
    """Move every place aside; the ones that cannot be are named and leave the result pending."""
    moved: list[str] = []
    failed: list[str] = []
    closed: list[str] = []
    folder = seized_folder(context, case)
    try:
        allowed = Allowance.at(folder)
    except OSError:
        allowed = Allowance(0, 0)
    for place in places:
        try:
            at = seize(place.top, place.below, folder, place.owner, allowed)
        except OSError as error:
            failed.append(f"{place.path}: {error.strerror}")
        else:
            if at:
                (moved if at.is_relative_to(folder) else closed).append(str(at))
    facts = {"moved": moved, "failed": failed, "closed_in_place": closed}
    if failed:
        text = Message("offboard.move-failed", paths=[f"`{path}`" for path in failed])
        return StepResult(StepState.PENDING, text, facts)
    count = len(moved)
    if closed:
        paths = [f"`{path}`" for path in closed[:_SHOWN]]
        text = Message("offboard.paths-moved-some-too-large", count=count, more=len(closed), paths=paths)
        return StepResult(StepState.CONFIRMED, text, facts)
    text = Message("offboard.paths-moved", count=count) if count else Message("offboard.nothing-to-move")
    return StepResult(StepState.CONFIRMED, text, facts)


def planned_moves(places: Iterable[PersonalPlace]) -> tuple[StepTarget, ...]:
    """Return the existing places, as lines of the plan."""
    paths = (visible(str(place.path)) for place in places if place.exists)
    return tuple(StepTarget(Message("offboard.path-to-move", path=path)) for path in paths)


def moving(name: str, title: Sentence, find_places: Places, probe: Probe) -> RevocationStep:
    """Return the step that moves the places of *find_places* aside."""

    def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
        return planned_moves(find_places(leaver, context))

    def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
        return move_all(find_places(leaver, context), context, case)

    return RevocationStep(name, title, probe, find_targets, run)

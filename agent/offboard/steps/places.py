"""Where a host keeps what runs or logs in for a person, and the accounts it knows.

Rules of this file: only looks. What a user wrote is parsed as what it may be: anything. ``root`` stands before every
path, so that a made-up host in a directory is looked at like a real one.
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
from rules.text import Text
from rules.visible import visible

_SHOWN = 5  # things closed where they lie that a sentence names


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
    def there(self) -> bool:
        """Whether there is something. A link counts, wherever it leads."""
        return os.path.lexists(self.path)


Places = Callable[[RevocationSubject, RevocationContext], Iterable[PersonalPlace]]
Probe = Callable[[RevocationSubject, RevocationContext], Text | None]


class Login(NamedTuple):
    """A line of passwd(5)."""

    name: str
    uid: int
    home: str


def local_logins(root: Path) -> list[Login]:
    """Return the lines of ``/etc/passwd`` that are well formed; empty when there is no such file."""
    try:
        lines = (root / "etc/passwd").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    cells = [line.split(":") for line in lines]
    return [Login(cell[0], int(cell[2]), cell[5]) for cell in cells if len(cell) == 7 and cell[2].isdecimal()]


def accounts(uids: Iterable[int], root: Path = Path("/")) -> tuple[Account, ...]:
    """Return each uid with all its names on this host: those of ``/etc/passwd``, else of its directory service."""
    local = local_logins(root)
    found = []
    for uid in uids:
        logins = [login for login in local if login.uid == uid]
        if not logins and root == Path("/"):
            logins = _from_directory(uid)
        names = tuple(dict.fromkeys(login.name for login in logins))
        found.append(Account(uid, names, logins[0].home if logins else ""))
    return tuple(found)


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
        PersonalPlace(home, each, account.uid)
        for account in leaver.accounts
        if account.home.strip("/")
        and (home := context.root / account.home.strip("/")).is_dir()
        and home.stat().st_uid == account.uid
        for each in below
    ]


def owned_in(folder: Path, uids: Iterable[int], prefix: str = "") -> list[PersonalPlace]:
    """Return the files of *folder* that belong to one of *uids*, links not followed."""
    theirs = frozenset(uids)
    try:
        with os.scandir(folder) as found:
            entries = [
                (entry.name, entry.stat(follow_symlinks=False)) for entry in found if entry.name.startswith(prefix)
            ]
    except OSError:
        return []
    return [
        PersonalPlace(folder, name)
        for name, is_ in sorted(entries)
        if is_.st_uid in theirs and not stat.S_ISDIR(is_.st_mode)
    ]


def kept(context: RevocationContext, case: str) -> Path:
    """Return where the case keeps what was moved aside."""
    return context.seized / case


def move_all(places: Iterable[PersonalPlace], context: RevocationContext, case: str) -> StepResult:
    """Move every place aside; the ones that cannot be are named and leave the result pending."""
    moved: list[str] = []
    failed: list[str] = []
    closed: list[str] = []
    folder = kept(context, case)
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
        shown = visible("; ".join(failed))
        return StepResult(StepState.PENDING, Text(f"could not be moved: `{shown}`", f"无法移走：`{shown}`"), facts)
    count = len(moved)
    if closed:
        shown, more = visible("; ".join(closed[:_SHOWN])), len(closed)
        text = Text(
            f"{count} moved aside; {more} too large for that, closed where they lie: `{shown}`",
            f"已移出 {count} 项；{more} 项过大，已就地封存：`{shown}`",
        )
        return StepResult(StepState.CONFIRMED, text, facts)
    text = Text(f"{count} moved aside and kept", f"已移出并保留 {count} 项") if count else Text("none found", "未发现")
    return StepResult(StepState.CONFIRMED, text, facts)


def shown(places: Iterable[PersonalPlace]) -> tuple[StepTarget, ...]:
    """Return those that are there, as lines of the plan."""
    paths = (visible(str(place.path)) for place in places if place.there)
    return tuple(StepTarget(Text(f"`{path}`, moved aside", f"`{path}`（移出保留）")) for path in paths)


def moving(name: str, title: Text, where: Places, probe: Probe) -> RevocationStep:
    """Return the step that moves the things *where* aside."""

    def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
        return shown(where(leaver, context))

    def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
        return move_all(where(leaver, context), context, case)

    return RevocationStep(name, title, probe, look, run)

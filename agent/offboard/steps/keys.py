"""The keys step: the person's authorized_keys are moved aside, and the same SSH keys in other accounts are named.

Rules of this file: a key in another account belongs to that account, and an administrator decides whether it goes;
until then the step is pending. sshd drops no running session for any of this; the processes are ended by their own
step. Sources: sshd(8) "AUTHORIZED_KEYS FILE FORMAT", sshd_config(5) AuthorizedKeysFile.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Message, Sentence
from rules.visible import visible

_USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_KEY = re.compile(r"\b(?:ssh|ecdsa|sk)-[\w.@-]+[ \t]+(AAAA[0-9A-Za-z+/]+={0,2})")
_LARGEST = 1 << 20
_SECOND = 10  # files from one place that are read


def patterns(config: str) -> tuple[str, ...]:
    """Return the patterns of every AuthorizedKeysFile line of an sshd_config(5), those of ``Match`` blocks too."""
    listed = [
        pattern.strip('"')
        for line in config.splitlines()
        if (fields := line.replace("=", " ", 1).split()) and fields[0].lower() == "authorizedkeysfile"
        for pattern in fields[1:]
        if pattern != "none"
    ]
    return tuple(dict.fromkeys((*_USUAL, *listed)))


def expand(pattern: str, name: str, uid: int, home: str) -> str:
    """Return the path of *pattern* for one account: ``%h`` home, ``%u`` login, ``%U`` uid, ``%%`` a percent sign."""
    tokens = {"h": home, "u": name, "U": str(uid), "%": "%"}
    return re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), pattern)


def key_blobs(text: str) -> frozenset[str]:
    """Return the keys of an authorized_keys file, without their options and comments."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return frozenset(blob for line in lines for blob in _KEY.findall(line))


def personal_places(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return every file from which sshd would take a key for one of the accounts."""
    files: list[PersonalPlace] = []
    for account, name in places.named(leaver):
        for pattern in patterns(_config(context.root)):
            path = expand(pattern, name, account.uid, account.home)
            below_home = path.removeprefix(f"{account.home.rstrip('/')}/") if account.home.strip("/") else path
            if not below_home.startswith("/"):
                files += [place for place in places.in_homes(leaver, context, below_home) if place.owner == account.uid]
            elif ".." not in Path(path).parts and path != expand(pattern, "", 0, account.home):
                # a file of their own outside the home; a pattern without %u or %U is one file for all users
                files.append(PersonalPlace(context.root / path.lstrip("/").rpartition("/")[0], path.rpartition("/")[2]))
    return list(dict.fromkeys(files))


def elsewhere(leaver: RevocationSubject, context: RevocationContext, blobs: frozenset[str]) -> list[str]:
    """Return ``account: file`` for every other local account that one of these keys opens."""
    accounts = []
    for login in places.local_logins(context.root):
        if login.uid in leaver.uids or not blobs:
            continue
        for pattern in patterns(_config(context.root)):
            path = expand(pattern, login.name, login.uid, login.home)
            full = context.root / (path if path.startswith("/") else f"{login.home}/{path}").lstrip("/")
            if key_blobs(_read(full)) & blobs:
                accounts.append(f"{login.name}: {full}")
    return sorted(set(accounts))


def probe(leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when there is no place from which one of their keys could be taken."""
    has_place = any(place.top.is_dir() for place in personal_places(leaver, context))
    return None if has_place else Message("offboard.no-home")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the files that would be moved, and the other accounts that would be named."""
    files = personal_places(leaver, context)
    blobs = frozenset(blob for place in files for blob in key_blobs(_read(place.path)))
    by_hand = [visible(line) for line in elsewhere(leaver, context, blobs)]
    return places.planned_moves(files) + tuple(
        StepTarget(
            Message("offboard.same-key-to-remove-by-hand", line=line),
            Message("offboard.another-account"),
        )
        for line in by_hand
    )


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Move the files; pending while one of the keys in them still opens another account."""
    moved = places.move_all(personal_places(leaver, context), context, case)
    lines = elsewhere(
        leaver, context, _seized_blobs(personal_places(leaver, context), places.seized_folder(context, case))
    )
    if not lines or moved.state is StepState.PENDING:
        return moved
    text = Message("offboard.same-key-opens-other-accounts", accounts=[f"`{line}`" for line in lines])
    return StepResult(StepState.PENDING, text, {**moved.facts, "by_hand": lines})


def _seized_blobs(files: Iterable[PersonalPlace], folder: Path) -> frozenset[str]:
    """Return the keys in the case's copies of *files*: a resumed run finds them only there.

    Other copies are not read: their depth and amount were chosen by the person.
    """
    blobs: set[str] = set()
    for place in files:
        at = folder / str(place.path).lstrip("/")
        for file in (at, *(at.with_name(f"{at.name}.{number}") for number in range(1, _SECOND))):
            blobs |= key_blobs(_read(file))
    return frozenset(blobs)


def _config(root: Path) -> str:
    files = (root / "etc/ssh/sshd_config", *sorted((root / "etc/ssh/sshd_config.d").glob("*.conf")))
    return "\n".join(map(_read, files))


def _read(path: Path) -> str:
    """Return the beginning of a regular file, a last link not followed; empty for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return os.read(fd, _LARGEST).decode(errors="surrogateescape")
    except OSError:
        return ""
    finally:
        os.close(fd)
    return ""


STEP = RevocationStep("keys", Message("common.ssh-keys"), probe, find_targets, run)

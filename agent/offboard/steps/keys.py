"""SSH keys that log the person in: their authorized_keys, moved aside, and the same keys elsewhere, named.

Rules of this file: a key in somebody else's account is that account's, and whether it goes is decided by a human; until
then the step is pending. sshd drops no running session for any of this; the processes are ended by their own step.
Sources: sshd(8) "AUTHORIZED_KEYS FILE FORMAT", sshd_config(5) AuthorizedKeysFile.
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
from rules.text import Text
from rules.visible import visible

_USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_KEY = re.compile(r"\b(?:ssh|ecdsa|sk)-[\w.@-]+[ \t]+(AAAA[0-9A-Za-z+/]+={0,2})")
_LARGEST = 1 << 20
_SECOND = 10  # files from one place that are looked into


def patterns(config: str) -> tuple[str, ...]:
    """Return the patterns of every AuthorizedKeysFile line of an sshd_config(5), those of ``Match`` blocks too."""
    found = [
        pattern.strip('"')
        for line in config.splitlines()
        if (words := line.replace("=", " ", 1).split()) and words[0].lower() == "authorizedkeysfile"
        for pattern in words[1:]
        if pattern != "none"
    ]
    return tuple(dict.fromkeys((*_USUAL, *found)))


def expand(pattern: str, name: str, uid: int, home: str) -> str:
    """Return what *pattern* means for one account: ``%h`` home, ``%u`` login, ``%U`` uid, ``%%`` a percent sign."""
    tokens = {"h": home, "u": name, "U": str(uid), "%": "%"}
    return re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), pattern)


def key_blobs(text: str) -> frozenset[str]:
    """Return the keys of an authorized_keys file, without their options and comments."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return frozenset(blob for line in lines for blob in _KEY.findall(line))


def where(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return every file from which sshd would take a key for one of the accounts."""
    found: list[PersonalPlace] = []
    for account, name in places.named(leaver):
        for pattern in patterns(_config(context.root)):
            path = expand(pattern, name, account.uid, account.home)
            below_home = path.removeprefix(f"{account.home.rstrip('/')}/") if account.home.strip("/") else path
            if not below_home.startswith("/"):
                found += [place for place in places.in_homes(leaver, context, below_home) if place.owner == account.uid]
            elif ".." not in Path(path).parts and path != expand(pattern, "", 0, account.home):
                # a file of their own outside the home; a pattern without %u or %U is one file for everybody
                found.append(PersonalPlace(context.root / path.lstrip("/").rpartition("/")[0], path.rpartition("/")[2]))
    return list(dict.fromkeys(found))


def elsewhere(leaver: RevocationSubject, context: RevocationContext, blobs: frozenset[str]) -> list[str]:
    """Return ``account: file`` for every other local account that lets one of these keys in."""
    found = []
    for login in places.local_logins(context.root):
        if login.uid in leaver.uids or not blobs:
            continue
        for pattern in patterns(_config(context.root)):
            path = expand(pattern, login.name, login.uid, login.home)
            full = context.root / (path if path.startswith("/") else f"{login.home}/{path}").lstrip("/")
            if key_blobs(_read(full)) & blobs:
                found.append(f"{login.name}: {full}")
    return sorted(set(found))


def probe(leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when there is no place from which a key of theirs could be taken."""
    there = any(place.top.is_dir() for place in where(leaver, context))
    return None if there else Text("they have no home on this host", "其在本机没有主目录")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the files that would be moved, and the other accounts that would be named."""
    files = where(leaver, context)
    blobs = frozenset(blob for place in files for blob in key_blobs(_read(place.path)))
    by_hand = [visible(line) for line in elsewhere(leaver, context, blobs)]
    return places.shown(files) + tuple(
        StepTarget(
            Text(f"the same key in `{line}`, to be removed by hand", f"`{line}` 中的同一密钥（需手工移除）"),
            Text("another account", "其他账号"),
        )
        for line in by_hand
    )


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Move the files; pending while one of the keys in them still opens another account."""
    moved = places.move_all(where(leaver, context), context, case)
    lines = elsewhere(leaver, context, _seized_blobs(where(leaver, context), places.kept(context, case)))
    if not lines or moved.state is StepState.PENDING:
        return moved
    shown = visible("; ".join(lines))
    text = Text(f"the same key opens other accounts: `{shown}`", f"同一密钥还可登录其他账号：`{shown}`")
    return StepResult(StepState.PENDING, text, {**moved.facts, "by_hand": lines})


def _seized_blobs(files: Iterable[PersonalPlace], kept: Path) -> frozenset[str]:
    """Return the keys in what the case keeps of *files*: a resumed run finds them only there.

    Nothing else of it is looked into: it is as deep and as much as the person liked.
    """
    found: set[str] = set()
    for place in files:
        at = kept / str(place.path).lstrip("/")
        for file in (at, *(at.with_name(f"{at.name}.{number}") for number in range(1, _SECOND))):
            found |= key_blobs(_read(file))
    return frozenset(found)


def _config(root: Path) -> str:
    files = (root / "etc/ssh/sshd_config", *sorted((root / "etc/ssh/sshd_config.d").glob("*.conf")))
    return "\n".join(map(_read, files))


def _read(path: Path) -> str:
    """Return what a regular file begins with, a last link not followed; empty for anything else."""
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


STEP = RevocationStep("keys", Text("SSH keys", "SSH 密钥"), probe, look, run)

"""The outbox: signed answers to HR, each under its number, and the latest one under the name of the delivery.

    outbox/NUMBER.set           every answer; never changed, never replaced
    outbox/by-name/NAME.set     the newest answer about the delivery NAME.set

Rules of this file: only HR's drop user, and root, may list and read it; where the filesystem has no ACLs the drop user
cannot list it, and reads by name alone. Two processes answer, one after the other: an answer about a completed
departure is never replaced by one about its delivery.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import jwt

from agent.offboard.intake import answers
from agent.offboard.intake.agent_key import agent_key, public_jwks, sync, thumbprint, unusable, write
from agent.offboard.intake.answers import ANSWERED, COMPLETED, Answer, Completion
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.token import TYPE
from agent.offboard.steps import acl_bytes
from agent.offboard.steps.acl_bytes import AclEntry
from rules.text import foreign

__all__ = ["ANSWERED", "COMPLETED", "Answer", "Completion", "agent_key", "public_jwks", "thumbprint"]

SUFFIX: Final = ".set"
_LONGEST_NAME: Final = 255  # bytes, NAME_MAX


def folder(home: Path) -> Path:
    """Return where answers for HR are put."""
    return home / "outbox"


def by_name(home: Path) -> Path:
    """Return where answers lie under the names HR gave."""
    return folder(home) / "by-name"


def name_of(file: str) -> str:
    """Return the name of the answer about a delivery, which is the same as long as that is a plain one.

    *file* as made visible (:func:`rules.visible.visible`); one that is then too long is known by its SHA-256.
    """
    return file if len(os.fsencode(file)) <= _LONGEST_NAME else hashlib.sha256(file.encode()).hexdigest() + SUFFIX


def complete(
    home: Path,
    site: str,
    notice: HrNotice,
    completion: Completion,
    now: datetime,
    *,
    reader: int = 0,
    files: tuple[str, ...] = (),
) -> Path:
    """Put the signed answer to the departure *notice* into the outbox, durable, and return its path.

    *site* is the name HR addresses this agent by (:attr:`agent.offboard.intake.pinned_keys.PinnedKeys.audience`);
    *reader* is the uid that may read the answer besides root; *files* the names of the notice's deliveries. An existing
    answer of this state is not changed. Raises :class:`agent.errors.RefusedError`.
    """
    number = answers.completion_number(notice, completion.state)
    claims = partial(answers.completion, site, notice, completion, now)
    return _put(home, number, claims, reader, files, durable=True)


def answer(home: Path, site: str, reply: Answer, now: datetime, *, reader: int = 0) -> Path:
    """Put the signed answer to one delivery into the outbox, and return its path. Raises as :func:`complete` does.

    An answer that is followed by another, or given again when the file is dropped again, may be lost by a power cut.
    """
    durable = reply.state in answers.FINAL or reply.state == "quarantined"
    return _put(home, reply.number, partial(reply.claims, site, now), reader, (reply.file,), durable=durable)


def newest(home: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the answers by name, each with its claims, in the order of the names. Raises ``OSError``."""
    for file in sorted(file for file in by_name(home).iterdir() if file.suffix == SUFFIX):
        if (claims := payload(file)) is not None:
            yield file.name, claims


def payload(file: Path) -> dict[str, Any] | None:
    """Return the claims of an answer of the agent, ``None`` where there is none. Raises ``OSError``."""
    try:
        token = file.read_text("ascii")
        claims: dict[str, Any] = json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
    except (FileNotFoundError, ValueError, IndexError, RecursionError):
        return None
    return claims


def event_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one event of an answer's claims."""
    [event] = claims["events"].values()
    return dict(event)


def _put(
    home: Path,
    number: str,
    claims: Callable[[], dict[str, Any]],
    reader: int,
    files: tuple[str, ...],
    *,
    durable: bool,
) -> Path:
    target = folder(home) / f"{number}{SUFFIX}"
    try:
        with _alone(home, reader):
            if payload(target) is None:  # it does not exist, or a power cut left it empty
                key = agent_key(home)
                head = {"typ": TYPE, "kid": thumbprint(key.public_key())}
                _publish(
                    target, jwt.encode(claims(), key, algorithm="EdDSA", headers=head).encode(), reader, durable=durable
                )
            for file in files:
                _name(target, by_name(home) / name_of(file))
            if durable:
                sync(by_name(home))
                sync(folder(home))
    except OSError as error:
        raise unusable(target, foreign(error.strerror or "")) from error
    return target


@contextmanager
def _alone(home: Path, reader: int) -> Iterator[None]:
    """Make the directories readable to *reader*, and let one process at a time write answers."""
    for place in (folder(home), by_name(home)):
        place.mkdir(mode=0o711, exist_ok=True)
        _readable(place, reader)
    descriptor = os.open(folder(home), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _readable(place: Path, reader: int) -> None:
    """Let *reader* and root alone list and enter *place*."""
    if not reader:
        if place.stat().st_mode & 0o777 != 0o700:
            place.chmod(0o700)
        return
    own, other_users = AclEntry(acl_bytes.USER_OBJ, 7), AclEntry(acl_bytes.OTHER, 0)
    group, mask = AclEntry(acl_bytes.GROUP_OBJ, 0), AclEntry(acl_bytes.MASK, 5)
    wanted = acl_bytes.render([own, AclEntry(acl_bytes.USER, 5, reader), group, mask, other_users])
    with suppress(OSError):  # it has no ACLs, or none yet
        if os.getxattr(place, acl_bytes.ACCESS) == wanted:
            return
    try:
        os.setxattr(place, acl_bytes.ACCESS, wanted)
    except OSError:
        place.chmod(0o711)


def _publish(target: Path, contents: bytes, reader: int, *, durable: bool) -> None:
    unfinished = target.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)  # of an earlier attempt that was killed
    write(unfinished, contents, 0o400, reader, durable=durable)
    unfinished.rename(target)


def _name(target: Path, place: Path) -> None:
    """Make *place* a second name of the answer *target*, unless the present one says more about the same notice."""
    present, new_claims = payload(place), payload(target)
    if present and new_claims and _covers(present, new_claims):
        return
    unfinished = place.parent / ".unfinished"
    unfinished.unlink(missing_ok=True)
    os.link(target, unfinished)
    unfinished.rename(place)
    unfinished.unlink(missing_ok=True)  # two names of one file are not renamed over each other (rename(2))


def _covers(present: Mapping[str, Any], new_claims: Mapping[str, Any]) -> bool:
    present_event, new_event = event_of(present), event_of(new_claims)
    same = present_event.get("answers") is not None and (present.get("aud"), present_event["answers"]) == (
        new_claims.get("aud"),
        new_event.get("answers"),
    )
    return (
        same
        and present_event["state"] in answers.FINAL
        and (new_event["state"] not in answers.FINAL or present_event["state"] == "done")
    )

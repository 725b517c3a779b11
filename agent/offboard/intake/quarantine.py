"""The quarantine: right tokens that could not be acted on, each with its reason beside it.

Rules of this file: read-only, except that one file is moved back to be judged once more. The reasons were written by
the agent; an unreadable one is skipped, and its token stays in place.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from agent.errors import RefusedError
from agent.offboard.intake.spool import SUFFIX, Spool
from agent.offboard.intake.subject import FORMATS, Format
from rules.text import Message, Sentence, Text

UNKNOWN = "unknown-person"


class Aside(NamedTuple):
    """One token in quarantine. ``name`` is the file's without its ending; ``reference`` HR's number of the case."""

    name: str
    at: str
    reason: str
    text: Sentence
    person: str
    event: str
    reference: str
    key: tuple[str, str]  # issuer and number of the token
    named: str  # how HR named the person, where that is no employee number of its own
    sub_id: tuple[Format, str, str] | None  # the same, as :class:`.SubjectId` has it


def quarantined(spool: Path) -> Iterator[Aside]:
    """Yield the tokens in the quarantine of *spool*, in order of arrival."""
    try:
        names = sorted(file.name for file in (spool / "quarantine").iterdir())
    except FileNotFoundError:  # no channel has been set up
        return
    present = set(names)
    for name in names:
        stem = name.removesuffix(".json")
        if stem != name and stem + SUFFIX in present:
            try:
                about = json.loads((spool / "quarantine" / name).read_bytes())
                yield Aside(
                    stem,
                    str(about["at"]),
                    str(about["reason"]),
                    Text(about["text"]["en"], about["text"]["zh"]),
                    str(about["subject"]),
                    str(about["event"]),
                    str(about["txn"]),
                    (str(about["iss"]), str(about["jti"])),
                    str(about.get("named", "")),
                    _sub_id(about.get("sub_id")),
                )
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue


def _sub_id(sub_id: object) -> tuple[Format, str, str] | None:
    if not isinstance(sub_id, list) or len(sub_id) != 3 or sub_id[0] not in FORMATS:
        return None
    form, identifier, iss = sub_id
    return form, str(identifier), str(iss)


def count(spool: Path) -> int:
    """Return how many tokens are in the quarantine of *spool*."""
    with suppress(FileNotFoundError):
        return sum(file.suffix == SUFFIX for file in (spool / "quarantine").iterdir())
    return 0


def release(spool: Path, name: str) -> None:
    """Return the token *name* to be judged again. Raises :class:`RefusedError`."""
    opened = Spool(spool)
    try:
        opened.take_back(name)
        opened.sync()
    except OSError as error:
        raise RefusedError(Message("hr.cannot-write-to-disk", strerror=error.strerror)) from error
    finally:
        opened.close()

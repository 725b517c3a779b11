"""What lies in quarantine: right tokens about which nothing could be done, with the reason written beside each.

Rules of this file: it looks and changes nothing but the place of one file, which goes back to be judged once more. The
reasons were written by the agent; one that cannot be read is passed over, and its token stays where it is.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from agent.errors import RefusedError
from agent.offboard.intake.spool import SUFFIX, Spool
from agent.offboard.intake.subject import FORMATS, Format
from rules.text import Text

UNKNOWN = "unknown-person"


class Aside(NamedTuple):
    """One token in quarantine. ``name`` is the file's without its ending; ``reference`` HR's number of the case."""

    name: str
    at: str
    reason: str
    text: Text
    person: str
    event: str
    reference: str
    key: tuple[str, str]  # issuer and number of the token
    named: str  # how HR named the person, where that is no employee number of its own
    sub_id: tuple[Format, str, str] | None  # the same, as :class:`.SubjectId` has it


def quarantined(spool: Path) -> Iterator[Aside]:
    """Yield what is in the quarantine of *spool*, in the order it came."""
    try:
        names = sorted(file.name for file in (spool / "quarantine").iterdir())
    except FileNotFoundError:  # no channel has been set up
        return
    there = set(names)
    for name in names:
        stem = name.removesuffix(".json")
        if stem != name and stem + SUFFIX in there:
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


def _sub_id(given: object) -> tuple[Format, str, str] | None:
    if not isinstance(given, list) or len(given) != 3 or given[0] not in FORMATS:
        return None
    form, value, iss = given
    return form, str(value), str(iss)


def count(spool: Path) -> int:
    """Return how many tokens are in the quarantine of *spool*."""
    with suppress(FileNotFoundError):
        return sum(file.suffix == SUFFIX for file in (spool / "quarantine").iterdir())
    return 0


def release(spool: Path, name: str) -> None:
    """Let the token *name* be judged once more. Raises :class:`RefusedError`."""
    opened = Spool(spool)
    try:
        opened.take_back(name)
        opened.sync()
    except OSError as error:
        raise RefusedError(
            Text(f"it cannot be put on the disk: {error.strerror}", f"无法写入磁盘：{error.strerror}")
        ) from error
    finally:
        opened.close()

"""Small real logs for the tests: entries in the form the guard writes, and folders that the appender filled."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.log import entry
from agent.log.append import Appender

BEGIN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def line(seq: int, time: datetime | None = None, **fields: object) -> bytes:
    return entry.render(seq, entry.stamp(time or BEGIN + timedelta(seconds=seq)), {"host": "files1", **fields})


def access(person: str | None, path: str, verdict: str = "allow", **fields: object) -> dict[str, object]:
    enforced = fields.pop("enforced", True)
    rule = fields.pop("rule", "allow" if verdict == "allow" else "level")
    own = {"kind": "access", "verdict": verdict, "enforced": enforced, "rule": rule, "person": person, "path": path}
    return {**own, **fields}


def write(
    folder: Path, entries: Iterable[tuple[datetime, Mapping[str, object]]], segment_bytes: int = 64 << 20
) -> None:
    """Append *entries*, each a time and its fields, one batch each."""
    with Appender(folder, "process", segment_bytes) as log:
        for time, fields in entries:
            log.append([entry.render(log.next_seq, entry.stamp(time), fields)])


def write_plain(folder: Path, count: int, segment_bytes: int = 64 << 20) -> None:
    """Append *count* accesses, a second apart."""
    numbered = ((BEGIN + timedelta(seconds=n), access("E1001", f"/srv/计划/{n}.txt")) for n in range(count))
    write(folder, numbered, segment_bytes)


def record(folder: Path) -> list[bytes]:
    """Return all lines of the log, read without the agent's code."""
    return [one for file in sorted(folder.glob("*.jsonl")) for one in file.read_bytes().split(b"\n")[:-1]]


def numbers(folder: Path) -> list[int]:
    return [json.loads(one)["seq"] for one in record(folder)]

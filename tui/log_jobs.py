"""Jobs on the log: export of the listed entries, verification of the whole log.

Rules of this file: an export is a reading of its own, which the log records. The file is new, readable by its owner
only, one record a line, byte for byte.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import RefusedError
from rules.text import Message, Sentence, from_json
from tui import clipboard
from tui.agent import AgentSession, Json
from tui.jobs import Job, JobList
from tui.log_session import LogPager, batches


async def export(agent: AgentSession, wanted: Mapping[str, Json], folder: Path, jobs: JobList, job: Job) -> Sentence:
    """Write the entries that match *wanted* to a new file in *folder*, oldest first; return the sentence to show.

    Raises :class:`agent.errors.ShoumiError`; the file then ends at the failure, and its name is in the error.
    """
    reading = LogPager(agent, wanted)
    await reading.begin()
    while not reading.complete:
        await reading.older()
    path = folder / datetime.now(UTC).strftime("log-%Y%m%dT%H%M%S%fZ.jsonl")
    written = 0
    try:
        with clipboard.new(path) as file:
            for batch in batches(reading.count):
                lines = await reading.batch(batch)
                block = b"".join(line.encode("utf-8", "surrogateescape") + b"\n" for line in lines)
                await asyncio.to_thread(file.write, block)  # a slow disk delays no key
                written += len(lines)
                jobs.step(job, batch.stop, reading.count)
    except OSError as error:
        raise RefusedError(Message("tui.export-incomplete", path=path, reason=str(error))) from None
    return Message("tui.entries-exported", count=written, path=path)


async def verify(agent: AgentSession) -> tuple[int, Sentence]:
    """Have the whole log verified; return the number up to which it is intact, and the sentence to show.

    Raises :class:`RefusedError` with the first error.
    """
    report = await agent.call("log.verify")
    if not report["ok"]:
        first = next(problem for problem in report["problems"] if problem["severity"] == "error")
        text, place = from_json(first["text"]), f"{first['file']}:{first['line']}"
        raise RefusedError(
            Message("tui.log-has-errors", place=place, text=text),
            Message("tui.log-verify-lists-errors"),
        )
    return int(report["last"]), Message("tui.log-intact", count=int(report["entries"]))

"""What takes long with the log, and is done beside everything else: exporting what is listed, verifying all of it.

Rules of this file: what is exported is what the log recorded somebody to read: an export is a reading of its own. The
file is new, its owner's alone, one record a line, byte for byte.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible
from tui import clipboard
from tui.agent import AgentSession, Json
from tui.i18n import text_of
from tui.jobs import Job, JobList
from tui.log_session import LogPager, batches
from tui.render.cells import number


async def export(agent: AgentSession, wanted: Mapping[str, Json], folder: Path, works: JobList, work: Job) -> Text:
    """Write the entries that match *wanted* to a new file in *folder*, oldest first; return what to say of it.

    Raises :class:`agent.errors.ShoumiError`; the file then ends where that happened, and its name is in the error.
    """
    reading = LogPager(agent, wanted)
    await reading.begin()
    while not reading.complete:
        await reading.older()
    path = folder / datetime.now(UTC).strftime("log-%Y%m%dT%H%M%S%fZ.jsonl")
    said, written = visible(str(path)), 0
    try:
        with clipboard.new(path) as file:
            for batch in batches(reading.count):
                lines = await reading.batch(batch)
                data = b"".join(line.encode("utf-8", "surrogateescape") + b"\n" for line in lines)
                await asyncio.to_thread(file.write, data)  # a slow disk holds up no key
                written += len(lines)
                works.step(work, batch.stop, reading.count)
    except OSError as error:
        why = visible(str(error))
        raise RefusedError(Text(f"`{said}` is not whole: {why}", f"`{said}` 不完整：{why}")) from None
    return Text(f"{number(written)} entries are in `{said}`", f"已将 {number(written)} 条写入 `{said}`")


async def verify(agent: AgentSession) -> tuple[int, Text]:
    """Have the whole log verified; return up to which number it is in order, and what to say.

    Raises :class:`RefusedError` with the first thing that is wrong.
    """
    report = await agent.call("log.verify")
    if not report["ok"]:
        first = next(one for one in report["problems"] if one["severity"] == "error")
        text, place = text_of(first["text"]), visible(f"{first['file']}:{first['line']}")
        raise RefusedError(
            Text(f"THE LOG IS NOT IN ORDER: {place}: {text.en}", f"日志有误：{place}：{text.zh}"),
            Text("shoumi log verify lists everything", "shoumi log verify 可列出全部问题"),
        )
    count = number(report["entries"])
    return int(report["last"]), Text(f"{count} entries: none missing, none damaged", f"共 {count} 条：无缺失，无损坏")

"""How far the record is whole, as the agent itself knows it: the control process's side of the verifier.

Rules of this file: the verifier is another process, so that no check of a long record keeps an act waiting. What it
says is kept in memory and asked for by status and doctor; a fault is an alarm in the record, once for each.
"""

import json
import os
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

from agent.errors import RefusedError, ShoumiError
from agent.runtime.home import Home
from agent.runtime.supervisor import ProcessSupervisor, launcher, python
from rules.text import Text

MODULE: Final = "agent.log.verifier"
_TICK = 0.5  # seconds
_READ = 65_536


class VerifiedState(NamedTuple):
    """*to*: every entry up to this one was read, ``None`` before the first; *at*: when it was last the newest one.

    *trouble* says what is wrong with them, or why they cannot be read.
    """

    to: int | None
    at: datetime | None
    trouble: Text | None


NOTHING_YET: Final = VerifiedState(None, None, None)


class VerifierSupervisor:
    """One verifier at a time. :meth:`serve` belongs to one thread, :attr:`now` to any."""

    def __init__(self, home: Home, append: Callable[[dict[str, Any]], int], clock: Callable[[], datetime]) -> None:
        self.now = NOTHING_YET
        self._append = append
        self._clock = clock
        self._told: set[str] = set()
        self._said, self._say = os.pipe2(os.O_CLOEXEC)
        self._child = ProcessSupervisor(launcher(python(MODULE, str(home.log)), {"say": self._say}))
        self._stopped = threading.Event()

    def serve(self) -> None:
        """Start the verifier, listen, and start it again when it ends, until :meth:`stop`."""
        rest = b""
        try:
            while not self._stopped.is_set():
                self._child.ended()
                self._child.start()
                if select.select([self._said], [], [], _TICK)[0]:
                    *lines, rest = (rest + os.read(self._said, _READ)).split(b"\n")
                    for line in lines:
                        self._take(json.loads(line))
        finally:
            self._child.kill()

    def stop(self) -> None:
        """End serving within half a second."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the pipe, once nobody serves any more."""
        os.close(self._said)
        os.close(self._say)

    def _take(self, said: dict[str, Any]) -> None:
        if "unread" in said:
            why = said["unread"]
            self.now = self.now._replace(trouble=Text(f"the log cannot be read: `{why}`", f"无法读取日志：`{why}`"))
            return
        trouble = _trouble(said)
        newest = self._clock() if said["at_end"] else self.now.at
        reached = said["to"] if said["at_end"] else max(said["to"], self.now.to or 0)  # a new pass has to catch up
        self.now = VerifiedState(reached, newest, trouble)
        first = said["first"]["text"]["en"] if trouble else ""
        if trouble and first not in self._told:  # the count may grow while the pass goes on
            fields = {"kind": "log-damaged", "alarm": True, "faults": said["faults"], "reason": trouble.to_json()}
            with suppress(ShoumiError):  # said again with the next look
                self._append(fields)
                self._told.add(first)


def once(home: Home, known_last: int) -> dict[str, Any]:
    """Read the whole record in a process of its own; return its report as JSON.

    Raises :class:`RefusedError` when it cannot be read.
    """
    argv = python(MODULE, str(home.log), f"known={known_last}")
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RefusedError(
            Text("the log could not be read to its end", "未能读完整个日志"),
            Text("see what stands in its place: shoumi doctor", "请运行 shoumi doctor 查看"),
        ) from None
    return report


def _trouble(said: dict[str, Any]) -> Text | None:
    first = said["first"]
    if not first:
        return None
    text, count = Text.from_json(first["text"]), said["faults"]
    return Text(f"the log has {count} faults; the first: {text.en}", f"日志有 {count} 处问题，首处：{text.zh}")

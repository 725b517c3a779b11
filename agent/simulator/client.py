"""Starting the simulator and telling it what people do at its doors: for the command line, the demo and tests.

Rules of this file: standard library only, so that whoever simulates a door needs none of the libraries of doors.
"""

import json
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.errors import RefusedError, ShoumiError, UnreachableError
from agent.runtime.supervisor import python
from rules.text import Text
from rules.visible import visible

_ANSWER = 30.0  # seconds, on top of what a command itself waits


@dataclass(slots=True)
class Running:
    """A simulator that was started here. ``doors``: what it has, by name, with the addresses of its devices."""

    socket: Path
    doors: dict[str, Any]
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def do(self, word: str, **members: Any) -> dict[str, Any]:
        """See :func:`command`."""
        return command(self.socket, word, **members)

    def stop(self) -> None:
        """End it, and wait until its devices are gone."""
        self.process.terminate()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()


def start(description: dict[str, Any], path: Path) -> Running:
    """Start the devices of *description* (:class:`agent.simulator.site.Description` as JSON) in a process.

    It ends with this process at the latest. Raises :class:`RefusedError` with what it said when it does not start.
    """
    process = subprocess.Popen(
        python("agent.simulator", str(path)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(description).encode() + b"\n")
        process.stdin.flush()
        ready = json.loads(process.stdout.readline())
    except (OSError, ValueError):
        process.kill()
        said = visible(process.communicate()[1]).strip()
        raise RefusedError(Text(f"the simulator did not start: {said}", f"模拟器未能启动：{said}")) from None
    return Running(path, ready["doors"], process)


def command(path: Path, word: str, **members: Any) -> dict[str, Any]:
    """Have *word* done at the simulator's socket *path*; see :mod:`agent.simulator.__main__` for the words.

    Raises :class:`UnreachableError` when none is there, and what the simulator refuses with.
    """
    waits = float(members.get("seconds", 0)) + _ANSWER
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(waits)
        try:
            asking.connect(str(path))
            asking.sendall(json.dumps({"do": word, **members}).encode() + b"\n")
            with asking.makefile("rb") as answers:
                answer = json.loads(answers.readline())
        except (OSError, ValueError):
            shown = visible(str(path))
            raise UnreachableError(
                Text(f"no simulator answers at `{shown}`", f"`{shown}` 没有模拟器应答"),
                Text("start one: shoumi door simulate --serve", "请先启动：shoumi door simulate --serve"),
            ) from None
    if not answer.pop("ok"):
        raise ShoumiError.from_json(answer["error"])
    found: dict[str, Any] = answer
    return found

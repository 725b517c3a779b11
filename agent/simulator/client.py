"""Client of the simulator: starts it and sends it the actions at its doors, for the command line, the demo and tests.

Rules of this file: standard library only, so that its callers need none of the door libraries.
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
from rules.text import Message
from rules.visible import visible

_ANSWER = 30.0  # seconds, in addition to the waiting time of a command


@dataclass(slots=True)
class Running:
    """A simulator started by this process. ``doors``: its doors by name, with the addresses of their devices."""

    socket: Path
    doors: dict[str, Any]
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def do(self, operation: str, **members: Any) -> dict[str, Any]:
        """See :func:`command`."""
        return command(self.socket, operation, **members)

    def stop(self) -> None:
        """End it, and wait until its devices have ended."""
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

    It ends with this process at the latest. Raises :class:`RefusedError` with its output when it does not start.
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
        output = visible(process.communicate()[1]).strip()
        raise RefusedError(Message("simulator.simulator-did-not-start", output=output)) from None
    return Running(path, ready["doors"], process)


def command(path: Path, operation: str, **members: Any) -> dict[str, Any]:
    """Carry out *operation* at the simulator's socket *path*; see :mod:`agent.simulator.__main__` for the operations.

    Raises :class:`UnreachableError` when no simulator answers, and the error it answers with.
    """
    waits = float(members.get("seconds", 0)) + _ANSWER
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(waits)
        try:
            asking.connect(str(path))
            asking.sendall(json.dumps({"do": operation, **members}).encode() + b"\n")
            with asking.makefile("rb") as answers:
                answer = json.loads(answers.readline())
        except (OSError, ValueError):
            socket_path = visible(str(path))
            raise UnreachableError(
                Message("simulator.no-simulator-answers", path=socket_path),
                Message("simulator.start-simulator"),
            ) from None
    if not answer.pop("ok"):
        raise ShoumiError.from_json(answer["error"])
    members_of_reply: dict[str, Any] = answer
    return members_of_reply

"""Channel between the offboarding process and the control process: requests and notices over a socket pair.

    sends    append {fields} → {seq}     epoch {epoch} → {}     settled → {}     fresh → {}     cut {case} → {}
            own {pid} → {}     doors {person} → {names, inside, states}
    gets     finish {case}

Rules of this file: the offboarding process sends one request at a time and waits, from any thread. A notice needs no
answer and may get lost: the next sweep finds the case anyway.
"""

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import RefusedError, ShoumiError
from agent.runtime import channel
from rules.text import from_json
from rules.visible import visible

# Each a little longer than the control process waits for the decider.
_APPEND_SECONDS = 10.0
_EPOCH_SECONDS = 20.0
_SETTLED_SECONDS = 4.0
_FRESH_SECONDS = 10.0
_OWN_SECONDS = 4.0
_CUT_SECONDS = 60.0
_DOORS_SECONDS = 10.0

Answering = Mapping[str, Callable[[channel.Packet], channel.Packet]]


class ControlClient:
    """The end of the offboarding process. Every request raises :class:`ShoumiError` on failure."""

    def __init__(self, end: socket.socket) -> None:
        self._client = channel.ChannelClient(end)
        self._turn = threading.Lock()
        self.acknowledged: tuple[int, float] = (0, 0.0)

    def append(self, fields: Mapping[str, Any]) -> int:
        """See :class:`agent.control.decider_client.DeciderClient`."""
        return int(self._ask({"op": "append", "fields": dict(fields)}, _APPEND_SECONDS)["seq"])

    def epoch(self, epoch: int) -> None:
        """See :class:`agent.control.decider_client.DeciderClient`."""
        self._ask({"op": "epoch", "epoch": epoch}, _EPOCH_SECONDS)
        if epoch > self.acknowledged[0]:
            self.acknowledged = epoch, time.monotonic()

    def own(self, pid: int) -> None:
        """See :class:`agent.control.decider_client.DeciderClient`."""
        self._ask({"op": "own", "pid": pid}, _OWN_SECONDS)

    def settled(self) -> None:
        """Wait until every entry requested before is in the log or has definitely failed."""
        self._ask({"op": "settled"}, _SETTLED_SECONDS)

    def fresh(self) -> None:
        """Wait until the index has caught up with the log, or a timeout."""
        self._ask({"op": "fresh"}, _FRESH_SECONDS)

    def cut(self, case: str) -> None:
        """Have the access of *case* cut, unless it is already."""
        self._ask({"op": "cut", "case": case}, _CUT_SECONDS)

    def doors(self, person: str) -> channel.Packet:
        """Return the state of the doors for *person*; see :mod:`agent.control.offboarding.doors_proxy`."""
        return self._ask({"op": "doors", "person": person}, _DOORS_SECONDS)

    def cases_to_finish(self, seconds: float) -> list[str]:
        """Wait at most *seconds* for notices, and return the cases to finish, in order."""
        if not (news := self._client.poll()) and select.select([self._client], [], [], seconds)[0]:
            news = self._client.poll()
        return list(dict.fromkeys(str(message.get("case")) for message in news if message["op"] == "finish"))

    def _ask(self, message: channel.Packet, seconds: float) -> channel.Packet:
        with self._turn:
            answer = self._client.ask(message, seconds)
        if error := answer.get("error"):
            raise RefusedError(from_json(error))
        return answer


def answer(message: channel.Packet, answering: Answering) -> channel.Packet:
    """Execute a request and return the answer. Raises :class:`agent.errors.FatalError` only."""
    reply: channel.Packet = {"id": message.get("id")}
    try:
        return reply | answering[str(message.get("op"))](message)
    except ShoumiError as error:
        return reply | {"error": error.text.to_json()}
    except (KeyError, TypeError, ValueError) as error:
        error_text = visible(repr(error))
        return reply | {"error": {"en": error_text, "zh": error_text}}

"""What the process of departures asks of the control process, and what it is told: messages over a pair of their own.

    asks     append {fields} → {seq}     epoch {epoch} → {}     settled → {}     fresh → {}     cut {case} → {}
            own {pid} → {}     doors {person} → {names, inside, states}
    is told  finish {case}

Rules of this file: the process of departures asks and waits, one question at a time, whichever thread asks. What it is
told needs no answer and may get lost: it only makes sooner what the next sweep finds anyway.
"""

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import RefusedError, ShoumiError
from agent.runtime import channel
from rules.text import Text
from rules.visible import visible

# Each a little longer than the control process itself waits for the decider.
_APPEND_SECONDS = 10.0
_EPOCH_SECONDS = 20.0
_SETTLED_SECONDS = 4.0
_FRESH_SECONDS = 10.0
_OWN_SECONDS = 4.0
_CUT_SECONDS = 60.0
_DOORS_SECONDS = 10.0

Answering = Mapping[str, Callable[[channel.Message], channel.Message]]


class ControlClient:
    """The end of the process of departures. Every question raises :class:`ShoumiError` when it has no good answer."""

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
        """Return when every entry that was asked for before is in the log, or never will be."""
        self._ask({"op": "settled"}, _SETTLED_SECONDS)

    def fresh(self) -> None:
        """Return when the index has caught up with the log, or could not in time."""
        self._ask({"op": "fresh"}, _FRESH_SECONDS)

    def cut(self, case: str) -> None:
        """Have the access of *case* cut, if it is not yet."""
        self._ask({"op": "cut", "case": case}, _CUT_SECONDS)

    def doors(self, person: str) -> channel.Message:
        """Return what is known of the doors and *person* now; see :mod:`agent.control.offboarding.doors_proxy`."""
        return self._ask({"op": "doors", "person": person}, _DOORS_SECONDS)

    def told(self, seconds: float) -> list[str]:
        """Wait until there is news, for *seconds* at the most, and return the cases to be finished, in order."""
        if not (news := self._client.poll()) and select.select([self._client], [], [], seconds)[0]:
            news = self._client.poll()
        return list(dict.fromkeys(str(message.get("case")) for message in news if message["op"] == "finish"))

    def _ask(self, message: channel.Message, seconds: float) -> channel.Message:
        with self._turn:
            answer = self._client.ask(message, seconds)
        if error := answer.get("error"):
            raise RefusedError(Text.from_json(error))
        return answer


def answer(message: channel.Message, answering: Answering) -> channel.Message:
    """Do what was asked, and return the answer. Raises :class:`agent.errors.FatalError`, nothing else of ours."""
    said: channel.Message = {"id": message.get("id")}
    try:
        return said | answering[str(message.get("op"))](message)
    except ShoumiError as error:
        return said | {"error": error.text.to_json()}
    except (KeyError, TypeError, ValueError) as error:
        why = visible(repr(error))
        return said | {"error": {"en": why, "zh": why}}

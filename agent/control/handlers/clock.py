"""Handlers: accepting the system clock after it was set back.

Rules of this file: the decider keeps the time for verdicts; an officer confirms with an entry that a clock which was
set back is correct. Grants that had ended by the former time are valid again if their end has not come yet.
"""

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message

handlers = HandlerTable()

_LEAST = 1.0  # seconds; a smaller difference is followed automatically


@handlers.act("clock.accept")
def _accept(request: HandlerRequest, _change: RegistryTransaction) -> HandlerResult:
    decider = request.services.decider
    seconds_behind = float(decider.stats()["clock_behind"])
    if seconds_behind < _LEAST:
        raise RefusedError(
            Message("control.clock-already-followed"),
            Message("control.see-clock-in-status"),
        )

    def accept() -> dict[str, Json]:
        return {"accepted": decider.accept_clock()}

    return HandlerResult({"behind": seconds_behind}, {"behind": seconds_behind}, on_ack=accept)

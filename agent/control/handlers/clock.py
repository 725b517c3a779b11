"""Handlers: the clock of the host, which can be set to anything.

Rules of this file: what is judged by is the decider's business; an officer says that a clock which was set back is
right, and answers for it with an entry. Grants that had ended by the time judged until then hold again, if their end
has not come yet.
"""

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text

handlers = HandlerTable()

_LEAST = 1.0  # seconds: less is followed by itself


@handlers.act("clock.accept")
def _accept(request: HandlerRequest, _change: RegistryTransaction) -> HandlerResult:
    decider = request.services.decider
    behind = float(decider.stats()["clock_behind"])
    if behind < _LEAST:
        raise RefusedError(
            Text("time is judged by the system clock already", "当前判定时间与系统时钟一致，无需认可"),
            Text("`shoumi status` says so when it is not", "不一致时 `shoumi status` 会说明"),
        )

    def accept() -> dict[str, Json]:
        return {"accepted": decider.accept_clock()}

    return HandlerResult({"behind": behind}, {"behind": behind}, on_ack=accept)

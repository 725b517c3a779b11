"""What the control process asks of the decider: append an entry, take over an epoch, grow quiet, count.

Rules of this file: a question without an answer is an error. ``append`` that ends in :class:`UnreachableError` may have
happened, and only the log can say.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from agent.errors import RefusedError, UnreachableError
from agent.kernel.program import Program
from agent.runtime import channel
from agent.volumes.canary.verdict import WitnessedEvent
from rules.text import Text

_APPEND_SECONDS = 5.0  # as long as a successor of a killed decider may need, and a full group commit
_EPOCH_SECONDS = 10.0
_TRY_SECONDS = 2.0


class UnrecordedError(RefusedError):
    """The decider lives and cannot write the entry: its disk is full, or broken."""


class ServedFile(NamedTuple):
    """Server process *pid* has a file open: for whom, only the decider knows."""

    pid: int
    device: int
    inode: int


class DeciderClient(Protocol):
    """The decider, as handlers see it. Every method raises :class:`agent.errors.ShoumiError`."""

    @property
    def acknowledged(self) -> tuple[int, float]:
        """The last epoch the decider is known to have taken over, and when (``time.monotonic``)."""

    def append(self, fields: Mapping[str, Any]) -> int:
        """Append one entry and return its number; when this returns the entry is as durable as the site asks."""

    def epoch(self, epoch: int) -> None:
        """Return when no verdict older than *epoch* is used any more, and open descriptors are asked about again."""

    def settled(self) -> None:
        """Return when every entry that was asked for before is in the log, or never will be."""

    def silences(self) -> int:
        """Return a number that changes whenever everything has to be asked about again: what a look begins with."""

    def quiet(self, epoch: int, since: int, noisy: Iterable[tuple[int, int]], served: Iterable[ServedFile]) -> bool:
        """Let data pass unasked, except on the inodes *noisy* (dev, ino), while the epoch is still *epoch*.

        Files that are *served* pass only where the decider knows who opened them in that process.
        *since* is what :meth:`silences` said before the look this rests on; if it is another by now, nothing passes.
        """

    def accept_clock(self) -> bool:
        """Have time judged by the wall clock as it is; return ``False`` when it is so already."""

    def announce_canary(self, tid: int, uid: int, inodes: Iterable[tuple[int, int]]) -> str | None:
        """See :class:`agent.volumes.canary.trying.CanaryWitness`."""

    def canary_results(self, number: str) -> tuple[tuple[WitnessedEvent, ...] | None, bool]:
        """See :class:`agent.volumes.canary.trying.CanaryWitness`."""

    def own(self, pid: int) -> None:
        """Say that process *pid* tries to get in for the agent, so that its entries carry the mark of that."""

    def hashed(self, hashed: Iterable[tuple[str, Program]]) -> None:
        """Say which programs of services have been read, and have the hash that is registered: these and no others."""

    def stats(self) -> dict[str, Any]:
        """Return counters and health."""

    def unasked(self) -> list[str]:
        """Return the names of messages that came by themselves: ``hello``, ``flushed``. Never waits."""


class DeciderConnection:
    """The decider over the holder's socket pair. Any thread may ask; questions take turns.

    ``acknowledged``: the last epoch it is known to have taken over, and when (``time.monotonic``). That word holds for
    its successors too: each reads the registry before it answers anybody.
    """

    def __init__(self, client: channel.ChannelClient) -> None:
        self._client = client
        self._turn = threading.Lock()
        self.acknowledged: tuple[int, float] = (0, 0.0)

    def append(self, fields: Mapping[str, Any]) -> int:
        """See :class:`DeciderClient`."""
        return int(self._ask({"op": "append", "fields": dict(fields)}, _APPEND_SECONDS)["seq"])

    def epoch(self, epoch: int) -> None:
        """See :class:`DeciderClient`. Asks again while a successor starts: taking over an epoch twice is harmless."""
        deadline = time.monotonic() + _EPOCH_SECONDS
        while True:
            try:
                if self._ask({"op": "epoch", "epoch": epoch}, _TRY_SECONDS)["epoch"] >= epoch:
                    if epoch > self.acknowledged[0]:  # what was acknowledged before is so since then
                        self.acknowledged = epoch, time.monotonic()
                    return
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise

    def settled(self) -> None:
        """See :class:`DeciderClient`. Any question will do: the decider answers in the order it was asked."""
        self.silences()

    def silences(self) -> int:
        """See :class:`DeciderClient`."""
        return int(self._ask({"op": "silences"}, _TRY_SECONDS)["silences"])

    def quiet(self, epoch: int, since: int, noisy: Iterable[tuple[int, int]], served: Iterable[ServedFile]) -> bool:
        """See :class:`DeciderClient`."""
        by_process: dict[tuple[int, int], list[int]] = {}
        for file in served:
            by_process.setdefault((file.pid, file.device), []).append(file.inode)
        asked = {
            "op": "quiet",
            "epoch": epoch,
            "since": since,
            "noisy": [list(inode) for inode in noisy],
            "served": [[*process, numbers] for process, numbers in by_process.items()],
        }
        return bool(self._ask(asked, _TRY_SECONDS).get("quiet"))

    def accept_clock(self) -> bool:
        """See :class:`DeciderClient`."""
        return bool(self._ask({"op": "accept-clock"}, _TRY_SECONDS)["accepted"])

    def announce_canary(self, tid: int, uid: int, inodes: Iterable[tuple[int, int]]) -> str | None:
        """See :class:`DeciderClient`."""
        asked = {"op": "canary", "tid": tid, "uid": uid, "inodes": [list(inode) for inode in inodes]}
        number = self._ask(asked, _TRY_SECONDS)["number"]
        return None if number is None else str(number)

    def canary_results(self, number: str) -> tuple[tuple[WitnessedEvent, ...] | None, bool]:
        """See :class:`DeciderClient`."""
        answer = self._ask({"op": "canary-results", "number": number}, _TRY_SECONDS)
        seen = answer["seen"]
        if seen is None:
            return None, True
        events = (WitnessedEvent(how, (device, inode), passed) for how, device, inode, passed, _ in seen)
        return tuple(events), bool(answer["over"])

    def own(self, pid: int) -> None:
        """See :class:`DeciderClient`."""
        self._ask({"op": "own", "pid": pid}, _TRY_SECONDS)

    def hashed(self, hashed: Iterable[tuple[str, Program]]) -> None:
        """See :class:`DeciderClient`."""
        self._ask({"op": "hashed", "hashed": [[name, list(file)] for name, file in hashed]}, _TRY_SECONDS)

    def stats(self) -> dict[str, Any]:
        """See :class:`DeciderClient`."""
        stats: dict[str, Any] = self._ask({"op": "stats"}, _TRY_SECONDS)["stats"]
        return stats

    def unasked(self) -> list[str]:
        """See :class:`DeciderClient`."""
        with self._turn:
            return [str(message["op"]) for message in self._client.poll()]

    def _ask(self, message: channel.Message, seconds: float) -> channel.Message:
        with self._turn:
            answer = self._client.ask(message, seconds)
        error = answer.get("error")
        if error is not None:
            said = Text.from_json(error) if isinstance(error, dict) else Text(str(error), str(error))
            raise UnrecordedError(
                Text(f"the entry could not be written: {said.en}", f"无法写入日志条目：{said.zh}"),
                Text("nothing was changed; see `shoumi doctor`", "未作任何更改；请运行 `shoumi doctor`"),
            )
        return answer

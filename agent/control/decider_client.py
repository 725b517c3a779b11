"""Client of the decider: append an entry, take over an epoch, ignore inodes, read counters.

Rules of this file: a request without an answer is an error. An ``append`` that ends in :class:`UnreachableError` may
have been written; only the log shows it.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from agent.errors import RefusedError, UnreachableError
from agent.kernel.program import Program
from agent.runtime import channel
from agent.volumes.canary.verdict import WitnessedEvent
from rules.text import Message, foreign, from_json

_APPEND_SECONDS = 5.0  # time for the successor of a killed decider to start, plus a full group commit
_EPOCH_SECONDS = 10.0
_TRY_SECONDS = 2.0


class UnrecordedError(RefusedError):
    """Raised when the decider runs and cannot write the entry: its disk is full or broken."""


class ServedFile(NamedTuple):
    """A file that the server process *pid* has open; only the decider knows for whom."""

    pid: int
    device: int
    inode: int


class DeciderClient(Protocol):
    """Interface of the decider for handlers. Every method raises :class:`agent.errors.ShoumiError`."""

    @property
    def acknowledged(self) -> tuple[int, float]:
        """The last epoch that the decider acknowledged, and when (``time.monotonic``)."""

    def append(self, fields: Mapping[str, Any]) -> int:
        """Append one entry and return its number; on return it is as durable as the site configured."""

    def epoch(self, epoch: int) -> None:
        """Wait until no verdict older than *epoch* is in use and open descriptors are checked again."""

    def settled(self) -> None:
        """Wait until every entry requested before is in the log or has definitely failed."""

    def silences(self) -> int:
        """Return a number that changes whenever all ignore marks are dropped; a scan starts with it."""

    def quiet(self, epoch: int, since: int, noisy: Iterable[tuple[int, int]], served: Iterable[ServedFile]) -> bool:
        """Let reads pass without a verdict, except on the inodes *noisy* (dev, ino), while the epoch is still *epoch*.

        Files in *served* pass only where the decider knows who opened them in that process. *since* is the number that
        :meth:`silences` returned before the scan; if it has changed, the request is rejected.
        """

    def accept_clock(self) -> bool:
        """Make verdicts use the system clock as it is; return ``False`` when they use it already."""

    def announce_canary(self, tid: int, uid: int, inodes: Iterable[tuple[int, int]]) -> str | None:
        """See :class:`agent.volumes.canary.trying.CanaryWitness`."""

    def canary_results(self, number: str) -> tuple[tuple[WitnessedEvent, ...] | None, bool]:
        """See :class:`agent.volumes.canary.trying.CanaryWitness`."""

    def own(self, pid: int) -> None:
        """Report that process *pid* makes attempts for the agent, so that its entries are marked as such."""

    def hashed(self, hashed: Iterable[tuple[str, Program]]) -> None:
        """Report the service programs whose hash was read and matches the registered one; the list is complete."""

    def stats(self) -> dict[str, Any]:
        """Return counters and health."""

    def unasked(self) -> list[str]:
        """Return the names of unsolicited messages: ``hello``, ``flushed``. Never waits."""


class DeciderConnection:
    """The decider over the holder's socket pair. For any thread; requests take turns.

    ``acknowledged``: the last epoch it acknowledged, and when (``time.monotonic``). It holds for its successors, too:
    each reads the registry before it answers.
    """

    def __init__(self, client: channel.ChannelClient) -> None:
        self._client = client
        self._turn = threading.Lock()
        self.acknowledged: tuple[int, float] = (0, 0.0)

    def append(self, fields: Mapping[str, Any]) -> int:
        """See :class:`DeciderClient`."""
        return int(self._ask({"op": "append", "fields": dict(fields)}, _APPEND_SECONDS)["seq"])

    def epoch(self, epoch: int) -> None:
        """See :class:`DeciderClient`. Retries while a successor starts: taking over an epoch twice is harmless."""
        deadline = time.monotonic() + _EPOCH_SECONDS
        while True:
            try:
                if self._ask({"op": "epoch", "epoch": epoch}, _TRY_SECONDS)["epoch"] >= epoch:
                    if epoch > self.acknowledged[0]:  # an epoch acknowledged earlier keeps its time
                        self.acknowledged = epoch, time.monotonic()
                    return
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise

    def settled(self) -> None:
        """See :class:`DeciderClient`. Any request will do: the decider answers in order."""
        self.silences()

    def silences(self) -> int:
        """See :class:`DeciderClient`."""
        return int(self._ask({"op": "silences"}, _TRY_SECONDS)["silences"])

    def quiet(self, epoch: int, since: int, noisy: Iterable[tuple[int, int]], served: Iterable[ServedFile]) -> bool:
        """See :class:`DeciderClient`."""
        by_process: dict[tuple[int, int], list[int]] = {}
        for file in served:
            by_process.setdefault((file.pid, file.device), []).append(file.inode)
        question = {
            "op": "quiet",
            "epoch": epoch,
            "since": since,
            "noisy": [list(inode) for inode in noisy],
            "served": [[*process, numbers] for process, numbers in by_process.items()],
        }
        return bool(self._ask(question, _TRY_SECONDS).get("quiet"))

    def accept_clock(self) -> bool:
        """See :class:`DeciderClient`."""
        return bool(self._ask({"op": "accept-clock"}, _TRY_SECONDS)["accepted"])

    def announce_canary(self, tid: int, uid: int, inodes: Iterable[tuple[int, int]]) -> str | None:
        """See :class:`DeciderClient`."""
        question = {"op": "canary", "tid": tid, "uid": uid, "inodes": [list(inode) for inode in inodes]}
        number = self._ask(question, _TRY_SECONDS)["number"]
        return None if number is None else str(number)

    def canary_results(self, number: str) -> tuple[tuple[WitnessedEvent, ...] | None, bool]:
        """See :class:`DeciderClient`."""
        answer = self._ask({"op": "canary-results", "number": number}, _TRY_SECONDS)
        witnessed = answer["seen"]
        if witnessed is None:
            return None, True
        events = (WitnessedEvent(how, (device, inode), passed) for how, device, inode, passed, _ in witnessed)
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

    def _ask(self, message: channel.Packet, seconds: float) -> channel.Packet:
        with self._turn:
            answer = self._client.ask(message, seconds)
        error = answer.get("error")
        if error is not None:
            cause = from_json(error) if isinstance(error, dict) else foreign(str(error))
            raise UnrecordedError(
                Message("control.entry-not-written", reason=cause),
                Message("control.nothing-changed-see-doctor"),
            )
        return answer

"""Requests of the control process to the decider, and their answers.

Rules of this file: it runs in the loop that answers, between two batches; a control process that does not read must not
stop it. An unreadable request is answered with an error and changes nothing.
"""

import contextlib
import socket
import time
from collections.abc import Iterable, Iterator

from agent.guard.answer_loop import BATCH, AnswerLoop
from agent.guard.own_attempts import CANARY, DEPARTURE
from agent.kernel.program import Program
from agent.log.entry import stamp_ns
from agent.log.unwritable import LogUnwritableError
from agent.runtime import channel
from rules.text import Message, foreign
from rules.visible import visible


class ControlMessages:
    """The decider's end of the channel to the control process."""

    def __init__(self, control: socket.socket, loop: AnswerLoop) -> None:
        self._control = control
        self._loop = loop

    def obey(self) -> None:
        """Answer the waiting requests; after :data:`BATCH` of them opens have their turn again."""
        for _ in range(BATCH):
            message = channel.receive(self._control)
            if message is None:
                return
            answer: channel.Packet = {"id": message.get("id")}
            try:
                answer |= self._answer(message)
            except LogUnwritableError as error:
                answer["error"] = error.text.to_json()
            except (KeyError, TypeError, ValueError) as error:
                answer["error"] = foreign(visible(repr(error))).to_json()
            with contextlib.suppress(OSError):
                channel.send(self._control, answer)

    def _answer(self, message: channel.Packet) -> channel.Packet:
        loop, silence = self._loop, self._loop.silence
        match message.get("op"):
            case "epoch":
                loop.take_policy(int(message["epoch"]))
                return {"epoch": loop.verdicts.epoch}
            case "append":
                return {"seq": loop.journal.write(dict(message["fields"]))}
            case "accept-clock":
                return {"accepted": loop.time.accept()}
            case "silences":
                return {"silences": silence.ended}
            case "quiet":
                if (int(message["epoch"]), int(message["since"])) == (loop.verdicts.epoch, silence.ended):
                    silence.grant((*self._inodes(message["noisy"]), *self._unknown(message["served"])))
                return {"quiet": silence.granted}
            case "canary":
                return self._canary(message)
            case "canary-results":
                canary = loop.own.end(str(message["number"]))
                over = canary is None or time.monotonic_ns() >= canary.until
                return {"seen": canary and canary.attempts, "over": over}
            case "own":
                return {"announced": bool(loop.own.announce(int(message["pid"]), DEPARTURE, time.monotonic_ns()))}
            case "hashed":
                loop.take_hashed(frozenset((str(name), Program(*map(int, file))) for name, file in message["hashed"]))
                return {"hashed": len(loop.policy.hashed)}
            case "stats":
                return {"stats": self._stats()}
            case unknown:
                return {"error": Message("guard.unknown-request", name=str(unknown)).to_json()}

    @staticmethod
    def _inodes(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        for device, inode in pairs:
            yield int(device), int(inode)

    def _unknown(self, served: Iterable[tuple[int, int, list[int]]]) -> Iterator[tuple[int, int]]:
        """Yield the inodes open in a server process whose opener there is not known."""
        for pid, device, numbers in served:
            for number in numbers:
                if not self._loop.openers.knows(int(pid), inode := (int(device), int(number))):
                    yield inode

    def _canary(self, message: channel.Packet) -> channel.Packet:
        inodes = self._inodes(message["inodes"])
        now = time.monotonic_ns()
        announcement = self._loop.own.announce(int(message["tid"]), CANARY, now, uid=int(message["uid"]), inodes=inodes)
        return {"number": announcement and announcement.number}

    def _stats(self) -> dict[str, object]:
        loop = self._loop
        latency = loop.spans.summary(time.monotonic_ns())
        trouble, since = loop.policy.trouble, loop.clock.timeline.since
        return {
            "allowed": loop.allowed,
            "denied": loop.denied - loop.own.denied,
            "own_denied": loop.own.denied,
            "accesses": loop.accesses,
            "unprotected": loop.judge.unprotected,
            "unlogged": loop.unlogged,
            "late": loop.late,
            "opens": {"count": latency.opens, "p50_us": _us(latency.p50), "p99_us": _us(latency.p99)},
            "epoch": loop.verdicts.epoch,
            "quiet": loop.silence.granted,
            "next_seq": loop.journal.next_seq,
            "clock_behind": loop.clock.seconds_behind,
            "clock_behind_since": None if since is None else stamp_ns(since),
            "trouble": trouble.text.to_json() if trouble else None,
            "registry_older": loop.policy.stores.now.older,
        }


def _us(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1000

"""A decider without a kernel: a real process with the real appender, answering over the real channel.

Run as ``python control_peer.py HOME FD``. On stdin it takes one command a line, for faults:

    kill-after-append PID    append the next entry, kill PID, and do not answer
    die-after-append         append the next entry, and end without an answer
    behind SECONDS           say that the clock was set back
    tried PERSON             append an attempt of the agent's own, as one of this person
    started                  append what a decider says that has just started
"""

import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from agent.log.append import Appender
from agent.log.entry import render, stamp
from agent.log.unwritable import LogUnwritableError
from agent.runtime import channel
from agent.runtime.clock import AgentClock, instant
from agent.runtime.home import Home


class Peer:
    def __init__(self, home: Home, end: socket.socket) -> None:
        self.appender = Appender(home.log, "process")
        self.clock = AgentClock()
        self.end = end
        self.epoch = 0
        self.victim = 0
        self.dying = False
        self.behind = 0.0

    def run(self) -> None:
        while True:
            ready, _, _ = select.select([self.end, 0], [], [])
            if 0 in ready:
                line = os.read(0, 1000).decode()
                if not line:
                    return
                self.command(line.split())
            if self.end in ready and (message := channel.receive(self.end)) is not None:
                self.answer(message)

    def command(self, words: list[str]) -> None:
        if words[0] == "die-after-append":
            self.dying = True
        elif words[0] == "behind":
            self.behind = float(words[1])
        elif words[0] == "tried":  # an attempt of the agent's own, as one of this person
            denied = {"kind": "access", "verdict": "deny", "enforced": True, "rule": "hold", "area": "plans"}
            self.append({**denied, "person": words[1], "login_person": words[1], "own": "departure"})
        elif words[0] == "started":
            self.append({"kind": "decider-started", "start": 2, "denied_meanwhile": 0})
        else:
            self.victim = int(words[1])
        os.write(1, b"ok\n")

    def answer(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": message["id"]}
        match message["op"]:
            case "append":
                try:
                    answer["seq"] = self.append(message["fields"])
                except LogUnwritableError as error:
                    answer["error"] = error.text.to_json()
                if self.dying:
                    os._exit(0)
                if self.victim:
                    os.kill(self.victim, signal.SIGKILL)
                    self.victim = 0
                    return
            case "epoch":
                self.epoch = answer["epoch"] = max(self.epoch, message["epoch"])
            case "own":
                answer["announced"] = True
            case "silences":
                answer["silences"] = 0
            case "quiet":
                answer["quiet"] = True
            case "accept-clock":
                answer["accepted"], self.behind = bool(self.behind), 0.0
            case "stats":
                answer["stats"] = {
                    "epoch": self.epoch,
                    "next_seq": self.appender.next_seq,
                    "clock_behind": self.behind,
                    "clock_behind_since": "2026-03-01T08:00:00.000000Z" if self.behind else None,
                }
        with suppress(OSError):
            channel.send(self.end, answer)

    def append(self, fields: dict[str, Any]) -> int:
        seq = self.appender.next_seq
        line = render(seq, stamp(instant(self.clock.now())), {"host": "test", **fields})
        self.appender.append([line], act=True)
        return seq


if __name__ == "__main__":
    Peer(Home.at(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))).run()

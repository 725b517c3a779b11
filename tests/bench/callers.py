"""A hold by an officer while four users without a role take all they can of the control sockets.

Rules of this file: the agent is the whole real one. Each hostile user has a session, and with it a share of the
processors, as each login and each service of systemd has; so has the officer. The officer measures, from before the
connection is made until the answer is there, which is after the cut; what the agent says of it stands beside that. What
the same users cost who compute as much as they can, and ask nothing, is the peer: it is no budget of a socket's.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import NoReturn

from agent.api import sockets
from agent.api.client import AgentClient
from agent.api.roles import Role
from agent.demo.shared import wait_until
from agent.runtime.home import Home
from rules.text import Text
from tests.bench.opening import POWER
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile
from tests.bench.sites import site
from tests.control.crowding import ATTACKS, Attack, Tell, as_officer, attacking

HOLDS = 20
_HOSTILE, _OFFICER, _GROUP = range(64_001, 64_005), 64_010, 64_011
_APART = 0.2  # seconds between two holds
_PATIENCE = 10.0
_BAR = 200e6  # ns


def rows() -> Iterator[Row]:
    """Hold somebody again and again, first alone, then under attack."""
    with site(POWER) as running:
        home = running.stage.home
        with AgentClient(home) as root:
            root.call("role.set", system=str(_GROUP + 1), security=str(_GROUP), auditor=str(_GROUP + 2), anyway=True)
        if not wait_until(lambda: sockets.path(home, Role.SECURITY).stat().st_gid == _GROUP, _PATIENCE):
            raise OSError("the officers have no socket")
        alone = _measured(home, ())
        busy = _measured(home, (computing,) * len(ATTACKS))
        attacked = _measured(home, ATTACKS)
    yield _row("hold_alone", Text("a hold by an officer", "管理员停权"), alone)
    said = Text("the same, while four users compute as much as they can", "同上，同时四个用户尽其所能占用处理器")
    yield _row("hold_busy", said, busy)
    said = Text(
        "the same, while four users without a role take every connection, request and turn they can",
        "同上，同时四个无角色用户尽其所能占用连接、请求与处理机会",
    )
    longest = max(whole for whole, _, _ in attacked)
    can = max(whole for whole, _, _ in busy) <= _BAR
    ratio = percentile([one[0] for one in attacked], 50) / percentile([one[0] for one in busy], 50)
    yield replace(
        _row("hold_attacked", said, attacked),
        ratio=ratio,
        against=Text("users who compute", "占用处理器"),
        bar="≤ 200 ms",
        verdict=judged(longest <= _BAR) if can or longest <= _BAR else "not judged",
    )


def computing(_home: Home, tell: Tell) -> NoReturn:
    """Compute, and ask the agent nothing."""
    tell()
    while True:
        pass


def _measured(home: Home, attacks: tuple[Attack, ...]) -> list[list[float]]:
    with attacking(home, _HOSTILE, attacks) if attacks else nullcontext():
        return _holds(home)


def _row(name: str, what: Text, took: list[list[float]]) -> Row:
    whole, waited, done = ([one[column] for one in took] for column in range(3))
    numbers = {
        "p50_ms": percentile(whole, 50) / 1e6,
        "max_ms": max(whole) / 1e6,
        "waited_max_ms": max(waited) / 1e6,
        "acknowledged_max_ms": max(done) / 1e6,
    }
    shown = f"{milliseconds(percentile(whole, 50))} (longest of {HOLDS} {milliseconds(max(whole))})"
    return Row(name, what, shown, numbers=numbers)


def _holds(home: Home) -> list[list[float]]:
    """Return of each hold: nanoseconds until the answer, and what the agent says of waiting and acknowledgement."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            as_officer(_GROUP, _OFFICER)
            said = json.dumps([_hold(home) for _ in range(HOLDS)])
        except BaseException as error:
            said = json.dumps(repr(error))
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as end:
        found = json.loads(end.read())
    os.waitpid(pid, 0)
    if isinstance(found, str):
        raise OSError(f"an officer could not hold anybody: {found}")
    return [[float(one) for one in times] for times in found]


def _hold(home: Home) -> tuple[float, float, float]:
    time.sleep(_APART)
    began = time.monotonic_ns()
    with AgentClient(home) as agent:
        answer = agent.call("hold.add", person="E1", reason="x")
    return time.monotonic_ns() - began, answer["waited_milliseconds"] * 1e6, answer["milliseconds"] * 1e6

"""The control process from start to end. Started by the holder as ``python -I -m agent.control HOME name=fd …``.

    channel   one end of the pair to the decider        open, access   the fanotify groups (absent in a rehearsal)
    say       where lines for the holder go             life           reaches its end when the holder is gone

Order of the start: settle what was under way when the last one died → protect every area → the decider takes over the
epoch → the socket opens → ``ready tier=A areas=1`` is said. A start that cannot vouch for the state ends; the holder
tries again, and meanwhile verdicts go on being given by the decider.
"""

import asyncio
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from agent.api.client import listen
from agent.control import transaction
from agent.control.decider_client import DeciderConnection

# The handlers register themselves when they are imported.
from agent.control.handlers import areas as _area_ops  # noqa: F401
from agent.control.handlers import calendar as _calendar_ops  # noqa: F401
from agent.control.handlers import case_duties as _case_duty_ops  # noqa: F401
from agent.control.handlers import cases as _case_ops  # noqa: F401
from agent.control.handlers import doors as _door_ops  # noqa: F401
from agent.control.handlers import explain as _explain_ops  # noqa: F401
from agent.control.handlers import grants as _grant_ops  # noqa: F401
from agent.control.handlers import log as _log_ops  # noqa: F401
from agent.control.handlers import occupancy as _occupancy_ops  # noqa: F401
from agent.control.handlers import pack
from agent.control.handlers import people as _people_ops  # noqa: F401
from agent.control.handlers import quarantine as _quarantine_ops  # noqa: F401
from agent.control.handlers import receipts as _receipt_ops  # noqa: F401
from agent.control.handlers import room_log as _room_log_ops  # noqa: F401
from agent.control.handlers import rooms as _room_ops  # noqa: F401
from agent.control.handlers import system as _system_ops  # noqa: F401
from agent.control.handlers import visitors as _visitor_ops  # noqa: F401
from agent.control.offboarding.coordinator import OffboardingCoordinator
from agent.control.offboarding.hr_intake import HrIntake
from agent.control.quiet_scan import QuietScan
from agent.control.schedule import ScheduledActs
from agent.control.server import ControlServer
from agent.control.services import ControlServices, open_services
from agent.errors import FatalError, ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.log.verifier_supervisor import VerifierSupervisor
from agent.rooms.service import DoorServer
from agent.runtime import capabilities, channel
from agent.runtime.home import Home

_STARTING = 30.0  # seconds the decider may need to answer for the first time
_TICK = 0.2
_SCHEDULE = 2.0
_AGAIN = 5.0  # after a chore that runs for ever has failed


def main(argv: Sequence[str]) -> int:
    """Run until the holder ends, or SIGTERM; return the exit code."""
    words = dict(word.split("=", 1) for word in argv[2:])
    capabilities.keep_only(capabilities.CONTROL)  # before there is a thread: each has a set of its own
    end = socket.socket(fileno=int(words["channel"]))
    groups = FanotifyGroups(int(words["open"]), int(words.get("access", -1))) if "open" in words else None
    say = int(words["say"]) if "say" in words else 1
    life = int(words["life"]) if "life" in words else None
    try:
        with open_services(Home.at(argv[1]), DeciderConnection(channel.ChannelClient(end)), groups) as desk:
            line = start(desk)
            listening = listen(desk.home)
            announce(line, say)
            asyncio.run(serve(desk, listening, life))
    except (ShoumiError, FatalError) as error:
        print(f"shoumi: control: {error.text.en}", file=sys.stderr, flush=True)
        return 1
    return 0


def start(desk: ControlServices) -> str:
    """Bring everything into a known state and under protection; return the line for the holder.

    Raises :class:`ShoumiError` or :class:`FatalError` when that cannot be done.
    """
    _patiently(desk.decider.stats)
    transaction.settle(desk.intent, desk.decider, desk.facts.epoch())
    recorded = desk.lists.settings.all().get(pack.SETTING)
    if recorded and not pack.settle(desk.home, recorded):
        desk.decider.append({"kind": "pack-edited", "recorded": recorded, "pack": _pack_id(desk)})
    found = desk.protection.protect_all(desk.facts.areas())
    desk.decider.epoch(desk.facts.epoch())
    areas = [{"area": p.area, "tier": p.tier, "labelled": p.labelled} for p in found]
    desk.decider.append({"kind": "start", "process": "control", "epoch": desk.facts.epoch(), "areas": areas})
    return ready(desk)


def ready(desk: ControlServices) -> str:
    """Return ``ready tier=A areas=1``, or ``degraded tier=… areas=…`` naming what is below the configured minimum."""
    protection = desk.protection
    below = [name for name, found in protection.now.items() if protection.below(found.tier)]
    line = f"tier={protection.lowest()} areas={len(protection.now)}"
    if below:
        return f"degraded {line} minimum={protection.minimum} unprotected={','.join(sorted(below))}"
    return f"ready {line}"


def announce(line: str, say: int) -> None:
    """Say *line* to the holder."""
    with suppress(BrokenPipeError):
        os.write(say, line.encode() + b"\n")


async def serve(desk: ControlServices, listening: socket.socket, life: int | None) -> None:
    """Answer callers and do what is due, until told to stop. Raises :class:`FatalError`."""
    loop = asyncio.get_running_loop()
    server = ControlServer(desk)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    if life is not None:
        loop.add_reader(life, server.stop)
    schedule, quieting = ScheduledActs(desk), QuietScan(desk.home, desk.decider, desk.clock)
    desk.blind = lambda: quieting.blind
    serving = DoorServer(desk)
    desk.doors = serving
    departing = OffboardingCoordinator(desk, serving, life)
    desk.departs, desk.departed = departing.departs, departing.departed
    desk.unrecorded = departing.unrecorded
    desk.held, desk.restored, desk.survey = departing.held, departing.restored, departing.survey
    personnel = HrIntake(desk, server.act)
    verifying = VerifierSupervisor(desk.home, desk.decider.append, desk.now)
    desk.verified = lambda: verifying.now
    with ThreadPoolExecutor(1, "quiet") as quiet, ThreadPoolExecutor(4, "others") as others:
        chores = [
            asyncio.create_task(_repeat(server, _AGAIN, lambda: loop.run_in_executor(others, serving.serve))),
            asyncio.create_task(_repeat(server, _AGAIN, lambda: loop.run_in_executor(others, departing.serve))),
            asyncio.create_task(_repeat(server, _AGAIN, lambda: loop.run_in_executor(others, personnel.serve))),
            asyncio.create_task(_repeat(server, _AGAIN, lambda: loop.run_in_executor(others, verifying.serve))),
            asyncio.create_task(_repeat(server, _TICK, lambda: asyncio.wrap_future(desk.indexing.step(0.5)))),
            asyncio.create_task(_repeat(server, _TICK, lambda: loop.run_in_executor(quiet, quieting.step))),
            asyncio.create_task(_repeat(server, _SCHEDULE, lambda: server.act_thread(schedule.step))),
        ]
        try:
            await server.serve(listening)
        finally:
            serving.stop()
            personnel.stop()
            departing.stop()
            verifying.stop()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            await loop.run_in_executor(quiet, quieting.close)


async def _repeat(server: ControlServer, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do *work* again and again. No error of it ends the chore, and a :class:`FatalError` ends the process."""
    while True:
        try:
            await work()
        except ShoumiError as error:
            print(f"shoumi: control: {error.text.en}", file=sys.stderr, flush=True)
        except FatalError as error:
            server.fail(error)
            return
        except Exception as error:  # noqa: BLE001 - a chore that stopped without a word would be missed much later
            traceback.print_exception(error, file=sys.stderr)
        await asyncio.sleep(seconds)


def _patiently(work: Callable[[], object]) -> None:
    deadline = time.monotonic() + _STARTING
    while True:
        try:
            work()
        except ShoumiError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def _pack_id(desk: ControlServices) -> str | None:
    with suppress(ShoumiError):
        return desk.pack().id
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv))

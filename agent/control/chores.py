"""Event loop of the control process: the API server and the periodic chores.

    event loop      the server's connections, signals, the end of the holder
    act thread      acts of callers, scheduled acts, acts of HR's notices
    thread each     doors, offboarding, HR's inbox, the verifier's reports, quiet scans, mounts, volumes,
                    sweeps of labels, canaries, programs of services
    beside them     the search index, in its own thread

Rules of this file: a chore survives its errors; a :class:`FatalError` of any chore ends the process. With a registry
that lacks acts of the log no access is ended and no notice is taken up: both wait until officers have decided.
"""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from agent.api.roles import Role
from agent.control.disk_watch import DiskWatch
from agent.control.dispatch import HandlerTable
from agent.control.offboarding.hr_intake import HrIntake
from agent.control.request_watch import RequestWatch
from agent.control.schedule import ScheduledActs
from agent.control.server import ControlServer
from agent.control.services import ControlServices
from agent.control.signing_key import SigningKeyWatch
from agent.control.transaction import ActExecutor
from agent.errors import FatalError
from agent.runtime.failures import going_on, to_stderr

_TICK = 0.2
_SCHEDULE = 2.0
_AGAIN = 5.0  # seconds until a chore that runs for ever is restarted after a failure
_LABELS = 1.0
_EXCESS = 1.0
_PROGRAMS = 1.0
_INDEX_SECONDS = 0.5  # of indexing at a time


async def serve(
    services: ControlServices,
    handlers: HandlerTable,
    executor: ActExecutor,
    listening: Iterable[tuple[Role | None, socket.socket]],
    life: int | None,
) -> None:
    """Serve callers and run the chores until a signal or the end of the holder. Raises :class:`FatalError`."""
    loop = asyncio.get_running_loop()
    server = ControlServer(services, handlers, executor)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    if life is not None:
        loop.add_reader(life, server.stop)

    def act(op: str, args: Mapping[str, Any]) -> dict[str, Any]:
        return server.act(lambda: executor.execute_own(op, args, by="hr"))

    def trusting(serve: Callable[[], None]) -> None:
        if not services.site.stores.now.older:
            serve()

    schedule = ScheduledActs(services.site, executor, services.labels.sealable, services.offboarding.start_lapses)
    signing_key, disks, requests = SigningKeyWatch(services), DiskWatch(services), RequestWatch(services)
    hr_intake = HrIntake(
        services.site, services.offboarding, act, timedelta(seconds=services.config.hr_silence_seconds)
    )
    with (
        ThreadPoolExecutor(1, "doors") as doors,
        ThreadPoolExecutor(1, "departures") as departures,
        ThreadPoolExecutor(1, "hr-inbox") as inbox,
        ThreadPoolExecutor(1, "verifier") as verifier,
        ThreadPoolExecutor(1, "quiet") as quiet,
        ThreadPoolExecutor(1, "mounts") as mounts,
        ThreadPoolExecutor(1, "volumes") as volumes,
        ThreadPoolExecutor(1, "labels") as labels,
        ThreadPoolExecutor(1, "canaries") as canaries,
        ThreadPoolExecutor(1, "programs") as programs,
    ):
        chores = [
            asyncio.create_task(_repeat(server, seconds, work))
            for seconds, work in (
                (_AGAIN, lambda: loop.run_in_executor(doors, services.doors.serve)),
                (_AGAIN, lambda: loop.run_in_executor(departures, trusting, services.offboarding.serve)),
                (_AGAIN, lambda: loop.run_in_executor(inbox, trusting, hr_intake.serve)),
                (_AGAIN, lambda: loop.run_in_executor(verifier, services.verifier.serve)),
                (_TICK, lambda: asyncio.wrap_future(services.indexer.step(_INDEX_SECONDS))),
                (_TICK, lambda: loop.run_in_executor(quiet, services.quiet_scan.step)),
                (_AGAIN, lambda: loop.run_in_executor(mounts, services.mounts.serve)),
                (_AGAIN, lambda: loop.run_in_executor(volumes, services.volumes.serve)),
                (_LABELS, lambda: loop.run_in_executor(labels, services.labels.step)),
                (_TICK, lambda: loop.run_in_executor(canaries, services.canaries.step)),
                (_PROGRAMS, lambda: loop.run_in_executor(programs, services.programs.step)),
                (_AGAIN, lambda: server.act_thread(services.programs.alarms)),
                (_SCHEDULE, lambda: server.act_thread(schedule.step)),
                (_AGAIN, lambda: server.act_thread(signing_key.step)),
                (_SCHEDULE, server.refresh_role_sockets),
                (_EXCESS, server.tell),
                (_AGAIN, lambda: server.act_thread(disks.step)),
                (_AGAIN, lambda: server.act_thread(requests.step)),
            )
        ]
        try:
            await server.serve(listening)
        finally:
            for part in (
                services.doors,
                hr_intake,
                services.offboarding,
                services.verifier,
                services.mounts,
                services.volumes,
                services.labels,
            ):
                part.stop()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)


async def _repeat(server: ControlServer, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    report = to_stderr("control")
    try:
        while True:
            with going_on(report):
                await work()
            await asyncio.sleep(seconds)
    except FatalError as error:
        server.fail(error)

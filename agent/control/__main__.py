"""Entry point of the control process. The holder starts it as ``python -I -m agent.control HOME name=fd …``.

    channel   one end of the pair to the decider        open, access   the fanotify groups (absent in a rehearsal)
    say       where lines for the holder go             life           reaches its end when the holder is gone
    watch     one end of the pair to the mount watcher

Order of the start: compare registry and log → settle the act that was under way when the last process died → bring
every area under guard → the decider takes over the epoch → canaries confirm that it refuses → open the sockets → print
``ready tier=A areas=1``. A start that cannot establish a known state ends, and the holder tries again; meanwhile the
decider goes on giving verdicts. With a registry that lacks acts of the log the process starts, too, so that officers
can inspect and decide; it performs no act.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any

from agent.api.sockets import sockets
from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.control import chores, reconciliation
from agent.control.decider_client import DeciderConnection
from agent.control.handlers import handler_table
from agent.control.reception.arrivals import ArrivalLoop
from agent.control.services import ControlServices, open_services
from agent.control.transaction import ActExecutor
from agent.errors import FatalError, ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.runtime import channel, last_death, saying
from agent.runtime.failures import to_stderr
from agent.runtime.home import UMASK, Home
from agent.site import pack_file
from rules.text import Message

# Thread switch interval, seconds. An act waits for disks and answers a dozen times; with the default of 5 ms it was
# delayed behind every scan of all processes: https://docs.python.org/3/library/sys.html
_TURN = 0.0005
_STARTING = 30.0  # seconds the decider may need to answer for the first time


def main(argv: Sequence[str]) -> int:
    """Run until the holder ends, or SIGTERM; return the exit code."""
    options = dict(argument.split("=", 1) for argument in argv[2:])
    os.umask(UMASK)
    sys.setswitchinterval(_TURN)
    confine(process_rights.CONTROL, saying.say)  # before any thread exists: each has its own set of rights
    end = socket.socket(fileno=int(options["channel"]))
    decider = DeciderConnection(channel.ChannelClient(end))
    groups = FanotifyGroups(int(options["open"]), int(options.get("access", -1))) if "open" in options else None
    say = int(options["say"]) if "say" in options else 1
    life = int(options["life"]) if "life" in options else None
    watcher = socket.socket(fileno=int(options["watch"])) if "watch" in options else None
    handlers = handler_table()
    try:
        with end, watcher or nullcontext(), open_services(Home.at(argv[1]), decider, groups, life, watcher) as services:
            executor = ActExecutor(services, handlers.acts)
            line = start(services, executor, last_death.entry("control", options))
            listening = list(sockets(services.site.home))
            announce(line, say)
            with asyncio.Runner(loop_factory=ArrivalLoop) as runner:
                runner.run(chores.serve(services, handlers, executor, listening, life))
    except (ShoumiError, FatalError) as error:
        to_stderr("control")(error)
        return 1
    return 0


def start(services: ControlServices, executor: ActExecutor, died: dict[str, Any] | None = None) -> str:
    """Bring registry, log, volumes and areas into a known state; return the line for the holder.

    *died*: the entry about the death of the last control process.

    Raises :class:`ShoumiError` or :class:`FatalError` when that fails.
    """
    site, decider = services.site, services.decider
    _patiently(decider.stats)
    if died:
        decider.append(died)
    log_only = reconciliation.begin(services)
    older = site.stores.now.older
    recorded = site.lists.settings.all().get(pack_file.SETTING)
    if not older and recorded and not pack_file.settle(site.home, recorded):
        _pack_edited(services, recorded)
    if not older and services.config.roles.configured and not site.role_groups().configured:
        executor.adopt_roles(services.config.roles)
    services.volumes.start(log_only)
    protected = services.mounts.start(log_only)
    decider.epoch(site.facts.epoch())
    services.canaries.step()
    areas = [{"area": p.area, "tier": p.tier} for p in protected]
    decider.append({"kind": "start", "process": "control", "epoch": site.epoch(), "areas": areas})
    return ready(services)


def ready(services: ControlServices) -> str:
    """Return ``ready tier=A areas=1``, or ``degraded tier=… areas=…`` naming the areas below the configured minimum."""
    protection = services.protection
    below = [name for name, area in protection.now.items() if protection.volume_tiers.below(area.tier)]
    line = f"tier={protection.lowest()} areas={len(protection.now)}"
    if below:
        return f"degraded {line} minimum={protection.volume_tiers.minimum} unprotected={','.join(sorted(below))}"
    return f"ready {line}"


def announce(line: str, say: int) -> None:
    """Write *line* to the holder."""
    with suppress(BrokenPipeError):
        os.write(say, line.encode() + b"\n")


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


def _pack_edited(services: ControlServices, recorded: str) -> None:
    """Record that the pack is not the one that two officers put in force, and raise an alarm."""
    site = services.site
    fields = {"kind": "pack-edited", "alarm": True, "recorded": recorded, "pack": _pack_id(services)}
    seq = services.decider.append(fields)
    if not any(alarm["kind"] == "pack-edited" for alarm in site.lists.alarms.find()):
        text = Message("control.pack-file-edited")
        with services.registry.note(site.now()) as note:
            note.alarms.add("pack-edited", text, seq=seq)


def _pack_id(services: ControlServices) -> str | None:
    with suppress(ShoumiError):
        return services.site.pack().id
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv))

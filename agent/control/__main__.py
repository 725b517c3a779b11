"""The control process from start to end. Started by the holder as ``python -I -m agent.control HOME name=fd …``.

    channel   one end of the pair to the decider        open, access   the fanotify groups (absent in a rehearsal)
    say       where lines for the holder go             life           reaches its end when the holder is gone
    watch     one end of the pair to the mount watcher

Order of the start: hold registry and log against each other → settle what was under way when the last one died → bring
every area under guard → the decider takes over the epoch → canaries see that it refuses → the sockets open → ``ready
tier=A areas=1`` is said. A start that cannot vouch for the state ends; the holder tries again, and meanwhile verdicts
go on being given by the decider. On a registry that lacks what the log holds it starts, too, so that officers can see
and decide; but nothing is done.
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
from rules.text import Text

# Seconds a thread computes on while another wants to. Acts wait for disks and answers a dozen times each, and came back
# behind every look at all processes by the 5 ms that are usual: https://docs.python.org/3/library/sys.html
_TURN = 0.0005
_STARTING = 30.0  # seconds the decider may need to answer for the first time


def main(argv: Sequence[str]) -> int:
    """Run until the holder ends, or SIGTERM; return the exit code."""
    words = dict(word.split("=", 1) for word in argv[2:])
    os.umask(UMASK)
    sys.setswitchinterval(_TURN)
    confine(process_rights.CONTROL, saying.say)  # before there is a thread: each has a set of its own
    end = socket.socket(fileno=int(words["channel"]))
    decider = DeciderConnection(channel.ChannelClient(end))
    groups = FanotifyGroups(int(words["open"]), int(words.get("access", -1))) if "open" in words else None
    say = int(words["say"]) if "say" in words else 1
    life = int(words["life"]) if "life" in words else None
    watcher = socket.socket(fileno=int(words["watch"])) if "watch" in words else None
    handlers = handler_table()
    try:
        with end, watcher or nullcontext(), open_services(Home.at(argv[1]), decider, groups, life, watcher) as services:
            executor = ActExecutor(services, handlers.acts)
            line = start(services, executor, last_death.entry("control", words))
            listening = list(sockets(services.site.home))
            announce(line, say)
            with asyncio.Runner(loop_factory=ArrivalLoop) as runner:
                runner.run(chores.serve(services, handlers, executor, listening, life))
    except (ShoumiError, FatalError) as error:
        to_stderr("control")(error)
        return 1
    return 0


def start(services: ControlServices, executor: ActExecutor, died: dict[str, Any] | None = None) -> str:
    """Bring everything into a known state and under protection; return the line for the holder.

    *died*: the entry of the death of the last control process.

    Raises :class:`ShoumiError` or :class:`FatalError` when that cannot be done.
    """
    site, decider = services.site, services.decider
    _patiently(decider.stats)
    if died:
        decider.append(died)
    beside = reconciliation.begin(services)
    older = site.stores.now.older
    recorded = site.lists.settings.all().get(pack_file.SETTING)
    if not older and recorded and not pack_file.settle(site.home, recorded):
        _pack_edited(services, recorded)
    if not older and services.config.roles.configured and not site.role_groups().configured:
        executor.adopt_roles(services.config.roles)
    services.volumes.start(beside)
    found = services.mounts.start(beside)
    decider.epoch(site.facts.epoch())
    services.canaries.step()
    areas = [{"area": p.area, "tier": p.tier} for p in found]
    decider.append({"kind": "start", "process": "control", "epoch": site.epoch(), "areas": areas})
    return ready(services)


def ready(services: ControlServices) -> str:
    """Return ``ready tier=A areas=1``, or ``degraded tier=… areas=…`` naming what is below the configured minimum."""
    protection = services.protection
    below = [name for name, found in protection.now.items() if protection.volume_tiers.below(found.tier)]
    line = f"tier={protection.lowest()} areas={len(protection.now)}"
    if below:
        return f"degraded {line} minimum={protection.volume_tiers.minimum} unprotected={','.join(sorted(below))}"
    return f"ready {line}"


def announce(line: str, say: int) -> None:
    """Say *line* to the holder."""
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
    """Record that the pack is not the one that two hands put in force, with an alarm until somebody acknowledges it."""
    site = services.site
    fields = {"kind": "pack-edited", "alarm": True, "recorded": recorded, "pack": _pack_id(services)}
    seq = services.decider.append(fields)
    if not any(alarm["kind"] == "pack-edited" for alarm in site.lists.alarms.find()):
        text = Text("pack.toml was edited: it is not what was put in force", "pack.toml 被改动：与已启用的规则包不符")
        with services.registry.note(site.now()) as note:
            note.alarms.add("pack-edited", text, seq=seq)


def _pack_id(services: ControlServices) -> str | None:
    with suppress(ShoumiError):
        return services.site.pack().id
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv))

"""The processes of the product and what they talk over: two tables and the picture of ``docs/architecture.md``.

Rules of this file: data only. ``test_architecture.py`` compares it with the source: every start of a process stands
here, nothing else does, and every name leads somewhere.
"""

from typing import NamedTuple

from tests.docs.source_scan import FORK, TOOL


class ProcessRow(NamedTuple):
    """One kind of process. ``entry`` is ``module:function``; ``loop`` what it does until it ends.

    ``starter`` is the row that starts it, ``where`` the modules that do; both are empty for what a person starts.
    ``runs`` is what :func:`tests.docs.source_scan.starts` finds there: the module it runs, a fork, or a tool.
    """

    name: str
    entry: str
    rights: str
    loop: str
    owns: str
    starter: str = ""
    where: tuple[str, ...] = ()
    runs: str = ""
    short: bool = False  # it ends by itself, in seconds
    verb: str = "starts"  # or "becomes": it takes the place of its starter


class WireRow(NamedTuple):
    """What two processes talk over: ``between`` names two rows, ``made`` the function that makes it."""

    between: tuple[str, str]
    what: str
    carries: str
    made: str


PROCESSES = (
    ProcessRow(
        "cli",
        entry="agent.cli.__main__:main",
        where=("agent.demo.stage",),
        runs="agent.cli",
        rights="whoever calls it",
        loop="`agent.cli.__main__:main`: one command",
        owns="stdout, stderr and the exit code",
    ),
    ProcessRow(
        "holder",
        entry="agent.daemon:run",
        starter="cli",
        rights="root with what it hands on, three of it its own (`agent.confinement.process_rights.HOLDER`)",
        loop="`agent.guard.holder:Holder.run`: `select`, a tick of 0.25 s",
        owns="the fanotify groups, the heartbeat page, the memory of openers, the lock of the home",
        verb="becomes",
    ),
    ProcessRow(
        "decider",
        entry="agent.guard.decider:main",
        starter="holder",
        where=("agent.daemon",),
        runs="agent.guard.decider",
        rights="root with three capabilities (`agent.confinement.process_rights.DECIDER`)",
        loop="`agent.guard.answer_loop:AnswerLoop.run`: `epoll` on groups, channel, label worker, life",
        owns="appending to the log, the verdicts in memory, the ignore marks, who opened what in server processes",
    ),
    ProcessRow(
        "label worker",
        entry="agent.guard.label_worker:fork",
        starter="decider",
        where=("agent.guard.label_worker",),
        runs=FORK,
        rights="the decider's, and what removing an empty file takes (`agent.confinement.process_rights.LABEL_WORKER`)",
        loop="`agent.guard.label_worker:fork`: questions of the decider, one a thread",
        owns="writing labels on first open, removing empty files of refused opens, looking at server processes; "
        "it may sleep on a disk for as long as that takes",
    ),
    ProcessRow(
        "mount watcher",
        entry="agent.guard.mount_watcher:main",
        starter="holder",
        where=("agent.daemon",),
        runs="agent.guard.mount_watcher",
        rights="root with three capabilities (`agent.confinement.process_rights.WATCHER`)",
        loop="`agent.guard.mount_watcher:main`: `poll` on the mount table, channel, life",
        owns="covering what is not guarded; a detached mount of each guarded volume",
    ),
    ProcessRow(
        "control",
        entry="agent.control.__main__:main",
        starter="holder",
        where=("agent.daemon",),
        runs="agent.control",
        rights="root with twelve capabilities (`agent.confinement.process_rights.CONTROL`)",
        loop="`agent.control.chores:serve`: asyncio",
        owns="the API socket, writing the registry, marks and covers of volumes, the search index, HR's spool",
    ),
    ProcessRow(
        "departures",
        entry="agent.control.offboarding.worker:main",
        starter="control",
        where=("agent.control.offboarding.worker_supervisor",),
        runs="agent.control.offboarding.worker",
        rights="as control, nice 10",
        loop="`agent.control.offboarding.worker:serve`: messages, a sweep every 30 s",
        owns="deny entries on files, proofs, receipts, the answers to HR",
    ),
    ProcessRow(
        "second factor",
        entry="agent.runtime.pam:main",
        starter="control",
        where=("agent.control.second_factor",),
        runs="agent.runtime.pam",
        rights="as control: modules of PAM ask for what they need; ended after ten seconds",
        loop="`agent.runtime.pam:ask`: one question to PAM",
        owns="nothing",
        short=True,
    ),
    ProcessRow(
        "verifier",
        entry="agent.log.verifier:main",
        starter="control",
        where=("agent.log.verifier_supervisor",),
        runs="agent.log.verifier",
        rights="root with one capability (CAP_DAC_READ_SEARCH), nice 19",
        loop="`agent.log.verifier:watch`: a look every 2 s; one pass for `log verify`",
        owns="nothing: it reads",
    ),
    ProcessRow(
        "doors",
        entry="agent.doors.__main__:main",
        starter="control",
        where=("agent.rooms.field.child",),
        runs="agent.doors",
        rights="an account of its own (`agent.rooms.field.identity.identity`), no capability; while there is a door. "
        "Where control has no network, systemd starts it (`agent.rooms.field.unit.FieldUnit`)",
        loop="`agent.doors.__main__:main`: asyncio",
        owns="the connections to readers and boards",
    ),
    ProcessRow(
        "terminal",
        entry="tui.__main__:main",
        starter="cli",
        where=("agent.cli.process_commands", "agent.demo.looking"),
        runs="tui",
        rights="whoever calls it (`shoumi tui`)",
        loop="`tui.app:Terminal`: asyncio (Textual)",
        owns="the screen",
        verb="becomes",
    ),
    ProcessRow(
        "simulator",
        entry="agent.simulator.__main__:main",
        starter="cli",
        where=("agent.simulator.client",),
        runs="agent.simulator",
        rights="whoever calls it (`door simulate --serve`, the demo, tests)",
        loop="`agent.simulator.__main__:serve`: asyncio",
        owns="readers and boards made of software",
    ),
    ProcessRow(
        "attempt",
        entry="agent.offboard.probe_access:attempt",
        starter="departures",
        where=("agent.offboard.probe_access",),
        runs=FORK,
        rights="the person who must be refused",
        loop="opens a list of files and says each error number",
        owns="nothing",
        short=True,
    ),
    ProcessRow(
        "sweep",
        entry="agent.offboard.steps.signals:sweep",
        starter="control",
        where=("agent.offboard.steps.signals",),
        runs=FORK,
        rights="the effective uid of the leaver",
        loop="sends one signal, where a thread cannot; also started by departures",
        owns="nothing",
        short=True,
    ),
    ProcessRow(
        "mail",
        entry="agent.offboard.warning.mail:deliver",
        starter="departures",
        where=("agent.offboard.warning.mail",),
        runs=FORK,
        rights="the person who is warned",
        loop="appends one letter to the person's mail spool",
        owns="nothing",
        short=True,
    ),
    ProcessRow(
        "host tool",
        entry="agent.offboard.steps.commands:call",
        starter="departures",
        where=(
            "agent.offboard.steps.commands",
            "agent.disks.tools",
            "agent.simulator.volume_image",
            "agent.demo.remounting",
            "agent.offboard.warning.mail",
        ),
        runs=TOOL,
        rights="as who starts it",
        loop="`usermod`, `loginctl`, `smbcontrol` …; `blkid`, `cryptsetup`, `mkfs`, `mount` for volumes; `sendmail`",
        owns="nothing",
        short=True,
    ),
    ProcessRow(
        "volume probe",
        entry="agent.volumes.probe_process:main",
        starter="control",
        where=("agent.volumes.probe",),
        runs="agent.volumes.probe_process",
        rights="as who starts it: control, or `doctor` of the cli",
        loop="tries each ability of the kernel on a file of its own; `alarm(2)` ends it",
        owns="two fanotify groups of its own",
        short=True,
    ),
    ProcessRow(
        "probe opener",
        entry="agent.volumes.probe_opener:main",
        starter="volume probe",
        where=("agent.volumes.probe_process",),
        runs="agent.volumes.probe_opener",
        rights="as the volume probe",
        loop="opens and reads what it is told",
        owns="one descriptor",
        short=True,
    ),
    ProcessRow(
        "canary",
        entry="agent.volumes.canary.opener:main",
        starter="control",
        where=("agent.volumes.canary.process",),
        runs="agent.volumes.canary.opener",
        rights="a uid that nobody has, with one capability (CAP_DAC_READ_SEARCH)",
        loop="opens and reads what it is told, through the descriptors it was given",
        owns="descriptors of up to sixteen areas, for a moment",
        short=True,
    ),
    ProcessRow(
        "demo person",
        entry="agent.demo.actors:acting",
        starter="cli",
        where=("agent.demo.actors",),
        runs=FORK,
        rights="an unused uid",
        loop="does one thing in the demo as that person",
        owns="nothing",
        short=True,
    ),
)

WIRES = (
    WireRow(
        between=("holder", "decider"),
        what="groups, heartbeat page, turns, life pipe",
        carries="inherited descriptors; a beat each tick; whose turn it is to read the groups (`agent.guard.turns`)",
        made="agent.guard.heartbeat:create",
    ),
    WireRow(
        between=("holder", "control"),
        what="groups, life pipe, say pipe",
        carries="inherited descriptors; the ready line",
        made="agent.control.__main__:announce",
    ),
    WireRow(
        between=("decider", "label worker"),
        what="socket pair made by the decider",
        carries="descriptors of events; which area each lies in, and who in a server has it open",
        made="agent.guard.label_worker:fork",
    ),
    WireRow(
        between=("control", "mount watcher"),
        what="socket pair made by the holder",
        carries="what was covered; a question whether it has looked",
        made="agent.runtime.channel:pair",
    ),
    WireRow(
        between=("control", "decider"),
        what="socket pair made by the holder",
        carries="`append`, `epoch`, `quiet`, `canary`, `own`, `stats`, answers; the decider says `hello`, `flushed`",
        made="agent.runtime.channel:pair",
    ),
    WireRow(
        between=("control", "departures"),
        what="socket pair, groups, life pipe",
        carries="`finish`; asked back: `append`, `epoch`, `own`, `fresh`, `cut`, `doors`",
        made="agent.runtime.channel:pair",
    ),
    WireRow(
        between=("control", "doors"),
        what="socket pair, life pipe, stderr pipe; or `run/doors.sock`, for its account",
        carries="the frames of `agent.doors.frames`",
        made="agent.doors.link:pair",
    ),
    WireRow(
        between=("control", "verifier"),
        what="pipe",
        carries="one JSON line a look",
        made="agent.log.verifier_supervisor:VerifierSupervisor",
    ),
    WireRow(
        between=("cli", "control"),
        what="API socket",
        carries="one JSON object a line (`agent.api.protocol`) over `run/control.sock`, or a socket kept for root or a "
        "role beside it; callers by peer credentials",
        made="agent.api.sockets:listen",
    ),
    WireRow(
        between=("terminal", "control"),
        what="API socket",
        carries="the same",
        made="agent.api.sockets:connect",
    ),
    WireRow(
        between=("cli", "simulator"),
        what="a Unix socket of its own, stdin",
        carries="what hands do at simulated doors",
        made="agent.simulator.client:command",
    ),
    WireRow(
        between=("departures", "attempt"),
        what="pipe",
        carries="number and error number, a line each",
        made="agent.offboard.probe_access:attempt",
    ),
)

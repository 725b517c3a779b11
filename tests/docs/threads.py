"""The threads of the product beside the main one of each process: a table of ``docs/architecture.md``.

Rules of this file: data only. ``test_architecture.py`` compares it with the source: every kind of thread stands here,
and nothing else does.
"""

from typing import NamedTuple

from tests.docs.source_scan import DEFAULT, UNNAMED


class ThreadRow(NamedTuple):
    """One kind of thread beside the main one of its process."""

    process: str
    name: str
    module: str
    does: str
    owns: str


THREADS = (
    ThreadRow(
        "decider",
        "clock",
        "agent.runtime.clock_file",
        "writes down what time is judged to be",
        "`clock.json` of the home",
    ),
    ThreadRow(
        "label worker",
        "labels",
        "agent.guard.label_worker",
        "reads and writes labels, looks at server processes, one question at a time each",
        "nothing",
    ),
    ThreadRow(
        "label worker",
        "discards",
        "agent.guard.label_worker",
        "takes away empty files of refused opens, as whoever was refused",
        "nothing",
    ),
    ThreadRow(
        "control",
        "name service",
        "agent.runtime.os_groups",
        "asks which groups an account is in, for an act that waits a second at most",
        "nothing",
    ),
    ThreadRow(
        "control",
        "acts",
        "agent.control.server",
        "does every act, one after the other: callers', scheduled, HR's",
        "`agent.control.transaction.ActExecutor`; writes the registry",
    ),
    ThreadRow("control", "questions", "agent.control.server", "answers reads and streams, eight at a time", "nothing"),
    ThreadRow(
        "control",
        "rehearsals",
        "agent.control.server",
        "tries acts for those who ask what they would do, one at a time, half of the time",
        "copies of the registry, in memory",
    ),
    ThreadRow("control", "role-groups", "agent.control.server", "reads which groups are those of the roles", "nothing"),
    ThreadRow(
        "control",
        "lookup",
        "agent.control.reception.lookups",
        "asks the name service for the groups of one caller, for as long as that takes, then ends; nobody waits for it "
        "at the end",
        "nothing",
    ),
    ThreadRow(
        "control",
        "doors",
        "agent.control.chores",
        "hears readers and boards, has badges decided, sends orders",
        "`agent.rooms.worker.DoorWorker`; writes the states of rooms into the registry",
    ),
    ThreadRow(
        "control",
        "departures",
        "agent.control.chores",
        "keeps the process of departures alive, and answers what it asks",
        "`agent.control.offboarding.worker_supervisor.WorkerSupervisor`",
    ),
    ThreadRow(
        "control",
        "hr-inbox",
        "agent.control.chores",
        "takes in what HR sends",
        "`agent.offboard.intake.inbox.Inbox`",
    ),
    ThreadRow(
        "control",
        "verifier",
        "agent.control.chores",
        "keeps the verifier alive, and takes its reports",
        "`agent.log.verifier_supervisor.VerifierSupervisor`",
    ),
    ThreadRow(
        "control",
        "quiet",
        "agent.control.chores",
        "looks who holds what, and lets reads be quiet again",
        "`agent.control.quiet_scan.QuietScan`",
    ),
    ThreadRow(
        "control",
        "mounts",
        "agent.control.chores",
        "brings areas under guard after each change of the mount table",
        "`agent.control.mount_chore.MountChore`; with the acts, `agent.volumes.protection.Protection`",
    ),
    ThreadRow(
        "control",
        "volumes",
        "agent.control.chores",
        "mounts volumes and lets go of them, as is wanted",
        "`agent.control.volume_keeper.VolumeKeeper`",
    ),
    ThreadRow(
        "control",
        "staging",
        "agent.volumes.staging",
        "mounts and marks one volume where nobody sees it, then ends",
        "a mount namespace of its own",
    ),
    ThreadRow(
        "control",
        "labels",
        "agent.control.chores",
        "labels what nobody has opened yet",
        "`agent.volumes.labelling.LabelSweeps`",
    ),
    ThreadRow(
        "control",
        "canaries",
        "agent.control.chores",
        "has a canary try the areas in turn, covers what let it in, and writes down what came of it",
        "`agent.control.canaries.CanaryWatch`",
    ),
    ThreadRow(
        "control",
        "programs",
        "agent.control.chores",
        "reads the programs of services whose hash is asked for, and tells the decider",
        "`agent.control.program_watch.ProgramWatch`",
    ),
    ThreadRow(
        "control",
        "deadline",
        "agent.runtime.deadline",
        "reaches what a canary tries, on a disk that may not answer, then ends; nobody waits for it at the end",
        "descriptors of one area; below a cover, a mount namespace of its own",
    ),
    ThreadRow(
        "control",
        "index",
        "agent.log.indexer",
        "keeps the search index close behind the log",
        "`agent.log.index.Indexer`",
    ),
    ThreadRow(
        "control",
        "cuts",
        "agent.control.offboarding.cut_executor",
        "cuts the access of everybody who waits, together",
        "a `agent.offboard.runner.Runner` with its journal",
    ),
    ThreadRow(
        "control", "door-entries", "agent.rooms.recorder", "has the entries of doors appended, in order", "nothing"
    ),
    ThreadRow(
        "control",
        UNNAMED,
        "agent.offboard.intake.watcher",
        "watchdog's observers: they wake the loop of HR's inbox",
        "inotify descriptors",
    ),
    ThreadRow(
        "control",
        "look below a cover",
        "agent.kernel.mounting",
        "reaches a covered directory, then ends; also in the volume probe",
        "a mount namespace of its own",
    ),
    ThreadRow(
        "control",
        "sweep",
        "agent.offboard.steps.signals",
        "signals everything of one uid, then ends; also in departures",
        "its own uids, while it lives",
    ),
    ThreadRow(
        "departures",
        "life",
        "agent.control.offboarding.worker",
        "ends the process when control or the holder is gone",
        "nothing",
    ),
    ThreadRow(
        "departures", "alongside", "agent.offboard.runner", "steps that wait for others, such as doors", "nothing"
    ),
    ThreadRow(
        "doors", "osdp-round", "agent.doors.osdp.buses", "goes round all OSDP lines every 5 ms", "libosdp and the lines"
    ),
    ThreadRow("doors", "osdp-words", "agent.doors.osdp.buses", "says what the round heard; starts it again", "nothing"),
    ThreadRow("doors", DEFAULT, "agent.doors.dispatcher", "waits for the lines to be let go, at the end", "nothing"),
    ThreadRow("doors", "life", "agent.doors.__main__", "ends the process when control is gone", "nothing"),
    ThreadRow("doors", UNNAMED, "agent.doors.__main__", "a timer: ends the process if its end takes 2 s", "nothing"),
    ThreadRow(
        "terminal",
        "asking",
        "tui.agent",
        "calls to the agent, four at a time",
        "one `agent.api.client.AgentClient` each",
    ),
    ThreadRow("terminal", DEFAULT, "tui.agent", "connects to the agent", "nothing"),
    ThreadRow("terminal", DEFAULT, "tui.log_jobs", "writes an export to the disk", "nothing"),
    ThreadRow(
        "simulator",
        "simulated-readers",
        "agent.simulator.osdp_reader",
        "plays the OSDP readers of one line",
        "libosdp and the line",
    ),
    ThreadRow("simulator", DEFAULT, "agent.simulator.site", "waits for lines to be let go, at the end", "nothing"),
    ThreadRow(
        "probe opener", "second-opener", "agent.volumes.probe_opener", "opens once, as another thread", "nothing"
    ),
)

"""The composition root: everything the control process owns, made in order and handed to whoever needs it.

    site ─▶ doors ─▶ offboarding ┐
    site ─▶ mounts ─▶ volumes    ┤
    site ─▶ programs, quiet scan,┤
            verifier             │
    site, protection ─▶ canaries ┴▶ services ─▶ handlers, scheduled acts, HR's notices

Rules of this file: wiring only, in constructors. Nothing is patched in later, and nothing stands in for a part that is
not there yet. The registry is written by the thread of acts, by the thread of doors, and by nobody else.
"""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from agent.control.asking_budget import AskingBudget
from agent.control.canaries import CanaryWatch
from agent.control.decider_client import DeciderClient
from agent.control.holder_cuts import HolderCuts
from agent.control.label_chore import LabelChore
from agent.control.mount_chore import MountChore
from agent.control.offboarding.coordinator import OffboardingCoordinator
from agent.control.offboarding.host import agent_processes, rails_of
from agent.control.passing_secrets import PassingSecrets
from agent.control.program_watch import ProgramWatch
from agent.control.quiet_scan import QuietScan
from agent.control.rejections import RefusalEntries
from agent.control.second_factor import SecondFactor
from agent.control.seen_holders import SeenHolders
from agent.control.stopped_processes import StoppedProcesses
from agent.control.volume_keeper import VolumeKeeper
from agent.control.watcher_client import WatcherClient
from agent.errors import ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.start_time import start_time
from agent.log.indexer import BackgroundIndexer
from agent.log.sessions import LogSessions
from agent.log.verifier_supervisor import VerifierSupervisor
from agent.registry.intent import WriteAheadIntent
from agent.registry.store import Registry
from agent.rooms.service import DoorServer
from agent.runtime.config import Config
from agent.runtime.config import load as load_config
from agent.runtime.home import Home
from agent.site.context import SiteContext, agent_clock
from agent.volumes.canary.schedule import CanaryPeriods
from agent.volumes.protection import Protection
from agent.volumes.volume_tiers import VolumeTiers
from rules.tiers import MINIMA, MinimumTier


@dataclass(frozen=True, slots=True)
class ControlServices:
    """The parts of one control process. Made by :func:`open_services`; for any thread, unless a part says otherwise."""

    site: SiteContext
    config: Config
    registry: Registry
    decider: DeciderClient
    intent: WriteAheadIntent
    indexer: BackgroundIndexer
    protection: Protection
    mounts: MountChore
    volumes: VolumeKeeper
    labels: LabelChore
    canaries: CanaryWatch
    doors: DoorServer
    offboarding: OffboardingCoordinator
    quiet_scan: QuietScan
    programs: ProgramWatch
    verifier: VerifierSupervisor
    log_sessions: LogSessions
    asking: AskingBudget
    refusals: RefusalEntries
    secrets: PassingSecrets
    factor: SecondFactor


@contextmanager
def open_services(
    home: Home,
    decider: DeciderClient,
    groups: FanotifyGroups | None,
    life: int | None = None,
    watcher: socket.socket | None = None,
) -> Iterator[ControlServices]:
    """Open everything of *home*, and close it at the end of the block.

    *groups* is ``None`` in a rehearsal; *life* reaches its end when the holder is gone; *watcher* is our end of the
    pair to the mount watcher. Raises
    :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError`.
    """
    config = load_config(home.config)
    with ExitStack() as stack:
        registry = stack.enter_context(Registry(home.registry))
        intent = WriteAheadIntent(home.intent)
        stack.callback(intent.close)
        indexer = BackgroundIndexer(home.log, home.index)
        stack.callback(indexer.close)
        indexer.fresh()
        site = stack.enter_context(SiteContext(home, decider, agent_clock(home)))
        doors = DoorServer(site, registry, config.doors_user)
        stack.callback(doors.close)
        offboarding = OffboardingCoordinator(
            site,
            site.role_groups,
            indexer,
            doors,
            groups,
            life,
            lambda: protection.tiers(),  # noqa: PLW0108 - it is made below, and needs this
        )
        stack.callback(offboarding.close)
        lowest = _asked_by_pack(site)
        told_by = WatcherClient(watcher)
        protection = Protection(
            home,
            groups,
            lambda *area: canaries.prove(*area),  # noqa: PLW0108 - they are made below, and need this
            lambda: _lives(life),
            told_by.look,
            VolumeTiers(groups, config.minimum_tier, lowest),
        )
        canaries = CanaryWatch(site, decider, groups, protection, CanaryPeriods(config.canary_seconds))
        cuts = HolderCuts(
            protection.tiers,
            protection.guarded_since,
            rails_of(site, agent_processes()),
            decider.append,
            StoppedProcesses(home.run / "stopped"),
            SeenHolders(home.run / "seen-holders"),
        )
        programs = ProgramWatch(site, registry, decider)
        quiet_scan = QuietScan(home, decider, site.clock, cuts, offboarding.cutting, lambda: programs.hashed)
        stack.callback(quiet_scan.close)
        mounts = MountChore(site, decider, protection, told_by)
        stack.callback(mounts.close)
        volumes = VolumeKeeper(site, decider, groups, protection, told_by, mounts.step)
        stack.callback(volumes.close)
        verifier = VerifierSupervisor(home, decider.append, site.now)
        stack.callback(verifier.close)
        yield ControlServices(
            site=site,
            config=config,
            registry=registry,
            decider=decider,
            intent=intent,
            indexer=indexer,
            protection=protection,
            mounts=mounts,
            volumes=volumes,
            labels=LabelChore(site, decider, protection, config.label_scan_seconds),
            canaries=canaries,
            doors=doors,
            offboarding=offboarding,
            quiet_scan=quiet_scan,
            programs=programs,
            verifier=verifier,
            log_sessions=LogSessions(),
            asking=AskingBudget(),
            refusals=RefusalEntries(decider.append),
            secrets=PassingSecrets(),
            factor=SecondFactor(config.second_factor, start_time),
        )


def _asked_by_pack(site: SiteContext) -> Callable[[], MinimumTier]:
    """Return what tells the minimum of the pack in force; of one that cannot be read it is the highest there is."""

    def asked() -> MinimumTier:
        try:
            rule = site.pack().protection
        except ShoumiError:
            return MINIMA[0]
        return rule.minimum_tier if rule else MINIMA[-1]

    return asked


def _lives(life: int | None) -> bool:
    """Whether the holder lives, as far as *life* tells: without one nobody ever ends it."""
    return life is None or not select.select([life], [], [], 0)[0]

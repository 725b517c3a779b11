"""Composition root: the parts of the control process, created in order and passed to their users.

    site ─▶ doors ─▶ offboarding ┐
    site ─▶ mounts ─▶ volumes    ┤
    site ─▶ programs, quiet scan,┤
            verifier             │
    site, protection ─▶ canaries ┴▶ services ─▶ handlers, scheduled acts, HR's notices

Rules of this file: wiring only, in constructors. Nothing is patched in later, and no part has a placeholder. Only the
thread of acts and the thread of doors write the registry.
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
    """The parts of one control process, made by :func:`open_services`. For any thread, unless a part says otherwise."""

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
            lambda: protection.tiers(),  # noqa: PLW0108 - created below, and depends on this
        )
        stack.callback(offboarding.close)
        lowest = _minimum_of_pack(site)
        watcher_client = WatcherClient(watcher)
        protection = Protection(
            home,
            groups,
            lambda *area: canaries.prove(*area),  # noqa: PLW0108 - created below, and depend on this
            lambda: _lives(life),
            watcher_client.check_mounts,
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
        mounts = MountChore(site, decider, protection, watcher_client)
        stack.callback(mounts.close)
        volumes = VolumeKeeper(site, decider, groups, protection, watcher_client, mounts.step)
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


def _minimum_of_pack(site: SiteContext) -> Callable[[], MinimumTier]:
    """Return a function that returns the minimum tier of the pack in force; the highest for an unreadable pack."""

    def minimum() -> MinimumTier:
        try:
            rule = site.pack().protection
        except ShoumiError:
            return MINIMA[0]
        return rule.minimum_tier if rule else MINIMA[-1]

    return minimum


def _lives(life: int | None) -> bool:
    """Return whether the holder lives, by *life*; always without it."""
    return life is None or not select.select([life], [], [], 0)[0]

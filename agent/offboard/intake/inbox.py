"""HR's channel: from a file in the spool to a notice that is durable, handed over, and filed with its reason.

    read every delivery → verify → order by time of event → take in (one commit) → hand over → note → file

Rules of this file:
- durable before acted on, acted on before filed: a kill between any two of these is made good by the next sweep, which
  starts with the open notices of the store. Handing over is at least once, and ``received`` knows notices by key;
- notices of one person are handed over in order (:mod:`agent.offboard.intake.handing_over`);
- an approver who may not act for others now (on hold, inactive, leaving) does not count; a token that lacks an approval
  for that reason goes into quarantine and is judged once more when it is released;
- no delivery ends the sweep, is lost, or is judged by what may still change: a wrong file that is younger than a few
  seconds may be half-written and waits, and without readable keys everything waits;
- every file is noted before it is moved, so its reason is in the log even when the agent ends in between;
- a token dated ahead of our clock stays in place, is noted and answered once, and is judged again when its time comes;
- a large number of files delays no new one: the newest are read first, beside those that have waited longest, and
  filing is limited in time before new arrivals are read. Notices already handed over are filed before wrong and
  repeated ones.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from agent.errors import RefusedError
from agent.offboard import database
from agent.offboard.intake import channel, outbox, pinned_keys, token, turns
from agent.offboard.intake.delivery import Delivery
from agent.offboard.intake.filing import Filing, Received
from agent.offboard.intake.handing_over import HandingOver
from agent.offboard.intake.hooks import Hooks
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.pinned_keys import PinnedKeys
from agent.offboard.intake.reasons import AheadError, BadTokenError
from agent.offboard.intake.spool import Spool, is_delivery
from agent.offboard.intake.store import Arrival, Outcome, Store
from agent.offboard.intake.turns import Turns
from agent.offboard.intake.wrong_budget import WrongBudget
from rules.text import Message, Sentence
from rules.visible import visible

__all__ = ["Hooks", "Inbox", "Received"]

SETTLING: Final = 3.0  # seconds without a change after which a wrong file is wrong, and not half-written
AGAIN: Final = 60.0  # seconds until a file that could not be put away is tried again
LOOKING: Final = 0.15  # seconds one sweep spends on looking: a signature takes a good part of a millisecond
FILING: Final = 0.15  # seconds one sweep spends on putting away, which takes milliseconds for each


_KNOWN: Final = frozenset({"again", "replayed", "number-reused"})  # outcomes of tokens already on the disk
_FRESH: Final = frozenset({"accepted", "again"})  # outcomes of notices to hand over
_LAST: Final[dict[Outcome, int]] = {"replayed": 1, "number-reused": 1}  # nothing waits for these to be put away


@dataclass(frozen=True, slots=True)
class Counted:
    """The notice of a right token with the approvals that count, the ignored approvers, and whether too few count."""

    notice: HrNotice
    ignored: tuple[str, ...] = ()
    short: bool = False


class Inbox:
    """One agent's channel from HR. One thread at a time."""

    def __init__(
        self,
        home: Path,
        hooks: Hooks,
        *,
        settling: float = SETTLING,
        retry_after: float = AGAIN,
        looking: float = LOOKING,
        filing: float = FILING,
        silence: timedelta = timedelta(0),
    ) -> None:
        """Open the store and the spool below *home*. Raises :class:`RefusedError` and :class:`FatalError`.

        *silence*: after how long without a right token the channel is in trouble; never, when zero.
        """
        self._home, self._hooks, self._settling, self._retry_after = home, hooks, settling, retry_after
        self._looking, self._filing, self._silence = looking, filing, silence
        self._store = Store(database.path(home))
        try:
            self._spool = Spool(home / "spool")
        except BaseException:
            self._store.close()
            raise
        self._troubles: set[str] = set()
        self._handing_over = HandingOver(home, self._store, hooks)
        self._unmovable: dict[tuple[int, ...], float] = {}  # when it was tried last; all else about them is done
        self._turns = Turns(is_delivery)
        self._wrong = WrongBudget()
        self._ahead: dict[str, tuple[tuple[int, ...], datetime]] = {}  # names of tokens dated ahead
        self._listed: datetime | None = None  # when the names were read last
        self._since: dict[str, datetime | None] = {}  # of each name, when they were read last without it
        self._more = False

    def close(self) -> None:
        """Close store and spool."""
        self._store.close()
        self._spool.close()

    @property
    def folder(self) -> tuple[Path, tuple[int, int]]:
        """Where deliveries arrive, and which directory that is at present."""
        return self._spool.new, self._spool.identity

    @property
    def more(self) -> bool:
        """Whether the last sweep left deliveries that can be taken up at once."""
        return self._more

    def sweep(self, now: datetime) -> list[Received]:
        """Take up the deliveries, or a part of very many (:attr:`more`).

        Returns the outcome of each delivery that was taken up, in the order they were handed over. Raises what ``note``
        and ``known`` raise, :class:`RefusedError` when the store cannot take anything in now (every file stays in
        place), and :class:`FatalError`.
        """
        self._more = False
        began = time.monotonic()
        self._handing_over.hand_over(now)
        self._listen(now)
        pinned = self._keys()
        if pinned is None:
            return []
        if self._spool.replaced():
            self._reopen()
        self._spool.give(pinned.drop_uid)
        return self._take_up(pinned, now, lambda: now + timedelta(seconds=time.monotonic() - began))

    def _take_up(self, pinned: PinnedKeys, now: datetime, clock: Callable[[], datetime]) -> list[Received]:
        right: list[tuple[Delivery, Counted]] = []
        acts = cache(self._hooks.acts)  # a pile has the same few approvers
        wrong: list[tuple[Delivery, BadTokenError]] = []
        ahead: list[tuple[Delivery, AheadError]] = []
        names = self._names(clock())
        until = time.monotonic() + self._looking
        for number, name in enumerate(names):
            if number and time.monotonic() > until:
                break
            delivery = self._spool.read(name, pinned.drop_uid)
            self._turns.mark_read(name)
            if delivery is None or self._lately_unmovable(delivery) or self._not_yet(delivery, now):
                continue
            try:
                right.append((delivery, self._counted(self._judge(delivery, pinned, now), acts, pinned)))
            except AheadError as error:
                ahead.append((delivery, error))
            except BadTokenError as error:
                if not self._may_change(delivery):
                    wrong.append((delivery, error))
        self._more = bool(self._turns.fresh)
        self._ahead = {name: early_until for name, early_until in self._ahead.items() if name in self._turns}
        right.sort(key=lambda arrival: (arrival[1].notice.toe, arrival[1].notice.iat, arrival[1].notice.key))
        looked_at = clock()
        arrivals = [self._arrival(delivery, counted, looked_at) for delivery, counted in right]
        outcomes = self._store.admit(arrivals, self._hooks.known, looked_at)
        taken_in = {arrival.notice.key for arrival in arrivals}
        if fresh := [
            arrival.notice.key for arrival, outcome in zip(arrivals, outcomes, strict=True) if outcome not in _KNOWN
        ]:
            self._store.stored(fresh, clock())  # the commit has returned, so they are synced
        refused = self._handing_over.hand_over(now, taken_in)
        filing = Filing(
            self._spool, self._hooks.note, lambda received: self._answer(received, pinned, now), self._unmoved, now
        )
        outcomes = [
            "refused" if arrival.notice.key in refused and outcome in _FRESH else outcome
            for arrival, outcome in zip(arrivals, outcomes, strict=True)
        ]
        waiting = []
        for delivery, early in ahead:
            waiting.append(filing.ahead(delivery, early))
            self._ahead[delivery.name] = delivery.identity, early.until
        return waiting + self._put_away(filing, list(zip(right, outcomes, strict=True)), wrong, refused)

    def _names(self, now: datetime) -> list[str]:
        """Return the names whose turn it is, and remember between which two sweeps each name arrived."""
        names = self._spool.names(self._turns)
        for name in self._turns.removed:
            self._since.pop(name, None)
        self._since |= dict.fromkeys(self._turns.arrived, self._listed)
        self._listed = now
        return names

    def _arrival(self, delivery: Delivery, counted: Counted, now: datetime) -> Arrival:
        """Return the arrival with the time its file appeared: the change of its name, between two sweeps.

        File times are the wall clock's; the time is moved to the agent's clock by its distance from now.
        """
        since = self._since.get(delivery.name)
        appeared = now - timedelta(seconds=max(0.0, time.time() - delivery.status.st_ctime))
        return Arrival(
            counted.notice,
            delivery.contents,
            counted.short,
            max(appeared, since) if since else appeared,
            since,
            file=visible(delivery.name),
        )

    def _put_away(
        self,
        filing: Filing,
        right: list[tuple[tuple[Delivery, Counted], Outcome]],
        wrong: list[tuple[Delivery, BadTokenError]],
        refused: Mapping[tuple[str, str], Sentence],
    ) -> list[Received]:
        """File as many as time permits, those acted on first; the rest is judged again at its next turn."""
        until = time.monotonic() + self._filing
        received: list[Received] = []
        keys: list[tuple[str, str]] = []
        for (delivery, counted), outcome in sorted(right, key=lambda pair: _LAST.get(pair[1], 0)):
            if received and time.monotonic() > until:
                break
            refusal = refused.get(counted.notice.key)
            received.append(filing.right(delivery, counted.notice, outcome, counted.ignored, refusal))
            keys.append(counted.notice.key)
            self._turns.over(delivery.name)
        self._wrong.begin()
        for delivery, error in wrong:
            if received and time.monotonic() > until:
                break
            if self._wrong.may(delivery.status.st_uid, delivery.status.st_size, filing.now):
                received.append(filing.wrong(delivery, error))
                self._turns.over(delivery.name)
        unfinished = len(received) + self._say_left() < len(right) + len(wrong)
        self._more = self._more or unfinished or (bool(received) and self._turns.staying > turns.AGAIN)
        if keys:
            self._spool.sync()
            self._store.settle((), keys)
        return received

    def _say_left(self) -> int:
        """Report owners with too many wrong files, once while that lasts; return how many files were left in place."""
        for uid, overflow in self._wrong.overflows.items():
            self._trouble(f"spool-crowded-{uid}", overflow.text())
        if not self._wrong.overflows:
            self._troubles = {trouble for trouble in self._troubles if not trouble.startswith("spool-crowded-")}
        return sum(overflow.names for overflow in self._wrong.overflows.values())

    def _judge(self, delivery: Delivery, pinned: PinnedKeys, now: datetime) -> HrNotice:
        if delivery.wrong:
            raise delivery.wrong
        return token.verify(delivery.contents, pinned, now, self._hooks.lookup)

    def _not_yet(self, delivery: Delivery, now: datetime) -> bool:
        """Whether this very file is known to be dated ahead of *now*."""
        waiting = self._ahead.get(delivery.name)
        if waiting is None:
            return False
        if waiting[0] == delivery.identity and now < waiting[1]:
            return True
        del self._ahead[delivery.name]
        return False

    def _counted(self, notice: HrNotice, acts: Callable[[str], bool], pinned: PinnedKeys) -> Counted:
        """Return *notice* with the approvals that count: a key still signs when its owner is on hold or has left."""
        ignored = tuple(approval.person for approval in notice.approvals if not acts(approval.person))
        if not ignored:
            return Counted(notice)
        counting = tuple(approval for approval in notice.approvals if approval.person not in ignored)
        wanted = max(pinned.approvals_needed, self._hooks.wanted())
        return Counted(replace(notice, approvals=counting), ignored, short=len(counting) < wanted)

    def _answer(self, received: Received, pinned: PinnedKeys, now: datetime) -> None:
        """Send HR the outcome of a delivery; for a notice that could not be begun it was sent before."""
        if received.folder == "accepted" and received.notice and received.notice.key in self._handing_over.announced:
            return
        try:
            outbox.answer(self._home, pinned.audience, received.answer(), now, reader=pinned.drop_uid)
        except RefusedError as error:
            self._trouble("answers", error.text)
        else:
            self._troubles.discard("answers")

    def _listen(self, now: datetime) -> None:
        """Report a silence longer than the site expects."""
        last_heard = channel.heard(self._home, self._store, self._silence, now)
        if last_heard.silent:
            self._trouble("silence", channel.silent_text(last_heard, now))
        else:
            self._troubles.discard("silence")

    def _unmoved(self, delivery: Delivery, error: OSError) -> None:
        name, reason = visible(delivery.name), visible(error.strerror or "")
        text = Message("hr.cannot-move-from-spool", name=name, reason=reason)
        self._hooks.trouble("filing", text)
        self._unmovable[delivery.identity] = time.monotonic()

    def _lately_unmovable(self, delivery: Delivery) -> bool:
        tried = self._unmovable.get(delivery.identity)
        return tried is not None and time.monotonic() - tried < self._retry_after

    def _may_change(self, delivery: Delivery) -> bool:
        """Whether the file was changed so lately that its writer may not be done. File times are the wall clock's."""
        return 0 <= time.time() - delivery.status.st_ctime < self._settling

    def _keys(self) -> PinnedKeys | None:
        try:
            pinned = pinned_keys.load(pinned_keys.path(self._home))
        except RefusedError as error:
            self._trouble("keys", error.text)
            return None
        self._troubles.discard("keys")
        return pinned

    def _reopen(self) -> None:
        """Go over to the directories that have the names now."""
        self._trouble("spool-replaced", Message("hr.spool-replaced"))
        try:
            fresh = Spool(self._spool.root)
        except RefusedError as error:
            self._trouble("spool-unusable", error.text)
            return
        unadopted = fresh.adopt(self._spool)
        self._spool.close()
        self._spool = fresh
        self._turns = Turns(is_delivery)
        self._troubles -= {"spool-replaced", "spool-unusable"}
        if unadopted:
            text = Message("hr.moved-spool-not-empty", deliveries=unadopted)
            self._hooks.trouble("spool-left", text)

    def _trouble(self, trouble: str, text: Sentence) -> None:
        """Report a trouble once while it lasts."""
        if trouble not in self._troubles:
            self._hooks.trouble(trouble, text)
            self._troubles.add(trouble)

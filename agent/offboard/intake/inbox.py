"""HR's channel: from a file in the spool to a notice that is durable, handed over, and put away with its reason.

    look at every delivery → verify → order by what happened when → take in (one commit) → hand over → note → put away

Rules of this file:
- durable before acted on, acted on before filed: a kill between any two of these is made good by the next sweep, which
  starts with what is open in the store. Handing over is at least once, and ``received`` knows notices by key;
- one person's notices are handed over in order (:mod:`agent.offboard.intake.handing_over`);
- an approver who may not act for others now (on hold, inactive, leaving) does not count; a token that lacks one because
  of it is put into quarantine, to be judged once more when somebody has it released;
- no delivery ends the sweep, is lost, or is judged by what may still change: a wrong file that is younger than a few
  seconds may be half-written and waits, and without readable keys everything waits;
- every file is noted before it is moved, so its reason is in the log even when the agent ends in between;
- what is dated ahead of our clock waits where it is, noted and answered once, and is judged again when its time comes;
- a heap of files keeps no new one waiting: the newest are looked at first, beside those that have waited longest, and
  putting away takes only so long before the next look at what has come meanwhile. What was handed over already comes
  before what is wrong or came before.
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
from rules.text import Text
from rules.visible import visible

__all__ = ["Hooks", "Inbox", "Received"]

SETTLING: Final = 3.0  # seconds without a change after which a wrong file is wrong, and not half-written
AGAIN: Final = 60.0  # seconds until a file that could not be put away is tried again
LOOKING: Final = 0.15  # seconds one sweep spends on looking: a signature takes a good part of a millisecond
FILING: Final = 0.15  # seconds one sweep spends on putting away, which takes milliseconds for each


_KNOWN: Final = frozenset({"again", "replayed", "number-reused"})  # outcomes of what was on the disk before
_FRESH: Final = frozenset({"accepted", "again"})  # outcomes of what is handed over
_LAST: Final[dict[Outcome, int]] = {"replayed": 1, "number-reused": 1}  # nothing waits for these to be put away


@dataclass(frozen=True, slots=True)
class Counted:
    """A right token's notice with the approvals that count, whose do not, and whether too few are left."""

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
        again: float = AGAIN,
        looking: float = LOOKING,
        filing: float = FILING,
        silence: timedelta = timedelta(0),
    ) -> None:
        """Open the store and the spool below *home*. Raises :class:`RefusedError` and :class:`FatalError`.

        *silence*: after how long without a right token the channel is in trouble; never, when zero.
        """
        self._home, self._hooks, self._settling, self._again = home, hooks, settling, again
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
        self._ahead: dict[str, tuple[tuple[int, ...], datetime]] = {}  # names of what waits for its time
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
        """Whether the last sweep left deliveries behind that can be taken up at once."""
        return self._more

    def sweep(self, now: datetime) -> list[Received]:
        """Take up what is there, or of very much a part (:attr:`more`).

        Returns what became of each delivery that was taken up, in the order they were handed over.

        Raises what ``note`` and ``known`` raise, :class:`RefusedError` when the store cannot take anything in now
        (every file stays where it is), and :class:`FatalError`.
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
            delivery = self._spool.look(name, pinned.drop_uid)
            self._turns.looked(name)
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
        self._ahead = {name: value for name, value in self._ahead.items() if name in self._turns}
        right.sort(key=lambda one: (one[1].notice.toe, one[1].notice.iat, one[1].notice.key))
        looked = clock()
        arrivals = [self._arrival(delivery, counted, looked) for delivery, counted in right]
        outcomes = self._store.admit(arrivals, self._hooks.known, looked)
        taken_in = {one.notice.key for one in arrivals}
        if fresh := [one.notice.key for one, outcome in zip(arrivals, outcomes, strict=True) if outcome not in _KNOWN]:
            self._store.stored(fresh, clock())  # the commit has returned, so they are synced
        refused = self._handing_over.hand_over(now, taken_in)
        filing = Filing(self._spool, self._hooks.note, lambda done: self._answer(done, pinned, now), self._unmoved, now)
        outcomes = [
            "refused" if one.notice.key in refused and outcome in _FRESH else outcome
            for one, outcome in zip(arrivals, outcomes, strict=True)
        ]
        waiting = []
        for delivery, early in ahead:
            waiting.append(filing.ahead(delivery, early))
            self._ahead[delivery.name] = delivery.identity, early.until
        return waiting + self._put_away(filing, list(zip(right, outcomes, strict=True)), wrong, refused)

    def _names(self, now: datetime) -> list[str]:
        """Return the names whose turn it is, and remember between which two looks each name has come."""
        names = self._spool.names(self._turns)
        for name in self._turns.gone:
            self._since.pop(name, None)
        self._since |= dict.fromkeys(self._turns.came, self._listed)
        self._listed = now
        return names

    def _arrival(self, delivery: Delivery, counted: Counted, now: datetime) -> Arrival:
        """Return what is taken in, with when its file appeared: the change of its name, between two looks at it.

        The time of the file is the wall clock's; it is moved to the agent's by how long ago it is.
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
        refused: Mapping[tuple[str, str], Text],
    ) -> list[Received]:
        """Put away as much as there is time for, what was acted on first; the rest is judged again at its next turn."""
        until = time.monotonic() + self._filing
        done: list[Received] = []
        keys: list[tuple[str, str]] = []
        for (delivery, counted), outcome in sorted(right, key=lambda one: _LAST.get(one[1], 0)):
            if done and time.monotonic() > until:
                break
            why = refused.get(counted.notice.key)
            done.append(filing.right(delivery, counted.notice, outcome, counted.ignored, why))
            keys.append(counted.notice.key)
            self._turns.over(delivery.name)
        self._wrong.begin()
        for delivery, error in wrong:
            if done and time.monotonic() > until:
                break
            if self._wrong.may(delivery.status.st_uid, delivery.status.st_size, filing.now):
                done.append(filing.wrong(delivery, error))
                self._turns.over(delivery.name)
        unfinished = len(done) + self._say_left() < len(right) + len(wrong)
        self._more = self._more or unfinished or (bool(done) and self._turns.staying > turns.AGAIN)
        if keys:
            self._spool.sync()
            self._store.settle((), keys)
        return done

    def _say_left(self) -> int:
        """Say whose wrong files are too many, once while that lasts; return how many were left where they are."""
        for uid, behind in self._wrong.left.items():
            self._trouble(f"spool-crowded-{uid}", behind.text())
        if not self._wrong.left:
            self._troubles = {word for word in self._troubles if not word.startswith("spool-crowded-")}
        return sum(behind.names for behind in self._wrong.left.values())

    def _judge(self, delivery: Delivery, pinned: PinnedKeys, now: datetime) -> HrNotice:
        if delivery.wrong:
            raise delivery.wrong
        return token.verify(delivery.contents, pinned, now, self._hooks.lookup)

    def _not_yet(self, delivery: Delivery, now: datetime) -> bool:
        """Whether this very file is known to be dated ahead of *now*."""
        found = self._ahead.get(delivery.name)
        if found is None:
            return False
        if found[0] == delivery.identity and now < found[1]:
            return True
        del self._ahead[delivery.name]
        return False

    def _counted(self, notice: HrNotice, acts: Callable[[str], bool], pinned: PinnedKeys) -> Counted:
        """Return *notice* with the approvals that count: a key signs on when its owner is on hold or gone."""
        ignored = tuple(one.person for one in notice.approvals if not acts(one.person))
        if not ignored:
            return Counted(notice)
        left = tuple(one for one in notice.approvals if one.person not in ignored)
        wanted = max(pinned.approvals_needed, self._hooks.wanted())
        return Counted(replace(notice, approvals=left), ignored, short=len(left) < wanted)

    def _answer(self, done: Received, pinned: PinnedKeys, now: datetime) -> None:
        """Tell HR what became of a delivery; of one that could not be begun it has been told."""
        if done.folder == "accepted" and done.notice and done.notice.key in self._handing_over.said:
            return
        try:
            outbox.answer(self._home, pinned.audience, done.answer(), now, reader=pinned.drop_uid)
        except RefusedError as error:
            self._trouble("answers", error.text)
        else:
            self._troubles.discard("answers")

    def _listen(self, now: datetime) -> None:
        """Say when nothing was heard for longer than the site expects."""
        found = channel.heard(self._home, self._store, self._silence, now)
        if found.silent:
            self._trouble("silence", channel.silent_text(found, now))
        else:
            self._troubles.discard("silence")

    def _unmoved(self, delivery: Delivery, error: OSError) -> None:
        name, why = visible(delivery.name), visible(error.strerror or "")
        text = Text(f"`{name}` cannot be put away from the spool: {why}", f"无法将 `{name}` 移出投递目录：{why}")
        self._hooks.trouble("filing", text)
        self._unmovable[delivery.identity] = time.monotonic()

    def _lately_unmovable(self, delivery: Delivery) -> bool:
        tried = self._unmovable.get(delivery.identity)
        return tried is not None and time.monotonic() - tried < self._again

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
        self._trouble("spool-replaced", Text("the spool directory was replaced while in use", "投递目录在使用中被替换"))
        try:
            fresh = Spool(self._spool.root)
        except RefusedError as error:
            self._trouble("spool-unusable", error.text)
            return
        left = fresh.adopt(self._spool)
        self._spool.close()
        self._spool = fresh
        self._turns = Turns(is_delivery)
        self._troubles -= {"spool-replaced", "spool-unusable"}
        if left:
            text = Text(
                f"{left} deliveries are in a spool that was moved away", f"被移走的投递目录中还有 {left} 份文件"
            )
            self._hooks.trouble("spool-left", text)

    def _trouble(self, word: str, text: Text) -> None:
        """Say it once while it lasts."""
        if word not in self._troubles:
            self._hooks.trouble(word, text)
            self._troubles.add(word)

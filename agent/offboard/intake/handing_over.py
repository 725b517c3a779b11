"""Delivery of durable notices to the code that acts on them, with a report of those that could not be begun.

Rules of this file: the notices of one person are handed over in order; if one cannot be handed over now, later ones of
that person wait, and others do not. A refused notice holds nobody back, or it would prevent every later departure: if
the reason is temporary it is tried again at each sweep; if it is not understood, or may never be done, it goes into
quarantine with the reason, and is judged again when it is released. Both are reported once, to officers and to HR.
"""

from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from agent.errors import FatalError, ForbiddenError, RefusedError, ShoumiError, UsageError
from agent.offboard.intake import outbox, pinned_keys
from agent.offboard.intake.answers import Answer, State
from agent.offboard.intake.hooks import Hooks
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.reasons import REASONS
from agent.offboard.intake.store import Store
from rules.text import Message, Sentence, foreign
from rules.visible import visible

Key = tuple[str, str]  # issuer and number of a token


class HandingOver:
    """The handing over of one inbox, by its thread. ``announced``: keys of the notices already reported as waiting."""

    def __init__(self, home: Path, store: Store, hooks: Hooks) -> None:
        self._home, self._store, self._hooks = home, store, hooks
        self.announced: set[Key] = set()

    def hand_over(self, now: datetime, filed_next: AbstractSet[Key] = frozenset()) -> dict[Key, Sentence]:
        """Give every open notice to ``received``, oldest first; keep those that failed, and their followers.

        Returns the reasons of those refused for good. *filed_next*: notices whose files are about to be filed with that
        reason.
        """
        stuck: set[str] = set()
        handed: list[int] = []
        refused: dict[Key, Sentence] = {}
        try:
            for entry in self._store.open():
                if entry.notice.subject in stuck:
                    continue
                try:
                    if self._received(entry.notice, now):
                        handed.append(entry.seq)
                    else:
                        stuck.add(entry.notice.subject)
                except RefusedError as error:
                    self._not_begun(entry.notice, error, now)
                except (UsageError, ForbiddenError) as error:
                    refused[entry.notice.key] = text = _refused(error)
                    self._store.refuse(entry.notice)
                    self.announced.discard(entry.notice.key)
                    if entry.notice.key not in filed_next:  # it was put away before it could be tried
                        self._say_refused(entry.notice, text, now)
        finally:
            self._store.settle(handed, ())
        return refused

    def _received(self, notice: HrNotice, now: datetime) -> bool:
        try:
            self._hooks.received(notice)
        except (FatalError, RefusedError, UsageError, ForbiddenError):
            raise
        except Exception as error:  # noqa: BLE001  one notice that cannot be acted on must not keep back the others
            self._not_begun(notice, error, now)
            return False
        self.announced.discard(notice.key)
        return True

    def _not_begun(self, notice: HrNotice, error: Exception, now: datetime) -> None:
        if notice.key in self.announced:
            return
        text = _not_begun(notice, error)
        with suppress(ShoumiError):  # it is reported once it can be recorded; the others do not wait
            self._hooks.trouble("hand-over", text)
            self.announced.add(notice.key)
            self._tell(notice, "waiting", "not-begun", text, now)

    def _say_refused(self, notice: HrNotice, text: Sentence, now: datetime) -> None:
        """Report the refusal of a notice whose file lies among the accepted ones: dropped again it is judged again."""
        with suppress(ShoumiError):
            self._hooks.trouble("refused", text)
            self._tell(notice, "quarantined", "refused", text, now)

    def _tell(self, notice: HrNotice, state: State, reason: str, text: Sentence, now: datetime) -> None:
        pinned = pinned_keys.load(pinned_keys.path(self._home))
        for file in self._store.files(notice):
            answer = Answer(state, file, reason, text, notice)
            outbox.answer(self._home, pinned.audience, answer, now, reader=pinned.drop_uid)


def _refused(error: ShoumiError) -> Sentence:
    return Message("common.labelled", label=REASONS["refused"], text=error.text)


def _not_begun(notice: HrNotice, error: Exception) -> Sentence:
    person, case = visible(notice.subject), visible(notice.txn)
    reason = error.text if isinstance(error, ShoumiError) else foreign(repr(error))
    return Message("hr.revocation-not-started", person=person, case=case, reason=reason)

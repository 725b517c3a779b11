"""Giving what is durable to whoever acts on it, and saying what could not be begun.

Rules of this file: one person's notices are handed over in order; when one cannot be now, later ones of that person
wait, and others do not. One that is refused keeps back nobody, or it would keep every later departure from happening:
refused for what is so at present it is tried again at each sweep; what is not understood, or may never be done, goes
into quarantine with the reason, and is judged again when it is released. Both are said once, to officers and to HR.
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
from rules.text import Text
from rules.visible import visible

Key = tuple[str, str]  # issuer and number of a token


class HandingOver:
    """The handing over of one inbox, by its thread. ``said``: of which notices it was said that they wait."""

    def __init__(self, home: Path, store: Store, hooks: Hooks) -> None:
        self._home, self._store, self._hooks = home, store, hooks
        self.said: set[Key] = set()

    def hand_over(self, now: datetime, filed_next: AbstractSet[Key] = frozenset()) -> dict[Key, Text]:
        """Give every open notice to ``received``, oldest first; keep those that could not be, and their followers.

        Returns why those were refused for good that were. *filed_next*: whose files are put away with that reason now.
        """
        stuck: set[str] = set()
        handed: list[int] = []
        refused: dict[Key, Text] = {}
        try:
            for one in self._store.open():
                if one.notice.subject in stuck:
                    continue
                try:
                    if self._received(one.notice, now):
                        handed.append(one.seq)
                    else:
                        stuck.add(one.notice.subject)
                except RefusedError as error:
                    self._not_begun(one.notice, error, now)
                except (UsageError, ForbiddenError) as error:
                    refused[one.notice.key] = text = _refused(error)
                    self._store.refuse(one.notice)
                    self.said.discard(one.notice.key)
                    if one.notice.key not in filed_next:  # it was put away before it could be tried
                        self._say_refused(one.notice, text, now)
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
        self.said.discard(notice.key)
        return True

    def _not_begun(self, notice: HrNotice, error: Exception, now: datetime) -> None:
        if notice.key in self.said:
            return
        text = _not_begun(notice, error)
        with suppress(ShoumiError):  # it is said when it can be written down; the others are not kept waiting
            self._hooks.trouble("hand-over", text)
            self.said.add(notice.key)
            self._tell(notice, "waiting", "not-begun", text, now)

    def _say_refused(self, notice: HrNotice, text: Text, now: datetime) -> None:
        """Say it of a notice whose file lies among the accepted ones: dropped again it is judged again."""
        with suppress(ShoumiError):
            self._hooks.trouble("refused", text)
            self._tell(notice, "quarantined", "refused", text, now)

    def _tell(self, notice: HrNotice, state: State, reason: str, text: Text, now: datetime) -> None:
        pinned = pinned_keys.load(pinned_keys.path(self._home))
        for file in self._store.files(notice):
            said = Answer(state, file, reason, text, notice)
            outbox.answer(self._home, pinned.audience, said, now, reader=pinned.drop_uid)


def _refused(error: ShoumiError) -> Text:
    return Text(f"{REASONS['refused'].en}: {error.text.en}", f"{REASONS['refused'].zh}：{error.text.zh}")


def _not_begun(notice: HrNotice, error: Exception) -> Text:
    who, case = visible(notice.subject), visible(notice.txn)
    why = error.text if isinstance(error, ShoumiError) else Text(visible(repr(error)), visible(repr(error)))
    return Text(
        f"the end of access of `{who}` (case `{case}`) could not be begun and is tried again: {why.en}",
        f"`{who}`（案号 `{case}`）的撤权未能开始，将重试：{why.zh}",
    )

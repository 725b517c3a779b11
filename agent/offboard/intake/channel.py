"""State of HR's channel: whether it can be used, and when HR was last heard. For the inbox, ``status`` and ``doctor``.

Rules of this file: read-only. A site that never pinned keys has no channel and no trouble with one; a site whose keys
are gone has trouble. Silence counts from the last right token, before the first one from the pinning of the keys.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.errors import ShoumiError
from agent.offboard import database
from agent.offboard.intake import pinned_keys, quarantine
from agent.offboard.intake.store import Store
from rules.text import Message, Sentence


@dataclass(frozen=True, slots=True)
class LastHeard:
    """When HR was heard last, or the keys were pinned; and whether that is longer ago than the site expects."""

    at: datetime | None
    since: datetime | None
    silent: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel as it is now. ``trouble``: why it cannot be used; ``aside``: how many tokens are in quarantine."""

    set_up: bool
    trouble: Sentence | None = None
    hint: Sentence | None = None
    heard: LastHeard = LastHeard(None, None, silent=False)
    aside: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "set_up": self.set_up,
            "trouble": self.trouble.to_json() if self.trouble else None,
            "heard_at": self.heard.at.isoformat() if self.heard.at else None,
            "silent": self.heard.silent,
            "quarantined": self.aside,
        }


def look(home: Path, silence: timedelta, now: datetime) -> Channel:
    """Return how the channel of the agent at *home* is."""
    file, spool = pinned_keys.path(home), home / "spool"
    if not file.exists() and not spool.exists():
        return Channel(set_up=False)
    last_heard, trouble = LastHeard(None, None, silent=False), None
    try:
        with Store(database.path(home)) as store:
            last_heard = heard(home, store, silence, now)
        pinned_keys.load(file)
    except ShoumiError as error:
        trouble = error
    reason, hint = (trouble.text, trouble.hint) if trouble else (None, None)
    return Channel(set_up=True, trouble=reason, hint=hint, heard=last_heard, aside=quarantine.count(spool))


def heard(home: Path, store: Store, silence: timedelta, now: datetime) -> LastHeard:
    """Return when HR was heard last, as *store* knows it. No *silence*: it is never too long."""
    at = store.heard()
    since = at or _pinned(pinned_keys.path(home))
    return LastHeard(at, since, silent=bool(silence) and since is not None and now - since > silence)


def silent_text(last_heard: LastHeard, now: datetime) -> Sentence:
    """Return the sentence about the length of the silence."""
    hours = round((now - (last_heard.since or now)).total_seconds() / 3600, 1)
    if last_heard.at is None:
        return Message("hr.no-token-since-pinning", hours=hours)
    return Message("hr.no-token-lately", hours=hours)


def _pinned(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_ctime, UTC)
    except OSError:
        return None

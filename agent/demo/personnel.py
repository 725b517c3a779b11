"""Personnel department of the demo: its keys, a notice with two signatures, and its delivery by a rename.

Rules of this file: it is the remote side. It shares a spool directory and a file of public keys with the agent, as any
personnel system does (docs/hr-integration.md). Signing precedes the drop, so that the drop is one rename with an exact
instant.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.demo.shared import wait_until
from agent.errors import RefusedError
from agent.offboard.intake import pinned_keys
from agent.runtime.home import Home
from agent.simulator import hr_sender
from rules.text import Message

CASE = "HR-2026-0042"
_ISSUER = "https://hr.example"
_AUDIENCE = "urn:shoumi:agent:demo"
_PATIENCE = 10.0
_NOTICE = timedelta(days=30)


class HrDepartment:
    """HR with its files in *folder*, on the filesystem of the agent's home."""

    def __init__(self, folder: Path, home: Home, *approvers: str) -> None:
        """Make the keys, with one for each approver, a person's id. The agent rejects them until :meth:`pin`."""
        self._home = home.root
        self._folder = folder
        self._keys = folder / "keys"
        self._new = home.root / "spool" / "new"
        outgoing = folder / "spool" / "new"
        outgoing.mkdir(parents=True)
        named = [(f"approver-{number}", person) for number, person in enumerate(approvers, 1)]
        public = hr_sender.make_keys(self._keys, audience=_AUDIENCE, iss=_ISSUER, approvers=named)
        shutil.copy(public, pinned_keys.path(folder))

    def pin(self) -> None:
        """Make the agent accept these keys, as an administrator does once."""
        shutil.copy(pinned_keys.path(self._folder), pinned_keys.path(self._home))

    def sign(self, leaver: str) -> Path:
        """Return a signed notice of the approved offboarding of *leaver*, not yet delivered."""
        now = datetime.now(UTC)
        return hr_sender.send_test(
            self._folder, leaver, self._keys, now, txn=CASE, last_day=(now + _NOTICE).date()
        ).file

    def listening(self) -> None:
        """Wait until the agent accepts notices. Raises :class:`RefusedError` when it never does."""
        if not wait_until(self._new.is_dir, _PATIENCE):
            raise RefusedError(Message("demo.agent-takes-no-notices"))

    def drop(self, notice: Path) -> None:
        """Put *notice* into the spool: one rename."""
        notice.rename(self._new / notice.name)

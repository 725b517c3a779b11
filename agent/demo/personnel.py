"""The personnel department of the demo: keys of its own, a notice with two signatures, and a file that is renamed.

Rules of this file: it is the other side. It knows the agent by a spool directory and a file of public keys, as any
personnel system does (docs/hr-integration.md). Signing comes before the drop, so that the drop is one rename and its
instant means something.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.demo.shared import wait_until
from agent.errors import RefusedError
from agent.offboard.intake import pinned_keys
from agent.runtime.home import Home
from agent.simulator import hr_sender
from rules.text import Text

CASE = "HR-2026-0042"
_ISSUER = "https://hr.example"
_AUDIENCE = "urn:shoumi:agent:demo"
_PATIENCE = 10.0
_NOTICE = timedelta(days=30)


class HrDepartment:
    """HR with its things in *folder*, on the filesystem of the agent's home."""

    def __init__(self, folder: Path, home: Home, *approvers: str) -> None:
        """Make the keys, with one for each approver, a person's id. They count for nothing until :meth:`pin`."""
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
        """Have the agent believe these keys, which an administrator does once."""
        shutil.copy(pinned_keys.path(self._folder), pinned_keys.path(self._home))

    def sign(self, leaver: str) -> Path:
        """Return a signed notice that the departure of the person *leaver* is approved, still on this side."""
        now = datetime.now(UTC)
        return hr_sender.send_test(
            self._folder, leaver, self._keys, now, txn=CASE, last_day=(now + _NOTICE).date()
        ).file

    def listening(self) -> None:
        """Wait until the agent takes in notices. Raises :class:`RefusedError` when it never does."""
        if not wait_until(self._new.is_dir, _PATIENCE):
            raise RefusedError(Text("the agent takes in no notices", "代理未接收人事通知"))

    def drop(self, notice: Path) -> None:
        """Put *notice* into the spool: one rename."""
        notice.rename(self._new / notice.name)

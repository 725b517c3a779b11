"""The status of a Samba server: its sessions, the processes that serve them, and the shares they use.

Rules of this file: pure. A user is known by their uid, never by a name, which two directories may both have. A session
is one user's; a tree is one share that a session uses; one process serves one connection, and a connection (that of a
terminal server) may have sessions of many users. Source: smbstatus(1) ``--json``, Samba 4.17 on.
"""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

IPC = "IPC$"  # names of pipes, no files


class SmbSession(NamedTuple):
    """A user in the process *pid*."""

    id: str
    pid: int
    uid: int


class SmbTree(NamedTuple):
    """A share that a session in the process *pid* uses."""

    id: str
    pid: int
    share: str
    session: str


class SmbOpen(NamedTuple):
    """A file that *uid* has open in the process *pid*: the directory that is shared, and the name in it."""

    pid: int
    uid: int
    top: str
    name: str


class SmbStatus(NamedTuple):
    """The whole status at one query."""

    sessions: tuple[SmbSession, ...] = ()
    trees: tuple[SmbTree, ...] = ()
    opens: tuple[SmbOpen, ...] = ()

    def sessions_of(self, uids: Collection[int]) -> tuple[SmbSession, ...]:
        """Return the sessions of *uids*."""
        return tuple(session for session in self.sessions if session.uid in uids)

    def trees_of(self, uids: Collection[int]) -> tuple[SmbTree, ...]:
        """Return the trees that sessions of *uids* use."""
        session_ids = {session.id for session in self.sessions_of(uids)}
        return tuple(tree for tree in self.trees if tree.session in session_ids)

    def alone(self, uids: Collection[int]) -> frozenset[int]:
        """Return the processes that serve only *uids*."""
        pids = {session.pid for session in self.sessions_of(uids)}
        return frozenset(pids - {session.pid for session in self.sessions if session.uid not in uids})

    def sole(self, tree: SmbTree, uids: Collection[int]) -> bool:
        """Whether in the process of *tree* only *uids* use that share."""
        other_sessions = {session.id for session in self.sessions if session.uid not in uids}
        return not any(
            (candidate.pid, candidate.share) == (tree.pid, tree.share) and candidate.session in other_sessions
            for candidate in self.trees
        )


def parse(text: str) -> SmbStatus:
    """Return the output of ``smbstatus --json``. Raises ``ValueError`` for anything else."""
    try:
        tables = json.loads(text)
        return SmbStatus(
            tuple(SmbSession(str(row["session_id"]), _pid(row), int(row["uid"])) for row in _rows(tables, "sessions")),
            tuple(
                SmbTree(str(row["tcon_id"]), _pid(row), str(row["service"]), str(row["session_id"]))
                for row in _rows(tables, "tcons")
            ),
            tuple(
                SmbOpen(_pid(row), int(row["uid"]), str(file["service_path"]), str(file["filename"]))
                for file in _rows(tables, "open_files")
                for row in _rows(file, "opens")
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a row without {error}") from None
    except (OverflowError, RecursionError) as error:  # a number without end, or lists within lists
        raise ValueError(str(error)) from None


def _pid(row: dict[str, Any]) -> int:
    return int(row["server_id"]["pid"])


def _rows(tables: object, name: str) -> list[dict[str, Any]]:
    rows = tables.get(name, {}) if isinstance(tables, dict) else None
    if isinstance(rows, dict) and all(isinstance(row, dict) for row in rows.values()):
        return list(rows.values())
    raise ValueError(f"no table of {name}")

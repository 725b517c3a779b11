"""What a Samba server says of its connections: who is in which of its processes, and which shares they use.

Rules of this file: pure. Somebody is known by their uid, never by a name, which two directories may both have. A
session is one user's; a tree is one share that a session uses; one process serves one connection, and a connection
(that of a terminal server) may have sessions of many users. Source: smbstatus(1) ``--json``, Samba 4.17 on.
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
    """Everything there was at one look."""

    sessions: tuple[SmbSession, ...] = ()
    trees: tuple[SmbTree, ...] = ()
    opens: tuple[SmbOpen, ...] = ()

    def sessions_of(self, uids: Collection[int]) -> tuple[SmbSession, ...]:
        """Return the sessions of *uids*."""
        return tuple(one for one in self.sessions if one.uid in uids)

    def trees_of(self, uids: Collection[int]) -> tuple[SmbTree, ...]:
        """Return the trees that sessions of *uids* use."""
        theirs = {one.id for one in self.sessions_of(uids)}
        return tuple(tree for tree in self.trees if tree.session in theirs)

    def alone(self, uids: Collection[int]) -> frozenset[int]:
        """Return the processes that serve *uids* and nobody else."""
        theirs = {one.pid for one in self.sessions_of(uids)}
        return frozenset(theirs - {one.pid for one in self.sessions if one.uid not in uids})

    def sole(self, tree: SmbTree, uids: Collection[int]) -> bool:
        """Whether in the process of *tree* nobody but *uids* uses that share."""
        others = {one.id for one in self.sessions if one.uid not in uids}
        return not any(
            (each.pid, each.share) == (tree.pid, tree.share) and each.session in others for each in self.trees
        )


def parse(text: str) -> SmbStatus:
    """Return what ``smbstatus --json`` wrote. Raises ``ValueError`` when it is nothing of that kind."""
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

"""OS groups: their numbers, and the administrator roles a person's accounts hold on this host.

Rules of this file: OS groups decide, as at the control socket, and each account is queried individually, as a login
would (getgrouplist(3)): a directory service need not list its accounts or the members of its groups, and most do not.
Running processes count as well, because the socket asks the process. The name service is queried here and never near an
open. Other holders of a role are searched among the accounts of the registry, the listed members of the group and the
listed accounts of the host; an account in none of them is unknown, and names no successor.
"""

import grp
import os
import pwd
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Thread

from agent.runtime.config import Group, RoleGroups

_STATUS = 1 << 20  # bytes, more than any: 65,536 groups of one process, and the rest
_ROLES = ("system", "security", "auditor")
_Logins = Mapping[int, Mapping[str, int]]  # by uid, every listed login name with its primary group


def running(uids: frozenset[int]) -> frozenset[int]:
    """Return the groups of all processes that run as one of *uids*."""
    return _of(uids, _groups_of_processes())


def roles_of(
    uids: Iterable[int],
    groups: RoleGroups,
    further: Callable[[], Iterable[int]] = tuple,
    acting: Callable[[frozenset[int]], frozenset[int]] = running,
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the roles the accounts *uids* hold, and those of them that no other account holds.

    *further*: returns the accounts among which other holders are searched: those of the registry. *acting*: the groups
    of processes that run as some uids, :func:`running` or :func:`lately_running`.
    """
    own, listed = frozenset(uids), _listed()
    in_groups = frozenset(gid for uid in own for gid in _by_name(uid, listed)) | acting(own)
    held: set[str] = set()
    sole: set[str] = set()
    for role in _ROLES:
        gid = _gid(getattr(groups, role))
        if gid is not None and gid in in_groups:
            held.add(role)
            candidates = (uid for uid in _candidates(gid, chain(further(), listed)) if uid not in own)
            if not any(gid in _by_name(uid, listed) for uid in candidates):
                sole.add(role)
    return frozenset(held), frozenset(sole)


def members(groups: RoleGroups, role: str, further: Callable[[], Iterable[int]]) -> frozenset[int]:
    """Return the accounts in the group of *role* now, as far as they can be found; *further*: as :func:`roles_of`."""
    gid, listed = _gid(getattr(groups, role)), _listed()
    if gid is None:
        return frozenset()
    return frozenset(uid for uid in _candidates(gid, chain(further(), listed)) if gid in _by_name(uid, listed))


def gid_of(name: str) -> int | None:
    """Return the number of the group *name*, ``None`` when this host has no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def present(uid: int) -> frozenset[int] | None:
    """Return the groups a login of *uid* would have now, ``None`` when no name service knows the account."""
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return None
    return frozenset(os.getgrouplist(account.pw_name, account.pw_gid))


def present_within(uid: int, seconds: float) -> frozenset[int] | None:
    """Return the same, queried by a thread of its own. Raises ``TimeoutError`` when that takes longer."""
    answers: SimpleQueue[frozenset[int] | Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(present(uid))
        except Exception as error:  # noqa: BLE001 - raised again by the waiting thread
            answers.put(error)

    Thread(target=ask, name="name service", daemon=True).start()
    try:
        groups = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(groups, Exception):
        raise groups
    return groups


def _gid(group: Group | None) -> int | None:
    return gid_of(group) if isinstance(group, str) else group


def _listed() -> _Logins:
    logins: dict[int, dict[str, int]] = {}
    for account in pwd.getpwall():
        logins.setdefault(account.pw_uid, {})[account.pw_name] = account.pw_gid
    return logins


def _by_name(uid: int, listed: _Logins) -> frozenset[int]:
    """Return the groups of *uid*, under every login name that is listed or found."""
    groups: set[int] = set()
    logins = dict(listed.get(uid, {}))
    with suppress(KeyError):  # no name service knows it
        first = pwd.getpwuid(uid)
        logins[first.pw_name] = first.pw_gid
    for name, gid in logins.items():
        groups.update(os.getgrouplist(name, gid))
    return frozenset(groups)


def _candidates(gid: int, further: Iterable[int]) -> Iterator[int]:
    """Yield accounts that may be in group *gid*, the likeliest first; some twice."""
    with suppress(KeyError):
        for name in grp.getgrgid(gid).gr_mem:
            with suppress(KeyError):
                yield pwd.getpwnam(name).pw_uid
    yield from further


def lately_running(uids: frozenset[int]) -> frozenset[int]:
    """Return the same as of the last second: hundreds of simultaneous notices read it once, not each."""
    return _of(uids, _of_this_second(int(time.monotonic())))


@lru_cache(1)
def _of_this_second(_second: int) -> Mapping[int, AbstractSet[int]]:
    return _groups_of_processes()


def _of(uids: frozenset[int], every: Mapping[int, AbstractSet[int]]) -> frozenset[int]:
    return frozenset(gid for uid in uids for gid in every.get(uid, ()))


def _groups_of_processes() -> Mapping[int, AbstractSet[int]]:
    """Return the groups of all processes by their real uid (proc_pid_status(5))."""
    by_uid: dict[int, set[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with suppress(OSError, KeyError, ValueError):  # it ended meanwhile
                with open(f"/proc/{name}/status", "rb", buffering=0) as file:
                    status = file.read(_STATUS)
                groups = map(int, _line(status, b"Groups").split() + _line(status, b"Gid").split()[1:2])
                by_uid.setdefault(int(_line(status, b"Uid").split()[0]), set()).update(groups)
    return by_uid


def _line(status: bytes, name: bytes) -> bytes:
    """Return one line of *status*, without splitting all of it."""
    start = status.index(b"\n" + name + b":") + len(name) + 2
    return status[start : status.index(b"\n", start)]

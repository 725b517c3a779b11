"""Second factor of officers: required before an act that grants or ends access, if the site has set one.

    acts ──▶ fresh for this process? ──▶ done          else: refused, and the client asks
    factor.give ──▶ PAM in a child of its own ──▶ fresh for five minutes

Rules of this file: for any thread. A confirmation by PAM counts for one process, by pid and start time, and for no
other of the same account. The state is lost with this process; a wrong secret is an entry.
"""

import pwd
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.api.peers import Peer
from agent.errors import FactorNeededError, RefusedError
from agent.runtime.supervisor import python
from rules.text import Message
from rules.visible import visible

_FRESH = 300.0  # seconds
_PATIENCE = 10.0  # seconds for PAM
_WRONG, _WRONG_SECONDS = 5, 300.0  # failed attempts of an account in this many seconds; beyond it attempts are refused
_MOST = 10_000  # processes remembered


class _Caller(NamedTuple):
    uid: int
    pid: int
    start: int


class SecondFactor:
    """Verification by PAM. *service*: ``None`` where the site uses none. *started*: reads the start of a process."""

    def __init__(self, service: str | None, started: Callable[[int], int | None]) -> None:
        self.service = service
        self._started = started
        self._turn = threading.Lock()
        self._fresh: dict[_Caller, float] = {}
        self._wrong: dict[int, list[float]] = {}

    def require(self, peer: Peer) -> None:
        """Raise :class:`FactorNeededError` unless *peer* gave the factor lately, or the site uses none."""
        if self.service is None:
            return
        caller = self._caller(peer)
        with self._turn:
            if caller is None or self._fresh.get(caller, -_FRESH) + _FRESH < time.monotonic():
                raise FactorNeededError(
                    Message("control.second-factor-required"),
                    Message("control.run-in-terminal"),
                )

    def give(self, peer: Peer, secret: str) -> None:
        """Verify *secret* with PAM. Raises :class:`RefusedError` on failure."""
        if self.service and not is_there(self.service):
            raise _not_here(self.service)
        if self.service is None:
            raise RefusedError(Message("control.second-factor-not-set"))
        caller, user = self._caller(peer), _user(peer.uid)
        if caller is None or user is None:
            raise RefusedError(Message("control.uid-without-account", uid=peer.uid))
        now = time.monotonic()
        with self._turn:
            wrong = self._wrong[peer.uid] = [at for at in self._wrong.get(peer.uid, []) if now - at < _WRONG_SECONDS]
            if len(wrong) >= _WRONG:
                raise RefusedError(Message("control.too-many-attempts"), Message("control.wait-five-minutes"))
            wrong.append(now)  # until PAM confirms
        _ask(self.service, user, secret)
        with self._turn:
            self._wrong.pop(peer.uid, None)
            if len(self._fresh) >= _MOST:
                self._fresh = {remembered: at for remembered, at in self._fresh.items() if now - at < _FRESH}
            self._fresh[caller] = time.monotonic()

    def _caller(self, peer: Peer) -> _Caller | None:
        start = self._started(peer.pid)
        return None if start is None else _Caller(peer.uid, peer.pid, start)


def _user(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _ask(service: str, user: str, secret: str) -> None:
    argv = [*python("agent.runtime.pam"), service, user]
    try:
        ended = subprocess.run(argv, input=secret.encode(), timeout=_PATIENCE, check=False, capture_output=True)
    except subprocess.TimeoutExpired:
        raise RefusedError(Message("control.second-factor-timeout")) from None
    if ended.returncode == 1:
        raise RefusedError(Message("control.second-factor-wrong"))
    if ended.returncode != 0:
        raise _not_here(service)


def is_there(service: str) -> bool:
    """Return whether PAM has a file for *service*: without one it uses the service `other`, which refuses all."""
    return any((Path(folder) / service).is_file() for folder in ("/etc/pam.d", "/usr/lib/pam.d"))


def _not_here(service: str) -> RefusedError:
    shown_service = visible(service)
    return RefusedError(
        Message("control.pam-service-missing", service=shown_service),
        Message("control.create-pam-service"),
    )

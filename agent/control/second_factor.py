"""The second factor of officers: asked before an act that gives or cuts, where the site has set one.

    acts ──▶ fresh for this process? ──▶ done          else: refused, and the client asks
    factor.give ──▶ PAM in a child of its own ──▶ fresh for five minutes

Rules of this file: for any thread. What PAM has confirmed counts for one process, by its number and its start, and for
no other of the same account. Nothing here is remembered beyond this process; a wrong secret is an entry.
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
from rules.text import Text
from rules.visible import visible

_FRESH = 300.0  # seconds
_PATIENCE = 10.0  # seconds for PAM
_WRONG, _WRONG_SECONDS = 5, 300.0  # wrong ones of an account in so many seconds; beyond it nobody is asked
_MOST = 10_000  # processes remembered


class _Caller(NamedTuple):
    uid: int
    pid: int
    start: int


class SecondFactor:
    """*service*: the PAM service, ``None`` where the site asks for none. *started*: reads when a process began."""

    def __init__(self, service: str | None, started: Callable[[int], int | None]) -> None:
        self.service = service
        self._started = started
        self._turn = threading.Lock()
        self._fresh: dict[_Caller, float] = {}
        self._wrong: dict[int, list[float]] = {}

    def require(self, peer: Peer) -> None:
        """Raise :class:`FactorNeededError` unless *peer* has confirmed who they are lately, or nobody asks for it."""
        if self.service is None:
            return
        caller = self._caller(peer)
        with self._turn:
            if caller is None or self._fresh.get(caller, -_FRESH) + _FRESH < time.monotonic():
                raise FactorNeededError(
                    Text("your second factor is needed", "需要二次认证"),
                    Text("run it in a terminal, which asks for it", "请在终端中执行，届时会提示输入"),
                )

    def give(self, peer: Peer, secret: str) -> None:
        """Have PAM confirm *secret*. Raises :class:`RefusedError` when it does not, or cannot."""
        if self.service and not is_there(self.service):
            raise _not_here(self.service)
        if self.service is None:
            raise RefusedError(Text("this site asks for no second factor", "本站未启用二次认证"))
        caller, user = self._caller(peer), _user(peer.uid)
        if caller is None or user is None:
            raise RefusedError(Text(f"uid {peer.uid} has no account here", f"uid {peer.uid} 在本机没有账号"))
        now = time.monotonic()
        with self._turn:
            wrong = self._wrong[peer.uid] = [at for at in self._wrong.get(peer.uid, []) if now - at < _WRONG_SECONDS]
            if len(wrong) >= _WRONG:
                raise RefusedError(
                    Text("too many wrong ones", "错误次数过多"), Text("wait five minutes", "请五分钟后再试")
                )
            wrong.append(now)  # until PAM says otherwise
        _ask(self.service, user, secret)
        with self._turn:
            self._wrong.pop(peer.uid, None)
            if len(self._fresh) >= _MOST:
                self._fresh = {one: at for one, at in self._fresh.items() if now - at < _FRESH}
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
        raise RefusedError(Text("the second factor did not answer in time", "二次认证未及时响应")) from None
    if ended.returncode == 1:
        raise RefusedError(Text("the second factor is wrong", "二次认证失败"))
    if ended.returncode != 0:
        raise _not_here(service)


def is_there(service: str) -> bool:
    """Whether PAM has a file for *service*: without one it asks the service `other`, which refuses everybody."""
    return any((Path(folder) / service).is_file() for folder in ("/etc/pam.d", "/usr/lib/pam.d"))


def _not_here(service: str) -> RefusedError:
    said = visible(service)
    return RefusedError(
        Text(
            f"the second factor cannot be asked: there is no PAM service `{said}`",
            f"无法二次认证：没有 PAM 服务 `{said}`",
        ),
        Text(
            "make it, or take second_factor out of config.toml", "请建立该服务，或从 config.toml 中去掉 second_factor"
        ),
    )

"""The connection to the agent: calls, streams, and detection of its loss.

Rules of this file:
- the terminal holds no rights: it calls over the control socket like every client, and the agent decides. Roles are
  only used here to say in advance what would be refused, and why;
- calls run in threads and are awaited, so that no key waits for the agent;
- one connection is kept open only to notice its end: the loss of the agent shows at once. The terminal then reconnects
  until the agent is back;
- after :class:`UnreachableError` an act may have happened. No call is ever repeated automatically.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from agent.api import protocol
from agent.api.client import AgentClient
from agent.api.operations import TABLE
from agent.api.proposed import ProposedError, is_proposed
from agent.api.roles import CallerRole, Role
from agent.api.sockets import connect
from agent.errors import FactorNeededError, ShoumiError, UnreachableError
from agent.runtime.home import Home
from rules.text import Message, Sentence, either, from_json, series

Json = Any

_CONVERSATIONS = 4  # calls under way at a time
_EVERY = 5.0  # seconds between two checks of role and reachability (roles change, processes hang)
_PATIENCE = 10.0  # seconds to wait for the answer of that check
_AGAIN = 0.5  # seconds between two attempts to connect
_LONGEST = 1 << 20  # bytes of an answer on the watching connection


class AgentSession:
    """The agent at *home*. ``changed`` is called on the event loop when it is lost or reached, or the role changes."""

    def __init__(self, home: Home, changed: Callable[[], None], factor: Callable[[str], Awaitable[str | None]]) -> None:
        """*factor* asks the user for their second factor for an act; it returns ``None`` when they cancel."""
        self.home = home
        self.factor = False  # whether the site requires one
        self._factor = factor
        self.trouble: ShoumiError | None = None  # the error why it cannot be reached; None while it can
        self.standing: CallerRole | None = None  # the role of the caller; None until the agent has answered
        self._changed = changed
        self._threads = ThreadPoolExecutor(_CONVERSATIONS, "asking")
        self._own = threading.local()
        self._clients: list[AgentClient] = []  # of all threads, with connections to the agent as it is now
        self._old: list[AgentClient] = []  # with connections to an agent that is gone
        self._closed = False

    async def call(self, op: str, **args: Json) -> Json:
        """Call *op*. Raises the :class:`ShoumiError` of the answer, :class:`UnreachableError` among them.

        An act that now waits for a second officer has not been executed: raises :class:`ProposedError`.
        """
        try:
            answer = await self._in_thread(lambda client: client.call(op, **args))
        except FactorNeededError:
            secret = await self._factor(op)
            if secret is None:
                raise
            await self.give(secret)
            answer = await self._in_thread(lambda client: client.call(op, **args))
        if TABLE[op].act and is_proposed(answer):
            raise ProposedError(answer)
        return answer

    async def give(self, secret: str) -> None:
        """Send the second factor. Raises :class:`agent.errors.RefusedError` when it is wrong."""
        await self._in_thread(lambda client: client.call("factor.give", secret=secret))

    async def items(self, op: str, **args: Json) -> list[Json]:
        """Call a stream that ends, and return all its items. Raises as :meth:`call` does."""
        rows: list[Json] = await self._in_thread(lambda client: list(client.stream(op, **args)))
        return rows

    def why_not(self, *ops: str) -> Sentence | None:
        """Return why the caller would be refused one of *ops*; ``None`` when none would be, or it is not known yet."""
        return self.trouble.text if self.trouble else self.not_mine(*ops)

    def not_mine(self, *ops: str) -> Sentence | None:
        """Return why the role does not permit one of *ops*, whether or not the agent can be reached."""
        if self.standing is None:
            return None
        for op in ops:
            roles = TABLE[op].roles
            if roles is not None and not self.standing.may(roles):
                return _for_others(roles, self.standing)
        return None

    def takes(self, op: str, param: str) -> bool:
        """Return whether the role of the caller may pass *param* to *op*."""
        roles = next(p.roles for p in TABLE[op].params if p.name == param)
        return roles is None or (self.standing is not None and self.standing.may(roles))

    async def watch(self) -> None:
        """Notice, until cancelled, when the agent is lost and when it is back."""
        while True:
            try:
                await self._accompany()
            except ShoumiError as error:
                self._now(error, self.standing)
            except (OSError, ValueError, TimeoutError) as error:
                self._now(_lost(self.home, error), self.standing)
            await asyncio.sleep(_AGAIN)

    def close(self) -> None:
        """Close every connection; pending calls raise :class:`UnreachableError`."""
        self._closed = True
        self._hang_up()
        self._threads.shutdown(cancel_futures=True)  # their connections have just been closed
        for client in self._old:
            client.close()

    async def _accompany(self) -> None:
        """Stay connected; return or raise when the connection ends."""
        end = await asyncio.to_thread(connect, self.home)
        reader, writer = await asyncio.open_unix_connection(sock=end, limit=_LONGEST)
        try:
            while True:
                writer.write(protocol.request("", "role.list", {}))
                async with asyncio.timeout(_PATIENCE):
                    line = await reader.readline()
                answer = json.loads(line)
                if not answer["ok"]:
                    raise ShoumiError.from_json(answer["error"])
                self.factor = bool(answer["result"].get("factor"))
                self._now(None, _standing(answer["result"]))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_EVERY):
                        await reader.read(1)  # the agent sends nothing unasked: this returns when the connection ends
                        raise ConnectionResetError
        finally:
            writer.close()

    def _now(self, trouble: ShoumiError | None, standing: CallerRole | None) -> None:
        if trouble and not self.trouble:
            self._hang_up()
        before = self.trouble and self.trouble.text, self.standing
        self.trouble, self.standing = trouble, standing
        if before != (trouble and trouble.text, standing):
            self._changed()

    async def _in_thread(self, work: Callable[[AgentClient], Json]) -> Json:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._client()))

    def _client(self) -> AgentClient:
        """Return the connection of this thread; a new one when the old one was to an agent that is gone."""
        client: AgentClient | None = getattr(self._own, "client", None)
        if client is None or client not in self._clients:
            client = self._own.client = AgentClient(self.home)
            self._clients.append(client)
            if self._closed:
                self._hang_up()
        return client

    def _hang_up(self) -> None:
        clients, self._clients = self._clients, []
        self._old += clients
        for client in clients:
            client.interrupt()


def _standing(answer: Json) -> CallerRole:
    yours, because = answer["yours"], answer["because"]
    return CallerRole(Role(yours) if yours else None, from_json(because) if because else None)


def _for_others(roles: frozenset[Role], caller: CallerRole) -> Sentence:
    allowed = Message("tui.reserved-for", roles=either(role.text for role in sorted(roles)))
    if caller.role is None:
        return series([allowed, caller.why_none or Message("tui.you-have-no-role")])
    return series([allowed, Message("tui.your-role-is", role=caller.role.text)])


def _lost(home: Home, error: Exception) -> UnreachableError:
    if isinstance(error, TimeoutError):
        return UnreachableError(Message("tui.agent-does-not-answer"))
    return UnreachableError(Message("tui.agent-not-running"), Message("tui.start-agent-as-root"))

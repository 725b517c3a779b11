"""All talk to the agent.

Rules of this file:
- the terminal holds no rights: it asks over the control socket like everybody, and the agent decides. What is known
  here of roles only serves to say beforehand what would be refused, and why;
- calls run in threads and are awaited, so that no key waits for the agent;
- one connection is kept open for nothing but noticing its end: that is how the loss of the agent shows at once. Then
  it is tried again until the agent is back;
- after :class:`UnreachableError` an act may have happened. Nothing is ever asked a second time by itself.
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
from rules.text import Text

Json = Any

_CONVERSATIONS = 4  # calls under way at a time
_EVERY = 5.0  # seconds between two questions whether everything is still as it was (roles change, processes hang)
_PATIENCE = 10.0  # seconds for the answer to that
_AGAIN = 0.5  # seconds between two tries to reach the agent
_LONGEST = 1 << 20  # bytes of an answer on the watching connection


class AgentSession:
    """The agent at *home*. ``changed`` is called, on the event loop, when it is lost or found or the role changes."""

    def __init__(self, home: Home, changed: Callable[[], None], factor: Callable[[str], Awaitable[str | None]]) -> None:
        """*factor* asks whoever sits here for their second factor for an act; ``None`` when they do not give it."""
        self.home = home
        self.factor = False  # whether the site asks for one
        self._factor = factor
        self.trouble: ShoumiError | None = None  # why it cannot be reached; None while it can
        self.standing: CallerRole | None = None  # what the caller may act as; None until the agent has said so
        self._changed = changed
        self._threads = ThreadPoolExecutor(_CONVERSATIONS, "asking")
        self._own = threading.local()
        self._clients: list[AgentClient] = []  # of all threads, with connections to the agent as it is now
        self._old: list[AgentClient] = []  # with connections to one that is gone
        self._closed = False

    async def call(self, op: str, **args: Json) -> Json:
        """Ask for *op*. Raises the :class:`ShoumiError` it was answered with, :class:`UnreachableError` among them.

        An act that waits for a second officer now is none that was done: :class:`ProposedError`.
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
        """Give the second factor. Raises :class:`agent.errors.RefusedError` when it is wrong."""
        await self._in_thread(lambda client: client.call("factor.give", secret=secret))

    async def items(self, op: str, **args: Json) -> list[Json]:
        """Ask for a stream that ends, and return all of it. Raises as :meth:`call` does."""
        found: list[Json] = await self._in_thread(lambda client: list(client.stream(op, **args)))
        return found

    def why_not(self, *ops: str) -> Text | None:
        """Return why the caller would be refused one of *ops*, ``None`` when none would be, or nobody knows yet."""
        return self.trouble.text if self.trouble else self.not_mine(*ops)

    def not_mine(self, *ops: str) -> Text | None:
        """Return why the role does not do for one of *ops*, whether or not the agent can be reached."""
        if self.standing is None:
            return None
        for op in ops:
            roles = TABLE[op].roles
            if roles is not None and not self.standing.may(roles):
                return _for_others(roles, self.standing)
        return None

    def takes(self, op: str, param: str) -> bool:
        """Return whether the caller may give *param* with *op*."""
        roles = next(p.roles for p in TABLE[op].params if p.name == param)
        return roles is None or (self.standing is not None and self.standing.may(roles))

    async def watch(self) -> None:
        """Notice, for ever, when the agent goes and when it is back."""
        while True:
            try:
                await self._accompany()
            except ShoumiError as error:
                self._now(error, self.standing)
            except (OSError, ValueError, TimeoutError) as error:
                self._now(_lost(self.home, error), self.standing)
            await asyncio.sleep(_AGAIN)

    def close(self) -> None:
        """End every conversation; who waits for an answer gets :class:`UnreachableError`."""
        self._closed = True
        self._hang_up()
        self._threads.shutdown(cancel_futures=True)  # what they waited for has just ended
        for client in self._old:
            client.close()

    async def _accompany(self) -> None:
        """Stay connected; returns or raises when that ends."""
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
                        await reader.read(1)  # the agent says nothing unasked: this returns at the end
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
        """Return this thread's own connection; a new one when the old one was to an agent that is gone."""
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
    return CallerRole(Role(yours) if yours else None, Text.from_json(because) if because else None)


def _for_others(roles: frozenset[Role], who: CallerRole) -> Text:
    en = " or ".join(sorted(role.text.en for role in roles))
    zh = "或".join(sorted(role.text.zh for role in roles))
    if who.role is None:
        why = who.why_none or Text("you have no role", "您没有角色")
        return Text(f"for the {en}; {why.en}", f"须由{zh}执行；{why.zh}")
    return Text(f"for the {en}; you are the {who.role.text.en}", f"须由{zh}执行；您是{who.role.text.zh}")


def _lost(home: Home, error: Exception) -> UnreachableError:
    if isinstance(error, TimeoutError):
        return UnreachableError(Text("the agent does not answer", "代理没有应答"))
    return UnreachableError(
        Text("the agent is not running", "代理未在运行"),
        Text("start it as root; what you see is from before", "请以 root 启动代理；所见内容为此前状态"),
    )

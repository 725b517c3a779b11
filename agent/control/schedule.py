"""What the control process does by itself: areas go back to observe.

Rules of this file: an act of the agent goes the same way as an officer's
(:func:`agent.control.transaction.execute_act`), with the agent as its actor. Deciding what is due is a question to the
registry; nothing is remembered between steps that a restart may not forget.
"""

import os

from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control import transaction
from agent.control.dispatch import HandlerRequest
from agent.control.services import ControlServices


class ScheduledActs:
    """Belongs to the thread of acts, which calls :meth:`step` every few seconds."""

    def __init__(self, desk: ControlServices) -> None:
        self._desk = desk
        self._refusals = transaction.RejectionAudit()

    def step(self) -> None:
        """Do what is due. Raises :class:`agent.errors.ShoumiError` when it could not be; the next step tries again."""
        desk = self._desk
        transaction.settle(desk.intent, desk.decider, desk.facts.epoch())
        now = desk.now()
        for area in self._desk.lists.areas.to_confirm(now):
            self._perform("area.observe", {"area": area})

    def _perform(self, op: str, args: dict[str, str]) -> None:
        agent = Peer(os.getpid(), os.getuid(), os.getgid(), frozenset())
        standing = CallerRole(Role.SECURITY)
        given = {**args, "by": "schedule"}
        ask = HandlerRequest(op, TABLE[op].read(args, None), given, agent, standing, self._desk.now(), self._desk)
        transaction.execute_act(ask, self._refusals)

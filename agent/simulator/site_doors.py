"""Simulation of a registered site: its readers and boards, with the keys the agent has for them."""

from collections.abc import Sequence

from agent.doors.osdp.keys import KeyStore
from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.rooms.configuration import configuration
from agent.runtime.home import Home
from agent.simulator.site import Description, LeftOut, described, none_left
from rules.text import Message


def of_site(home: Home) -> tuple[Description, Sequence[LeftOut]]:
    """Return the devices to simulate, and the doors left out. Raises :class:`RefusedError` when no door remains."""
    with FactsReader(home.registry) as facts:
        doors = facts.doors()
    if not doors:
        raise RefusedError(Message("simulator.no-door-registered"), Message("simulator.register-a-door"))
    keys = KeyStore(home.root / "doors.keys").all()
    description, left_out = described(configuration(doors, keys, listen="", last_events={}, offset=0))
    if not description.readers and not description.boards:
        raise none_left(left_out)
    return description, left_out

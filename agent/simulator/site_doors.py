"""What of a registered site can be simulated: its readers and boards, with the keys the agent has for them."""

from collections.abc import Sequence

from agent.doors.osdp.keys import KeyStore
from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.rooms.configuration import configuration
from agent.runtime.home import Home
from agent.simulator.site import Description, LeftOut, described, none_left
from rules.text import Text


def of_site(home: Home) -> tuple[Description, Sequence[LeftOut]]:
    """Return what is to be simulated, and the doors that cannot be. Raises :class:`RefusedError` when that is all."""
    with FactsReader(home.registry) as facts:
        doors = facts.doors()
    if not doors:
        raise RefusedError(Text("no door is registered", "尚未登记门"), Text("shoumi door add", "shoumi door add"))
    keys = KeyStore(home.root / "doors.keys").all()
    description, left_out = described(configuration(doors, keys, listen="", seen={}, offset=0))
    if not description.readers and not description.boards:
        raise none_left(left_out)
    return description, left_out

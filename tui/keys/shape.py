"""Types of the registry: a place and an action.

Rules of this file: pure. Roles are never declared here: an action names the operations it calls, and the agent's own
table has their roles.
"""

from dataclasses import dataclass

from rules.text import Sentence

EVERYWHERE = "everywhere"
GO = "go"  # the verb of the actions that lead to a place


@dataclass(frozen=True, slots=True)
class KeyAction:
    """An action with a key.

    ``id`` is ``place.verb``: the screen of that place (the program itself for :data:`EVERYWHERE`) has a method
    ``do_verb``, without arguments, plain or ``async``. ``key`` is in Textual's notation, several with commas; the
    first one is shown. ``title`` fits the footer. ``ops`` are the operations it requires, all of them; ``also`` those
    it may call as well, or the commands it replaces. ``cuts``: it takes access away, so the plan is shown first and the
    name is typed.
    """

    id: str
    key: str
    title: Sentence
    help: Sentence
    ops: tuple[str, ...] = ()
    cuts: bool = False
    footer: bool = True
    also: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The place it belongs to, or :data:`EVERYWHERE`."""
        return self.id.partition(".")[0]

    @property
    def method(self) -> str:
        """The method that executes it."""
        return "do_" + self.id.partition(".")[2].replace("-", "_")


@dataclass(frozen=True, slots=True)
class ScreenPlace:
    """A screen. ``screen`` is ``module:class``, loaded when the user goes there.

    ``ops`` are the operations without which the place shows nothing.
    """

    name: str
    key: str
    title: Sentence
    help: Sentence
    screen: str
    ops: tuple[str, ...] = ()

    @property
    def action(self) -> KeyAction:
        """The action that leads to this place, from every screen."""
        return KeyAction(f"{EVERYWHERE}.{GO}-{self.name}", self.key, self.title, self.help, self.ops, footer=False)

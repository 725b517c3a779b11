"""The shape of a place and of an action.

Rules of this file: pure. Who may do something is never written here: an action names the operations it asks the agent
for, and their roles stand in the agent's own table.
"""

from dataclasses import dataclass

from rules.text import Text

EVERYWHERE = "everywhere"
GO = "go"  # the verb of the actions that lead to a place


@dataclass(frozen=True, slots=True)
class KeyAction:
    """Something a person can do with one key.

    ``id`` is ``place.verb``: the screen of that place (the program itself for :data:`EVERYWHERE`) has a method
    ``do_verb``, without arguments, plain or ``async``. ``key`` is in Textual's words, several with commas; the first
    one is shown. ``title`` fits the footer. ``ops`` are the operations it needs, all of them; ``also`` those it may
    come to besides, or the commands it does the work of. ``cuts``: it takes access away, so the plan is shown first and
    the name is typed.
    """

    id: str
    key: str
    title: Text
    help: Text
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
        """The method that does it."""
        return "do_" + self.id.partition(".")[2].replace("-", "_")


@dataclass(frozen=True, slots=True)
class ScreenPlace:
    """A screen that can be jumped to. ``screen`` is ``module:class``, loaded when somebody goes there.

    ``ops`` are the operations without which the place shows nothing.
    """

    name: str
    key: str
    title: Text
    help: Text
    screen: str
    ops: tuple[str, ...] = ()

    @property
    def action(self) -> KeyAction:
        """The action that leads here, from everywhere."""
        return KeyAction(f"{EVERYWHERE}.{GO}-{self.name}", self.key, self.title, self.help, self.ops, footer=False)

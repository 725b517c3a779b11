"""What starts by itself in the person's name: user units and their timers, desktop autostart, lingering.

Rules of this file: a user manager that lingers is started at boot without any login, so that mark goes first.
Sources: systemd.unit(5) "User unit search path", loginctl(1) enable-linger, podman-systemd.unit(5), the XDG autostart
specification.
"""

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from rules.text import Text

_LINGER = "var/lib/systemd/linger"
_IN_HOME = (
    ".config/systemd/user",
    ".local/share/systemd/user",
    ".config/containers/systemd",
    ".config/autostart",
)


def where(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return the linger marks, and the directories of their homes from which things start."""
    marks = [PersonalPlace(context.root / _LINGER, name) for _, name in places.named(leaver)]
    return marks + places.in_homes(leaver, context, *_IN_HOME)


def _probe(leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    there = any(place.top.is_dir() for place in where(leaver, context))
    return None if there else Text("they have no home here, and nothing lingers", "其在本机没有主目录，也无驻留服务")


STEP = places.moving("timers", Text("user timers, autostart, lingering", "用户定时器、自启动、驻留"), where, _probe)

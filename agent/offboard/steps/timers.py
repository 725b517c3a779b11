"""The timers step: user units and their timers, desktop autostart, lingering.

Rules of this file: a user manager that lingers is started at boot without any login, so that mark is removed first.
Sources: systemd.unit(5) "User unit search path", loginctl(1) enable-linger, podman-systemd.unit(5), the XDG autostart
specification.
"""

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from rules.text import Message, Sentence

_LINGER = "var/lib/systemd/linger"
_IN_HOME = (
    ".config/systemd/user",
    ".local/share/systemd/user",
    ".config/containers/systemd",
    ".config/autostart",
)


def personal_places(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return the linger marks, and the directories of their homes from which programs start."""
    marks = [PersonalPlace(context.root / _LINGER, name) for _, name in places.named(leaver)]
    return marks + places.in_homes(leaver, context, *_IN_HOME)


def _probe(leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    has_place = any(place.top.is_dir() for place in personal_places(leaver, context))
    return None if has_place else Message("offboard.no-home-and-no-lingering")


STEP = places.moving("timers", Message("common.user-timers-autostart-lingering"), personal_places, _probe)

"""``shoumi demo``: a live demo where the host permits it, else a rehearsal; neither leaves anything behind.

Rules of this file: every end of the demo (a failed line, an error, Ctrl-C, SIGTERM, a closed terminal) leaves through
the same context managers, and a second Ctrl-C does not interrupt the clean-up. The next run cleans up after a killed
one.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from agent.demo import cast
from agent.demo.ending import TerminatedError, ending_by_signal, undisturbed_after
from agent.demo.live import playing
from agent.demo.looking import look_around
from agent.demo.narrate import Audience, JsonLines, Printer, coloured
from agent.demo.rehearsal import rehearsing
from agent.demo.rights import Lack, lacking
from agent.demo.scene import Scene, perform
from agent.demo.site import DemoSite
from agent.demo.stage import DemoStage, stage
from agent.demo.story import STORY
from rules.text import Language, Message
from rules.tiers import lowest

_TITLE = Message("demo.title")
_NOT_HERE = Message("demo.live-demo-unavailable")
_REHEARSAL = Message("demo.rehearsal-follows")


def play(
    *,
    language: Language,
    interactive: bool,
    screens: bool = False,
    json: bool = False,
    story: Sequence[Scene] = STORY,
) -> int:
    """Play *story* on stdout and return the exit code: 0 only if every line held, 128 and more if a signal ended it.

    *interactive*: a user at a terminal may look around afterwards, with *screens* in the administration terminal.
    *json*: one object a line. Raises :class:`agent.errors.ShoumiError` when the stage cannot be set.
    """
    try:
        with ending_by_signal():
            lacks = lacking()
            audience = _audience(language, story, json=json, rehearsal=bool(lacks))
            audience.line(_TITLE)
            if lacks:
                failures = _rehearse(audience, lacks, story)
            else:
                afterwards = (
                    partial(look_around, language=language, screens=screens) if interactive and not json else None
                )
                failures = _play(audience, story, afterwards)
    except TerminatedError as ended:
        return ended.code
    return 1 if failures else 0


def _audience(language: Language, story: Sequence[Scene], *, json: bool, rehearsal: bool) -> Audience:
    if json:
        return JsonLines(sys.stdout, rehearsal=rehearsal)
    return Printer(sys.stdout, language, story, colour=coloured(sys.stdout, os.environ), rehearsal=rehearsal)


def _play(
    audience: Audience, story: Sequence[Scene], afterwards: Callable[[Audience, DemoStage, DemoSite], None] | None
) -> int:
    began = time.monotonic()
    with stage(cast.PACK) as site, playing(site) as live, undisturbed_after():
        people, areas, tier = len(cast.PLAYERS), len(live.tiers), lowest(live.tiers.values())
        audience.line(Message("demo.stage-ready", areas=areas, people=people, tier=tier))
        failures = perform(story, live, audience)
        audience.end(story, time.monotonic() - began)
        if afterwards:
            afterwards(audience, site, live)
    return failures


def _rehearse(audience: Audience, lacks: Sequence[Lack], story: Sequence[Scene]) -> int:
    began = time.monotonic()
    audience.line(_NOT_HERE)
    for lack in lacks:
        audience.line(Message("demo.lack", text=lack.text))
        if lack.hint:
            audience.line(Message("demo.hint", hint=lack.hint))
    audience.line(_REHEARSAL)
    with rehearsing() as rehearsal, undisturbed_after():
        failures = perform(story, rehearsal, audience)
        audience.end(story, time.monotonic() - began)
    return failures

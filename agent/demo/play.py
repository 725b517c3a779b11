"""``shoumi demo``: the real thing where it can be had, a rehearsal where not, and nothing left behind in either case.

Rules of this file: whatever ends the demo (a line that failed, an error, Ctrl-C, SIGTERM, a closed terminal) leaves
through the same context managers, and a second Ctrl-C does not cut the tidying short. A run that was killed outright is
tidied up by the next one.
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
from rules.text import Language, Text
from rules.tiers import lowest

_TITLE = Text(
    "Shoumi: access to classified directories, decided by rules, refused by the kernel, recorded first",
    "守密：涉密目录访问控制。依规则判定，由内核拦截，先记录后放行",
)
_NOT_HERE = Text("the real thing cannot be shown here:", "此处无法实际演示：")
_REHEARSAL = Text(
    "what follows is a rehearsal: the same rules decide and the same log records, and nothing is blocked",
    "以下为演练：使用相同的规则与日志，但不拦截任何访问",
)


def play(
    *,
    language: Language,
    interactive: bool,
    screens: bool = False,
    json: bool = False,
    story: Sequence[Scene] = STORY,
) -> int:
    """Play *story* on stdout and return the exit code: 0 only if every line held, 128 and more if a signal ended it.

    *interactive*: somebody sits at a terminal and may look around afterwards, with *screens* in the administration
    terminal. *json*: one object a line. Raises :class:`agent.errors.ShoumiError` when the stage cannot be set.
    """
    try:
        with ending_by_signal():
            lacks = lacking()
            audience = _audience(language, story, json=json, rehearsal=bool(lacks))
            audience.line(_TITLE)
            if lacks:
                failures = _rehearse(audience, lacks, story)
            else:
                look = partial(look_around, language=language, screens=screens) if interactive and not json else None
                failures = _play(audience, story, look)
    except TerminatedError as ended:
        return ended.code
    return 1 if failures else 0


def _audience(language: Language, story: Sequence[Scene], *, json: bool, rehearsal: bool) -> Audience:
    if json:
        return JsonLines(sys.stdout, rehearsal=rehearsal)
    return Printer(sys.stdout, language, story, colour=coloured(sys.stdout, os.environ), rehearsal=rehearsal)


def _play(
    audience: Audience, story: Sequence[Scene], look: Callable[[Audience, DemoStage, DemoSite], None] | None
) -> int:
    began = time.monotonic()
    with stage(cast.PACK) as site, playing(site) as live, undisturbed_after():
        people, areas, tier = len(cast.PLAYERS), len(live.tiers), lowest(live.tiers.values())
        audience.line(
            Text(
                f"its own ext4 volume, {areas} areas, {people} people without accounts, a real agent: tier {tier}",
                f"独立的 ext4 卷，{areas} 个涉密目录，{people} 名人员（不建账号），真实运行的代理：保护等级 {tier}",
            )
        )
        failures = perform(story, live, audience)
        audience.end(story, time.monotonic() - began)
        if look:
            look(audience, site, live)
    return failures


def _rehearse(audience: Audience, lacks: Sequence[Lack], story: Sequence[Scene]) -> int:
    began = time.monotonic()
    audience.line(_NOT_HERE)
    for lack in lacks:
        audience.line(Text(f"  - {lack.text.en}", f"  - {lack.text.zh}"))
        if lack.hint:
            audience.line(Text(f"    hint: {lack.hint.en}", f"    提示：{lack.hint.zh}"))
    audience.line(_REHEARSAL)
    with rehearsing() as rehearsal, undisturbed_after():
        failures = perform(story, rehearsal, audience)
        audience.end(story, time.monotonic() - began)
    return failures

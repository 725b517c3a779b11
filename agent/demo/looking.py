"""Looking around: the administration terminal on the demo site after the story, until it is left.

Rules of this file:
- the screens are another program, a child on the same terminal, because the agent never imports them. It uses the
  control socket of the demo's own home and has no rights of its own;
- nothing opens unasked: the story can be read first, and the screens can be skipped;
- meanwhile the people of the demo go on opening documents and doors, so the screens show real events;
- every end of the demo ends the child first, in order: it restores the terminal before any clean-up. If the child dies
  without doing so, the terminal is restored here.
"""

import itertools
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.demo import cast
from agent.demo.building import ARCHIVE, DESIGN
from agent.demo.cast import DRAWINGS, HANDBOOK, LI, MERGER, QIAN, SUN, WANG, ZHANG, ZHAO, ZHOU
from agent.demo.narrate import Audience
from agent.demo.parting import end_with_parent
from agent.demo.site import DemoSite, own_session
from agent.demo.stage import DemoStage
from agent.errors import ShoumiError
from agent.runtime.supervisor import python
from rules.text import NOTHING, Language, Message

_WORK: tuple[Callable[[DemoSite], object], ...] = (  # acts of the people, repeated
    lambda site: site.opens(own_session(QIAN), HANDBOOK.document),
    lambda site: site.opens(own_session(SUN), DRAWINGS.document),
    lambda site: site.shows(LI, ARCHIVE, "in"),
    lambda site: site.opens(own_session(LI), DRAWINGS.document),
    lambda site: site.opens(own_session(WANG), DRAWINGS.document),
    lambda site: site.opens(own_session(SUN), MERGER.document),
    lambda site: site.shows(LI, ARCHIVE, "out"),
    lambda site: site.opens(own_session(ZHAO), DRAWINGS.document),
    lambda site: site.opens(own_session(QIAN), HANDBOOK.document),
    lambda site: site.shows(LI, DESIGN, "in"),
    lambda site: site.opens(own_session(ZHANG), DRAWINGS.document),  # on hold after the whole story
    lambda site: site.opens(own_session(ZHOU), DRAWINGS.document),  # has left
)
_PACE = 2.0  # seconds between two of them
_PATIENCE = 10.0  # seconds for the screens to end on request
BACK = (  # as xterm and kitty name them: mouse, focus, pasting, resizing, keys; cursor, style, and the screen itself
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[<u"
    "\x1b[?25h\x1b[0m\x1b[?1049l"
)


def look_around(audience: Audience, site: DemoStage, live: DemoSite, language: Language, *, screens: bool) -> None:
    """Let the user look at the running *site*: with *screens*, or else from another terminal."""
    if not (screens and _screens(audience, site, live, language)):
        _elsewhere(audience, site)


def _screens(audience: Audience, site: DemoStage, live: DemoSite, language: Language) -> bool:
    """Open the screens and return when they are left or declined; ``False`` when they could not be shown."""
    audience.line(NOTHING)
    audience.line(Message("demo.screens-follow"))
    audience.line(Message("demo.screens-keys"))
    audience.line(Message("demo.open-screens-or-end"))
    line = sys.stdin.readline()
    if not line or line.strip():
        return True
    site.shoumi("declaration", "add", LI.id, ARCHIVE.id, "--purpose", "查档")  # required for entry
    with _child(site, language) as child:
        _work(live, child)
    if not child.returncode:
        return True
    code = child.returncode
    audience.line(Message("demo.terminal-ended-code", code=code))
    return False


@contextmanager
def _child(site: DemoStage, language: Language) -> Iterator[subprocess.Popen[bytes]]:
    modes = termios.tcgetattr(sys.stdin)
    child = subprocess.Popen(
        python("tui", str(site.home.root), language),
        preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.returncode < 0:
            sys.stdout.write(BACK)
            sys.stdout.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)


def _work(live: DemoSite, child: subprocess.Popen[bytes]) -> None:
    """Repeat the acts of the people until *child* has ended."""
    ended = os.pidfd_open(child.pid)
    try:
        for act in itertools.cycle(_WORK):
            if select.select([ended], [], [], _PACE)[0]:
                break
            try:
                act(live)
            except (ShoumiError, OSError):  # the site was changed with the screens
                select.select([ended], [], [])
    finally:
        os.close(ended)
    child.wait()


def _elsewhere(audience: Audience, site: DemoStage) -> None:
    """Offer to leave the agent running until Enter is pressed."""
    audience.line(Message("demo.ask-to-look-around"))
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
        return
    shoumi = f"{Path(sys.executable).with_name('shoumi')} --home {site.home.root}"
    drawings = site.root / cast.DRAWINGS.document
    audience.line(Message("demo.agent-home", root=site.home.root))
    audience.line(Message("demo.try-root-another-terminal"))
    for command in (
        f"{shoumi} log list --verdict deny",
        f"{shoumi} explain {cast.WANG.id} {drawings}",
        f"{shoumi} what-if {cast.WANG.id} {drawings} --department {cast.RESEARCH}",
    ):
        audience.line(Message("common.indented", text=command))
    audience.line(Message("demo.press-enter-to-end"))
    sys.stdin.readline()

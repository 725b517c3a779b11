"""After the story: the administration terminal over the site that has just played it, until it is left.

Rules of this file:
- the screens are another program, a child on the same terminal, because the agent never imports them. It asks over the
  control socket of the demo's own home and has no rights of its own;
- nothing opens unasked: the story can be read first, and whoever has seen enough goes on to the tidying;
- while somebody looks, the people of the demo go on opening documents and doors: what moves on the screens is real;
- whatever ends the demo ends the child first, in order: it gives the terminal back before anything is tidied. One that
  died without doing so leaves a terminal that is set back here.
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
from agent.demo.site import DemoSite, himself
from agent.demo.stage import DemoStage
from agent.errors import ShoumiError
from agent.runtime.supervisor import python
from rules.text import Language, Text

_WORK: tuple[Callable[[DemoSite], object], ...] = (  # what people do, over and over
    lambda site: site.opens(himself(QIAN), HANDBOOK.document),
    lambda site: site.opens(himself(SUN), DRAWINGS.document),
    lambda site: site.shows(LI, ARCHIVE, "in"),
    lambda site: site.opens(himself(LI), DRAWINGS.document),
    lambda site: site.opens(himself(WANG), DRAWINGS.document),
    lambda site: site.opens(himself(SUN), MERGER.document),
    lambda site: site.shows(LI, ARCHIVE, "out"),
    lambda site: site.opens(himself(ZHAO), DRAWINGS.document),
    lambda site: site.opens(himself(QIAN), HANDBOOK.document),
    lambda site: site.shows(LI, DESIGN, "in"),
    lambda site: site.opens(himself(ZHANG), DRAWINGS.document),  # on hold, when all of the story was told
    lambda site: site.opens(himself(ZHOU), DRAWINGS.document),  # and he has left
)
_PACE = 2.0  # seconds between two of them
_PATIENCE = 10.0  # seconds for the screens to end when they are asked to
BACK = (  # as xterm and kitty name them: mouse, focus, pasting, resizing, keys; cursor, style, and the screen itself
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[<u"
    "\x1b[?25h\x1b[0m\x1b[?1049l"
)


def look_around(audience: Audience, site: DemoStage, live: DemoSite, language: Language, *, screens: bool) -> None:
    """Let whoever sits at the terminal look at the running *site*: with *screens*, or else from another terminal."""
    if not (screens and _screens(audience, site, live, language)):
        _elsewhere(audience, site)


def _screens(audience: Audience, site: DemoStage, live: DemoSite, language: Language) -> bool:
    """Open the screens and return when they are left, or not wanted; ``False`` when they could not be shown."""
    audience.line(Text("", ""))
    audience.line(
        Text(
            "next, the administration terminal on this site: its log, people and departure, while its people go on",
            "接下来在本站点上打开管理终端：查看日志、人员与离岗，人员仍在继续操作",
        )
    )
    audience.line(
        Text(
            "in it: 1 to 0 go to a screen, ? helps, ctrl+q leaves; after that all of it is removed",
            "按键：数字键切换屏幕，? 帮助，ctrl+q 退出；退出后全部清理",
        )
    )
    audience.line(Text("Enter opens it; n and Enter ends here", "按回车键打开；输入 n 并回车则到此结束"))
    said = sys.stdin.readline()
    if not said or said.strip():
        return True
    site.shoumi("declaration", "add", LI.id, ARCHIVE.id, "--purpose", "查档")  # without one he is not let in
    with _child(site, language) as child:
        _work(live, child)
    if not child.returncode:
        return True
    code = child.returncode
    audience.line(Text(f"the terminal ended with code {code}", f"管理终端以代码 {code} 结束"))
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
    """Have people go about their work until *child* has ended."""
    ended = os.pidfd_open(child.pid)
    try:
        for act in itertools.cycle(_WORK):
            if select.select([ended], [], [], _PACE)[0]:
                break
            try:
                act(live)
            except (ShoumiError, OSError):  # somebody has changed the site with the screens: they show it
                select.select([ended], [], [])
    finally:
        os.close(ended)
    child.wait()


def _elsewhere(audience: Audience, site: DemoStage) -> None:
    """Offer to leave the agent running until Enter is pressed."""
    audience.line(Text("look around before all of it is removed? [y/N]", "清理之前要自行查看吗？[y/N]"))
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
        return
    shoumi = f"{Path(sys.executable).with_name('shoumi')} --home {site.home.root}"
    drawings = site.root / cast.DRAWINGS.document
    audience.line(Text(f"the agent's home: {site.home.root}", f"代理的数据目录：{site.home.root}"))
    audience.line(Text("try, as root in another terminal:", "请在另一终端以 root 试用："))
    for command in (
        f"{shoumi} log list --verdict deny",
        f"{shoumi} explain {cast.WANG.id} {drawings}",
        f"{shoumi} what-if {cast.WANG.id} {drawings} --department {cast.RESEARCH}",
    ):
        audience.line(Text(f"  {command}", f"  {command}"))
    audience.line(Text("press Enter here to end the agent and remove it all", "在此按回车键，即停止代理并全部清理"))
    sys.stdin.readline()

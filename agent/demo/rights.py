"""What the real thing needs and this machine or user lacks, found by trying it.

Rules of this file: everything is tried and undone at once; nothing that exists is touched. Each lack is told with what
would close it.
"""

import contextlib
import os
from typing import NamedTuple

from agent.demo.actors import ActorIdentity, attempt
from agent.errors import RefusedError
from agent.simulator import volume_image
from agent.volumes.host_abilities import abilities
from rules.text import Text

_SMALL = 4 << 20
_NOBODY = 65534
_NOT_ROOT = Text(
    "only root may mount a volume and have the kernel refuse opens", "建立测试卷、由内核拦截访问，均需要 root 权限"
)
_LOGIN_FIXED = Text(
    "the login identity of a process cannot be set here, so nobody can be played",
    "此处无法设置进程的登录身份，因而无法扮演人员",
)
_LOGIN_HINT = Text(
    "run it outside of a login: systemd-run --pty --same-dir make demo",
    "请在登录会话之外运行：systemd-run --pty --same-dir make demo",
)


class Lack(NamedTuple):
    """One thing that is missing, and what closes the gap."""

    text: Text
    hint: Text | None


def lacking() -> list[Lack]:
    """Return what is missing for the real thing; an empty list means that all of it works here."""
    if os.geteuid() != 0:
        return [Lack(_NOT_ROOT, Text("sudo make demo", "sudo make demo"))]
    found = [Lack(ability.detail, ability.remedy) for ability in abilities() if ability.needed and not ability.ok]
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(volume_image.volume("ext4", _SMALL))
        except RefusedError as refused:
            found.append(Lack(refused.text, refused.hint))
    if attempt(ActorIdentity(_NOBODY, _NOBODY), lambda: 0).error:
        found.append(Lack(_LOGIN_FIXED, _LOGIN_HINT))
    return found

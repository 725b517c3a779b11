"""``shoumi keys``: the agent's own public key, and a personnel system's keys for trying.

Rules of this file: ``show`` prints nothing but the key, so that it can be sent to a file. Keys made here are
for trying, and their issuer says so; a site that goes live pins those of its own personnel system
(docs/hr-integration.md).
"""

import os
from contextlib import suppress
from pathlib import Path

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, command
from agent.cli.parser import Command
from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

NOUN = Text("keys: the agent's own, and test keys of a personnel system", "密钥：代理自身的公钥，人事系统的测试密钥")

AUDIENCE = "urn:shoumi:agent:test"
ISSUER = "https://hr.test.invalid"
_ROLE = "personnel"


def _show(context: CliContext, args: Args) -> int:
    found = context.call("keys.show", args)
    if context.terminal.json:
        context.terminal.data(found)
    else:
        context.terminal.line(str(found["jwks" if args.get("jwks") else "pem"]).rstrip("\n"))
    return 0


def _make_test(context: CliContext, args: Args) -> int:
    from agent.offboard.intake import pinned_keys
    from agent.simulator import hr_sender

    folder = Path(str(args["folder"]))
    pinned = pinned_keys.path(context.home.root)
    if args["pin"] and os.path.lexists(pinned):
        there = visible(str(pinned))
        raise RefusedError(
            Text(f"keys are pinned already: `{there}`", f"已有固定的密钥：`{there}`"),
            Text(
                "test keys never replace a site's own; move that file aside first",
                "测试密钥不会替换现有密钥；请先移开该文件",
            ),
        )
    public = hr_sender.make_keys(
        folder,
        audience=str(args["audience"] or AUDIENCE),
        iss=str(args["iss"] or ISSUER),
        approvers=[_approver(word) for word in args["approver"]],
    )
    pinned_keys.load(public)  # what is wrong with a name given here is said before anything is pinned
    if args["pin"]:
        _pin(public, pinned)
    place, made = visible(str(folder)), visible(str(public))
    believed = Text(
        f"test keys are in `{place}`, and the agent believes them", f"测试密钥在 `{place}` 中，代理已信任这些密钥"
    )
    waiting = Text(f"test keys are made; pin them with: {made}", f"已生成测试密钥；待固定的文件：{made}")
    said = believed if args["pin"] else waiting
    context.terminal.data({"folder": str(folder), "keys": str(public), "pinned": bool(args["pin"])}, said)
    return 0


def _approver(word: str) -> tuple[str, str]:
    role, equals, person = word.rpartition("=")
    return (role if equals else _ROLE), person


def _pin(public: Path, pinned: Path) -> None:
    """Put the public keys where the agent reads them, whole from the first moment on, and never over others."""
    fresh = pinned.with_name(f".{pinned.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb") as file:
            file.write(public.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        pinned.hardlink_to(fresh)
    except OSError as error:
        said, why = visible(str(pinned)), visible(error.strerror or "")
        raise RefusedError(
            Text(f"`{said}` cannot be written: `{why}`", f"无法写入 `{said}`：`{why}`"),
            Text("only root pins keys", "只有 root 可以固定密钥"),
        ) from None
    finally:
        with suppress(OSError):
            fresh.unlink()


COMMANDS: tuple[Command, ...] = (
    command(
        "keys.show",
        _show,
        extra=(Param("jwks", "flag", Text("as JWK Set: for answers to HR", "以 JWK Set 输出：核验给人事系统的答复")),),
    ),
    Command(
        ("keys", "make-test"),
        Text("make keys of a personnel system, for trying", "生成人事系统测试密钥"),
        (
            Param("folder", "text", Text("folder they are written to", "写入的目录"), required=True, positional=True),
            Param(
                "approver",
                "texts",
                Text("who approves there; one key each", "人事系统审批人，各一把密钥"),
                required=True,
                metavar="[ROLE=]PERSON",
            ),
            Param("audience", "text", Text(f"name of the site (default {AUDIENCE})", f"本站名称（默认 {AUDIENCE}）")),
            Param(
                "iss",
                "text",
                Text(f"name of the personnel system (default {ISSUER})", f"人事系统名称（默认 {ISSUER}）"),
            ),
            Param("pin", "flag", Text("have the agent of this host believe them", "令本机代理信任这些密钥")),
        ),
        _make_test,
    ),
)

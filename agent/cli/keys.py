"""``shoumi keys``: the public key of the agent, and test keys of a personnel system.

Rules of this file: ``show`` prints nothing but the key, and its output can be redirected to a file. Keys made here are
test keys, and their issuer has a test name; a site in service pins the keys of its own personnel system
(docs/hr-integration.md).
"""

import os
from contextlib import suppress
from pathlib import Path

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, command
from agent.cli.parser import Command
from agent.errors import RefusedError
from agent.presentation.os_errors import os_reason
from rules.text import Message

NOUN = Message("cli.noun-keys")

AUDIENCE = "urn:shoumi:agent:test"
ISSUER = "https://hr.test.invalid"
_ROLE = "personnel"


def _show(context: CliContext, args: Args) -> int:
    keys = context.call("keys.show", args)
    if context.terminal.json:
        context.terminal.emit(keys)
    else:
        context.terminal.line(str(keys["jwks" if args.get("jwks") else "pem"]).rstrip("\n"))
    return 0


def _make_test(context: CliContext, args: Args) -> int:
    from agent.offboard.intake import pinned_keys
    from agent.simulator import hr_sender

    folder = Path(str(args["folder"]))
    pinned = pinned_keys.path(context.home.root)
    if args["pin"] and os.path.lexists(pinned):
        raise RefusedError(
            Message("cli.keys-already-pinned", path=str(pinned)),
            Message("cli.test-keys-hint"),
        )
    public = hr_sender.make_keys(
        folder,
        audience=str(args["audience"] or AUDIENCE),
        iss=str(args["iss"] or ISSUER),
        approvers=[_approver(text) for text in args["approver"]],
    )
    pinned_keys.load(public)  # reports a bad name before anything is pinned
    if args["pin"]:
        _pin(public, pinned)
    pinned_sentence = Message("cli.test-keys-pinned", folder=str(folder))
    sentence = pinned_sentence if args["pin"] else Message("cli.test-keys-made", path=str(public))
    context.terminal.emit({"folder": str(folder), "keys": str(public), "pinned": bool(args["pin"])}, sentence)
    return 0


def _approver(text: str) -> tuple[str, str]:
    role, equals, person = text.rpartition("=")
    return (role if equals else _ROLE), person


def _pin(public: Path, pinned: Path) -> None:
    """Install the public keys where the agent reads them, atomically, and never over existing ones."""
    new_file = pinned.with_name(f".{pinned.name}.{os.getpid()}")
    try:
        with open(os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb") as file:
            file.write(public.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        pinned.hardlink_to(new_file)
    except OSError as error:
        raise RefusedError(
            Message("cli.file-write-failed", path=str(pinned), reason=os_reason(error)),
            Message("cli.pin-keys-hint"),
        ) from None
    finally:
        with suppress(OSError):
            new_file.unlink()


COMMANDS: tuple[Command, ...] = (
    command(
        "keys.show",
        _show,
        extra=(Param("jwks", "flag", Message("cli.param-jwks-output")),),
    ),
    Command(
        ("keys", "make-test"),
        Message("cli.help-keys-make-test"),
        (
            Param("folder", "text", Message("cli.param-keys-folder"), required=True, positional=True),
            Param(
                "approver",
                "texts",
                Message("cli.param-test-approvers"),
                required=True,
                metavar="[ROLE=]PERSON",
            ),
            Param("audience", "text", Message("cli.param-test-audience", audience=AUDIENCE)),
            Param(
                "iss",
                "text",
                Message("cli.param-issuer", issuer=ISSUER),
            ),
            Param("pin", "flag", Message("cli.param-pin-test-keys")),
        ),
        _make_test,
    ),
)

"""``shoumi area``: classified areas, the directories under protection."""

from agent.api.operations.schema import Param
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, coded, command, findings, level, printable, table
from agent.cli.context import column as plain
from agent.errors import RefusedError
from agent.presentation import seen
from agent.presentation.marking import marking
from agent.presentation.terms import DOMAINS, MODES, TIERS, YES_NO, word
from rules.text import Message

NOUN = Message("cli.noun-area")

_LABEL_STATES = {
    "kept": Message("cli.label-correct"),
    "new": Message("cli.label-empty"),
    "entered": Message("cli.label-entered"),
    "unlabelled": Message("cli.label-missing"),
    "foreign": Message("cli.label-invalid"),
}
_YES = Param("yes", "flag", Message("cli.param-yes"))


def _add(context: CliContext, args: Args) -> int:
    answer = context.call("area.add", args)
    name, mode = printable(answer["area"]), word(MODES, answer["mode"])
    context.terminal.emit(
        answer,
        Message("cli.area-added", name=name, tier=word(TIERS, answer["tier"]), count=answer["files"], mode=mode),
    )
    if not context.terminal.json:
        findings(context, answer["findings"])
        _warn_observing(context, answer["mode"])
    return 0


def _show(context: CliContext, args: Args) -> int:
    area = context.call("area.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(area)
        return 0
    until = area["secret_until"]
    marked = marking(level(area["level"]), area["domain"], until and local(until)[:10])
    rows = [
        (Message("common.area"), area["name"]),
        (Message("common.path"), area["path"]),
        (
            Message("common.level"),
            terminal.say(Message("common.with-note", text=marked, more=word(DOMAINS, area["domain"]))),
        ),
        (Message("common.mode"), terminal.say(word(MODES, area["mode"]))),
        (Message("common.tier"), terminal.say(word(TIERS, area["tier"]))),
        (Message("cli.volume-sealed"), context.terminal.say(word(YES_NO, "yes" if area["sealed"] else "no"))),
        (Message("cli.guard"), terminal.say(seen.sentence(area["seen"], local))),
        (Message("cli.scope-persons"), area["scope"]["person"]),
        (Message("cli.scope-departments"), area["scope"]["department"]),
        (Message("cli.scope-projects"), area["scope"]["project"]),
        (Message("cli.custodian"), area["custodian"]),
        (Message("cli.secret-until"), area["secret_until"] and local(area["secret_until"])),
        (
            Message("cli.reverts-to-observe-at"),
            area["enforce_confirm_by"] and local(area["enforce_confirm_by"]),
        ),
    ]
    terminal.table([Message("cli.field"), Message("cli.value")], [(terminal.say(label), text) for label, text in rows])
    findings(context, area["findings"])
    return 0


def _list(context: CliContext, args: Args) -> int:
    columns = (
        plain(Message("common.area"), "name"),
        OutputColumn(Message("common.level"), lambda row: context.terminal.say(level(row["level"]))),
        coded(Message("tui.domain"), "domain", DOMAINS),
        coded(Message("common.mode"), "mode", MODES),
        coded(Message("common.tier"), "tier", TIERS),
        OutputColumn(Message("common.guard-seen"), lambda row: seen.short(row["seen"], local)),
        plain(Message("common.path"), "path"),
    )
    return table(context, context.stream("area.list", args), columns, Message("cli.no-areas-yet"))


def _enforce(context: CliContext, args: Args) -> int:
    would = context.call("area.would", args)
    terminal = context.terminal
    name = printable(would["area"])
    if not args["yes"]:
        if terminal.json:
            terminal.emit(would)
        else:
            _say_would(context, would)
        raise RefusedError(
            Message("cli.area-unchanged", name=name),
            Message("cli.area-enforce-hint", name=name),
        )
    answer = context.call("area.enforce", args)
    terminal.emit(answer, Message("cli.area-enforced", name=name))
    if answer.get("reverts_at"):
        at = local(answer["reverts_at"])
        terminal.talk(Message("cli.area-reverts", at=at, name=name))
    return 0


def _say_would(context: CliContext, would: Args) -> None:
    if not would["denied"]:
        context.terminal.talk(Message("cli.no-denials-observed"))
        return
    context.terminal.table(
        [
            Message("cli.would-be-denied"),
            Message("cli.login-person"),
            Message("common.times"),
            Message("cli.denying-rules"),
        ],
        [(row["person"], row["login_person"], row["count"], row["rules"]) for row in would["denied"]],
    )


def _observe(context: CliContext, args: Args) -> int:
    answer = context.call("area.observe", args)
    context.terminal.emit(answer, Message("cli.area-observed", name=printable(answer["area"])))
    _warn_observing(context, "observe")
    return 0


def _warn_observing(context: CliContext, mode: str) -> None:
    if mode == "observe":
        context.terminal.talk(Message("cli.observe-mode-warning"))


def _remove(context: CliContext, args: Args) -> int:
    answer = context.call("area.remove", args)
    name = printable(answer["area"])
    context.terminal.emit(
        answer,
        Message("cli.area-removed", name=name, count=answer["grants_ended"]),
    )
    if not context.terminal.json:
        findings(context, answer["findings"])
    return 0


def _labels(context: CliContext, args: Args) -> int:
    scan = _followed(context, "area.labels", args)
    if context.terminal.json:
        context.terminal.emit(scan)
    else:
        _say_labels(context, scan)
    return int(bool(scan["unlabelled"] or scan["foreign"] or scan["troubles"]))


def _relabel(context: CliContext, args: Args) -> int:
    terminal = context.terminal
    if not args["yes"]:
        scan = _followed(context, "area.labels", args)
        if terminal.json:
            terminal.emit(scan)
        else:
            _say_labels(context, scan)
        path = printable(scan["path"])
        raise RefusedError(
            Message("cli.nothing-changed"),
            Message("cli.relabel-hint", path=path),
        )
    request = context.call("area.relabel", args)
    scan = _followed(context, "area.relabelling", {"request": request["request"]})
    if terminal.json:
        terminal.emit(request | scan)
        return int(bool(scan["troubles"]))
    labelled = scan["unlabelled"] + scan["foreign"] + scan["entered"] + scan["new"]
    terminal.line(terminal.say(Message("cli.relabelled", checked=scan["seen"], labelled=labelled)))
    _say_not_reached(context, scan)
    return int(bool(scan["troubles"]))


def _followed(context: CliContext, op: str, args: Args) -> Args:
    """Return the last item of a stream of progress, and print those before it as messages."""
    progress: Args = {}
    for progress in context.stream(op, args):
        if not progress["ended"]:
            context.terminal.talk(Message("cli.files-checked", count=progress["seen"]))
    return progress


def _say_labels(context: CliContext, scan: Args) -> None:
    rows = [(state, scan[kind]) for kind, state in _LABEL_STATES.items()]
    say = context.terminal.say
    context.terminal.table(
        [Message("cli.field"), Message("cli.label-count")], [(say(label), number) for label, number in rows]
    )
    for file in scan["first"]:
        context.terminal.line(f"  {printable(file['path'])}  {say(word(_LABEL_STATES, file['kind']))}")
    _say_not_reached(context, scan)


def _say_not_reached(context: CliContext, scan: Args) -> None:
    for file in scan["not_reached"]:
        path, reason = printable(file["path"]), printable(file["error"])
        context.terminal.talk(Message("cli.file-not-reached", path=path, reason=reason))


COMMANDS = (
    command("area.add", _add),
    command("area.show", _show, note=Message("cli.explains-guard-seen")),
    command("area.list", _list, note=Message("cli.explains-guard-seen")),
    act("area.set", lambda r: Message("cli.changed", name=printable(r["area"]))),
    command("area.enforce", _enforce, extra=(_YES,)),
    act("area.confirm", lambda r: Message("cli.area-confirmed", name=printable(r["area"]))),
    command("area.observe", _observe),
    act(
        "area.seal",
        lambda r: Message("cli.area-sealed", name=printable(r["area"])),
    ),
    command("area.labels", _labels),
    command("area.relabel", _relabel, extra=(_YES,)),
    command("area.remove", _remove),
)

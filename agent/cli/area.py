"""``shoumi area``: directories under protection."""

from agent.api.operations.schema import Param
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, command, findings, level, shown, table
from agent.cli.context import column as plain
from agent.errors import RefusedError
from agent.presentation import seen
from agent.presentation.terms import YES_NO, word
from rules.text import Text

NOUN = Text("directories under protection", "涉密目录")

_YES = Param("yes", "flag", Text("do not only show what would happen", "确认执行，而不只是查看"))


def _add(context: CliContext, args: Args) -> int:
    result = context.call("area.add", args)
    name, tier, files = shown(result["area"]), result["tier"], result["files"]
    context.terminal.data(
        result,
        Text(
            f"`{name}` is protected: tier {tier}, {files} files labelled, mode {result['mode']}",
            f"`{name}` 已受保护：等级 {tier}，已标记 {files} 个文件，模式 {result['mode']}",
        ),
    )
    if not context.terminal.json:
        findings(context, result["findings"])
        _warn_observing(context, result["mode"])
    return 0


def _show(context: CliContext, args: Args) -> int:
    found = context.call("area.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    rows = [
        (Text("area", "目录"), found["name"]),
        (Text("path", "路径"), found["path"]),
        (Text("level", "密级"), f"{terminal.say(level(found['level']))} ({found['domain']})"),
        (Text("mode", "模式"), found["mode"]),
        (Text("tier", "等级"), found["tier"]),
        (Text("volume sealed", "卷已封闭"), context.terminal.say(word(YES_NO, "yes" if found["sealed"] else "no"))),
        (Text("guard", "防护"), terminal.say(seen.sentence(found["seen"], local))),
        (Text("persons in scope", "知悉人员"), found["scope"]["person"]),
        (Text("departments in scope", "知悉部门"), found["scope"]["department"]),
        (Text("projects in scope", "知悉项目"), found["scope"]["project"]),
        (Text("custodian", "责任人"), found["custodian"]),
        (Text("secret until", "保密期限"), found["secret_until"] and local(found["secret_until"])),
        (
            Text("goes back to observe", "自动退回观察"),
            found["enforce_confirm_by"] and local(found["enforce_confirm_by"]),
        ),
    ]
    terminal.table([Text("what", "项目"), Text("value", "内容")], [(terminal.say(what), value) for what, value in rows])
    findings(context, found["findings"])
    return 0


def _list(context: CliContext, args: Args) -> int:
    columns = (
        plain("area", "目录", "name"),
        OutputColumn(Text("level", "密级"), lambda row: context.terminal.say(level(row["level"]))),
        plain("domain", "种类", "domain"),
        plain("mode", "模式", "mode"),
        plain("tier", "等级", "tier"),
        OutputColumn(Text("guard seen", "证实时间"), lambda row: seen.short(row["seen"], local)),
        plain("path", "路径", "path"),
    )
    return table(context, context.stream("area.list", args), columns, Text("no areas yet", "尚无目录"))


def _enforce(context: CliContext, args: Args) -> int:
    would = context.call("area.would", args)
    terminal = context.terminal
    name = shown(would["area"])
    if not args["yes"]:
        if terminal.json:
            terminal.data(would)
        else:
            _say_would(context, would)
        raise RefusedError(
            Text(f"`{name}` is not changed", f"`{name}` 未作更改"),
            Text(
                f"to block from now on: shoumi area enforce {name} --yes [--revert-after MIN]",
                f"开始拦截：shoumi area enforce {name} --yes [--revert-after 分钟]",
            ),
        )
    result = context.call("area.enforce", args)
    terminal.data(result, Text(f"`{name}` enforces now", f"`{name}` 已开始拦截"))
    if result.get("reverts_at"):
        at = local(result["reverts_at"])
        terminal.talk(
            Text(
                f"it goes back to observe at {at} unless you say: shoumi area confirm {name}",
                f"若不运行 shoumi area confirm {name}，将于 {at} 退回观察模式",
            )
        )
    return 0


def _say_would(context: CliContext, would: Args) -> None:
    if not would["denied"]:
        context.terminal.talk(Text("nobody would have been denied while observing", "观察期间没有人会被拒绝"))
        return
    context.terminal.table(
        [
            Text("would have been denied", "本应被拒绝"),
            Text("at login", "登录者"),
            Text("times", "次数"),
            Text("rules", "规则"),
        ],
        [(row["person"], row["login_person"], row["count"], row["rules"]) for row in would["denied"]],
    )


def _observe(context: CliContext, args: Args) -> int:
    result = context.call("area.observe", args)
    context.terminal.data(result, Text(f"`{shown(result['area'])}` observes only", f"`{shown(result['area'])}` 仅观察"))
    _warn_observing(context, "observe")
    return 0


def _warn_observing(context: CliContext, mode: str) -> None:
    if mode == "observe":
        context.terminal.talk(
            Text("OBSERVE MODE: everything is recorded, NOTHING IS BLOCKED", "观察模式：只记录，不拦截任何访问")
        )


def _remove(context: CliContext, args: Args) -> int:
    result = context.call("area.remove", args)
    name = shown(result["area"])
    context.terminal.data(
        result,
        Text(
            f"`{name}` is not protected any more; {result['grants_ended']} grants ended",
            f"`{name}` 已解除保护；终止授权 {result['grants_ended']} 项",
        ),
    )
    if not context.terminal.json:
        findings(context, result["findings"])
    return 0


def _labels(context: CliContext, args: Args) -> int:
    found = _followed(context, "area.labels", args)
    if context.terminal.json:
        context.terminal.data(found)
    else:
        _say_labels(context, found)
    return int(bool(found["unlabelled"] or found["foreign"] or found["troubles"]))


def _relabel(context: CliContext, args: Args) -> int:
    terminal = context.terminal
    if not args["yes"]:
        found = _followed(context, "area.labels", args)
        if terminal.json:
            terminal.data(found)
        else:
            _say_labels(context, found)
        path = shown(found["path"])
        raise RefusedError(
            Text("nothing is changed", "未作更改"),
            Text(
                f"to give the unlabelled and foreign ones the label of their place: shoumi area relabel {path} --yes",
                f"按所在位置补上标记：shoumi area relabel {path} --yes",
            ),
        )
    asked = context.call("area.relabel", args)
    found = _followed(context, "area.relabelling", {"request": asked["request"]})
    if terminal.json:
        terminal.data(asked | found)
        return int(bool(found["troubles"]))
    mended = found["unlabelled"] + found["foreign"] + found["entered"] + found["new"]
    terminal.line(
        terminal.say(
            Text(f"{found['seen']} looked at, {mended} labelled", f"已检查 {found['seen']} 个，标记 {mended} 个")
        )
    )
    _say_not_reached(context, found)
    return int(bool(found["troubles"]))


def _followed(context: CliContext, op: str, args: Args) -> Args:
    """Return the last item of a stream that says how far something is, and talk about those before it."""
    found: Args = {}
    for found in context.stream(op, args):
        if not found["ended"]:
            context.terminal.talk(Text(f"{found['seen']} looked at …", f"已检查 {found['seen']} 个……"))
    return found


def _say_labels(context: CliContext, found: Args) -> None:
    rows = [
        (Text("labelled as they should be", "标记无误"), found["kept"]),
        (Text("nothing in them yet, and no label", "尚无内容，也无标记"), found["new"]),
        (Text("came into an area with the public label", "带公开标记移入目录"), found["entered"]),
        (Text("content and no label: nobody gets in", "有内容而无标记：任何人不能打开"), found["unlabelled"]),
        (Text("label of no area, or damaged: nobody gets in", "标记无效或已损坏：任何人不能打开"), found["foreign"]),
    ]
    say = context.terminal.say
    context.terminal.table(
        [Text("what", "项目"), Text("number", "数量")], [(say(what), number) for what, number in rows]
    )
    for one in found["first"]:
        context.terminal.line(f"  {one['kind']}  {shown(one['path'])}")
    _say_not_reached(context, found)


def _say_not_reached(context: CliContext, found: Args) -> None:
    for one in found["not_reached"]:
        said, why = shown(one["path"]), shown(one["error"])
        context.terminal.talk(Text(f"not reached: `{said}`: {why}", f"未能到达：`{said}`：{why}"))


COMMANDS = (
    command("area.add", _add),
    command("area.show", _show),
    command("area.list", _list),
    act("area.set", lambda r: Text(f"`{shown(r['area'])}` is changed", f"已修改 `{shown(r['area'])}`")),
    command("area.enforce", _enforce, extra=(_YES,)),
    act("area.confirm", lambda r: Text(f"`{shown(r['area'])}` keeps enforcing", f"`{shown(r['area'])}` 将继续拦截")),
    command("area.observe", _observe),
    act(
        "area.seal",
        lambda r: Text(f"the volume of `{shown(r['area'])}` is sealed", f"`{shown(r['area'])}` 所在卷已封闭"),
    ),
    command("area.labels", _labels),
    command("area.relabel", _relabel, extra=(_YES,)),
    command("area.remove", _remove),
)

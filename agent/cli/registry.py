"""``shoumi registry``: the registry held against the log, and the decision on one that is an old copy."""

from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, command, shown
from rules.text import Text

NOUN = Text("the registry held against the log", "登记库与日志的一致性")

Json = Any


def _show(context: CliContext, args: Args) -> int:
    found, terminal = context.call("registry.show", args), context.terminal
    if terminal.json:
        terminal.data(found)
    elif not found["older"]:
        epoch, last = found["epoch"], found["log"]["last"]
        terminal.line(
            terminal.say(
                Text(
                    f"the registry holds every act of the log: epoch {epoch}, log to #{last}",
                    f"登记库包含日志中的全部操作：版本 {epoch}，日志至 #{last}",
                )
            )
        )
    else:
        _lost(context, found)
    return 1 if found["older"] else 0


def _lost(context: CliContext, found: Json) -> None:
    terminal, lost = context.terminal, found["lost"]
    epoch, proven, count = found["epoch"], found["log"]["epoch"], len(lost)
    terminal.line(
        terminal.say(
            Text(
                f"the registry has epoch {epoch}, the log proves {proven}: {count} acts of the log are not in it",
                f"登记库版本为 {epoch}，日志证明已至 {proven}：日志中有 {count} 项操作不在其中",
            )
        )
    )
    terminal.table(
        [Text("entry", "序号"), Text("at", "时间"), Text("act", "操作"), Text("by", "经办人"), Text("on", "内容")],
        [
            (row["seq"], local(row["time"]), row["act"], _actor(row["actor"] or {}), _words(row["args"] or {}))
            for row in lost
        ],
    )
    if not found["whole"]:
        unfinished = Text("the index is being made: there may be more", "索引尚在重建：可能还有更多")
        terminal.line(f"!  {terminal.say(unfinished)}")
    last = lost[-1]["seq"] if lost else 0
    for hint in (
        Text(
            "put the right registry back and restart the agent (with registry.db belong registry.db-wal and -shm)",
            "恢复正确的登记库并重启代理（registry.db 须与其 -wal、-shm 文件成套）",
        ),
        Text(
            f"or give these acts up, and do again what is still due: shoumi registry accept --last {last} --reason …",
            f"或放弃上述操作并重新办理仍需的事项：shoumi registry accept --last {last} --reason ……",
        ),
    ):
        terminal.line(f"→ {terminal.say(hint)}")


def _actor(actor: Json) -> str:
    return shown(actor.get("by") or f"uid {actor.get('uid')} ({actor.get('role')})")


def _words(args: Json) -> str:
    return shown(" ".join(f"{name}={value}" for name, value in args.items()))[:100]


def _accepted(result: Json) -> Text:
    count, epoch = result["lost"], result["epoch"]
    text = Text(
        f"the registry is accepted, with epoch {epoch}: {count} acts of the log are given up; doors and areas are open"
        " again to whom it allows",
        f"已接受登记库，版本 {epoch}：放弃日志中的 {count} 项操作；目录与门禁恢复按登记库判定",
    )
    if refused := len(result.get("proposals_refused", ())):
        en, zh = f"; what waited for a second hand is refused ({refused})", f"；待第二人确认的 {refused} 项已否决"
        text = Text(text.en + en, text.zh + zh)
    if "break_glass" in result:
        en, zh = "; the code of the break-glass is void: seal another one", "；封存的应急代码已作废，请重新封存"
        text = Text(text.en + en, text.zh + zh)
    return text


COMMANDS = (command("registry.show", _show), act("registry.accept", _accepted))

"""How the site is protected, in one sentence that never flatters.

Rules of this file: pure. "Enforcing" is said only when the agent says so of every area; whatever is not protected is
named first, in words. What nobody answered is said to be unknown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.presentation import backlog
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.keys.shape import ScreenPlace
from tui.render.cells import Piece, Toned, number

Status = dict[str, Any]

_BARS = "▁▂▃▄▅▆▇█"
# Where a finding is dealt with: the beginning of its code, and the place.
_REMEDIES = (
    ("observing", "areas"), ("no-areas", "areas"), ("area", "areas"), ("grant", "people"), ("record", "people"),
    ("pack", "rules"), ("unlogged", "log"), ("alarms", "rooms"), ("lockdown", "rooms"), ("board-cards", "rooms"),
    ("no-exit-reader", "rooms"), ("no-contact", "rooms"), ("wire", "rooms"), ("no-key", "rooms"), ("hr", "departures"),
    ("proposals", "proposals"),
    ("", "system"),
)  # fmt: skip


def sentence(status: Status, cases: int, verified: int) -> list[Piece]:
    """Return the sentence. ``verified``: up to which number the log is known to be in order, see :func:`verified`."""
    areas = status["areas"]
    bare = [row for row in areas if row["tier"] == "none"]
    watched = [row for row in areas if row["mode"] == "observe" and row not in bare]
    unseen = [row for row in areas if row not in bare and row not in watched and _state(row) != "seen"]
    pieces: list[Piece] = []
    if status.get("registry") == "older":
        closed = Text(
            "✗ EVERYTHING IS CLOSED: the registry lacks acts of the log (shoumi registry show)",
            "✗ 全部关闭：登记库缺少日志中的操作（shoumi registry show）",
        )
        pieces += [Toned(closed, "bad"), " · "]
    if status["enforcing"]:
        pieces += [Toned(_enforcing(status), "good"), " · ", _tier(status)]
    elif not areas:
        pieces.append(Toned(Text("✗ NOTHING IS PROTECTED: there is no area", "✗ 尚无任何防护：没有涉密目录"), "bad"))
    else:
        if bare:
            pieces.append(Toned(_named("✗ NOT PROTECTED", "✗ 未受保护", bare), "bad"))
        for said in (
            *_unseen(unseen),
            *([Toned(_named("! ONLY OBSERVED", "! 仅观察", watched), "warning")] * bool(watched)),
        ):
            pieces += [" · "] if pieces else []
            pieces.append(said)
        if not pieces:
            pieces.append(Toned(Text("✗ below the tier this site asks for", "✗ 低于本站要求的防护等级"), "bad"))
    pieces += [" · ", Text(f"{len(areas)} areas", f"目录 {len(areas)} 个")]
    if doors := status["doors"]:
        pieces += [" · ", Text(f"{doors} doors", f"门 {doors} 个")]
    pieces += [" · ", _log(status, verified)]
    if cases:
        pieces += [" · ", Text(f"{cases} cases open", f"在办离岗 {cases} 件")]
    if waiting := status.get("proposals"):
        second = Text(f"{waiting} wait for a second officer", f"{waiting} 项提议待第二人确认")
        pieces += [" · ", Toned(second, "warning")]
    if holds := status["holds"]:
        pieces += [" · ", Text(f"{holds} on hold", f"停权 {holds} 人")]
    if status.get("trial"):
        trial = Text("! TRIAL: root's one hand does everything", "! 试用：root 一人可办理一切")
        pieces += [" · ", Toned(trial, "warning")]
    if under_way := backlog.sentence(status["revocations"]):
        pieces += [" · ", under_way]
    return pieces


def verified(status: Status, known: int) -> int:
    """Return up to which number the log is in order: *known* here, or further, as the agent found by itself.

    0 when nobody has looked yet, or when what the agent found is not in order.
    """
    log = status.get("log") or {}
    return 0 if log.get("verify_trouble") else max(known, int(log.get("verified_to") or 0))


def waits(status: Status) -> list[Piece]:
    """Return how long opens wait in the guard, as the agent measures it; nothing where it does not say."""
    opens = status["decider"].get("opens")
    if not isinstance(opens, dict):
        return []
    half, most, count = opens.get("p50_us"), opens.get("p99_us"), number(int(opens.get("count") or 0))
    if half is None or most is None:
        return [Text("no open waited in the guard in the last minute", "近一分钟没有打开操作经过守护进程")]
    p50, p99 = _milliseconds(half), _milliseconds(most)
    return [
        Text(
            f"an open waits in the guard: p50 {p50} ms · p99 {p99} ms · {count} in the last minute",
            f"打开文件在守护进程中的等待：p50 {p50} 毫秒 · p99 {p99} 毫秒 · 近一分钟 {count} 次",
        )
    ]


def needs(found: Sequence[Finding], places: Mapping[str, ScreenPlace]) -> list[dict[str, Any]]:
    """Return what needs somebody, worst first: findings that are not good, and where each is dealt with."""
    order = {"serious": 0, "warning": 1}
    bad = sorted((finding for finding in found if finding.state in order), key=lambda one: order[one.state])
    return [
        {"id": number, "state": finding.state, "text": finding.text, "hint": finding.hint} | _remedy(finding, places)
        for number, finding in enumerate(bad)
    ]


def sparkline(values: Sequence[float]) -> str:
    """Return one bar for each of *values*, the highest as high as can be."""
    most = max(values, default=0)
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] if most else _BARS[0] for value in values)


def _log(status: Status, verified: int) -> Piece:
    """Return how far the log goes, and how much of that is known to be in order."""
    last = int(status["decider"].get("next_seq", 1)) - 1
    if trouble := (status.get("log") or {}).get("verify_trouble"):
        said = text_of(trouble)
        return Toned(
            Text(f"✗ THE LOG IS NOT IN ORDER: {said.en} (2, then v)", f"✗ 日志有误：{said.zh}（按 2，再按 v）"), "bad"
        )
    if not verified:
        return Text(f"log to #{number(last)}, not yet verified", f"日志至 #{number(last)}，尚未校验")
    more = Text(f" of #{number(last)}", f"（共至 #{number(last)}）") if last > verified else Text("", "")
    to = number(verified)
    return Text(f"log verified to #{to}{more.en}", f"日志已校验至 #{to}{more.zh}")


def _milliseconds(microseconds: float) -> str:
    """Return a span with two digits that count: ``0.21``, ``1.3``, ``140``."""
    span = microseconds / 1000
    return f"{span:.2f}" if span < 1 else f"{span:.1f}" if span < 10 else f"{span:.0f}"


def _enforcing(status: Status) -> Text:
    """Return that it enforces, and when that was last seen."""
    if not status.get("seen"):
        return Text("✓ enforcing", "✓ 强制防护")
    at = _clock(status["seen"])
    return Text(f"✓ enforcing, seen {at}", f"✓ 强制防护，证实于 {at}")


def _unseen(areas: Sequence[dict[str, Any]]) -> list[Toned]:
    """Return what is to be said of areas whose guard was not seen, or not for too long."""
    asking = [row for row in areas if _state(row) == "asking"]
    unknown = [row for row in areas if row not in asking]
    said = []
    if unknown:
        since = _clock(min(str(row["seen"]["since"]) for row in unknown))
        said.append(Toned(_named(f"✗ UNKNOWN since {since}", f"✗ 自 {since} 起未知", unknown), "bad"))
    if asking:
        said.append(Toned(_named("! NOT SEEN YET", "! 尚未证实", asking), "warning"))
    return said


def _state(row: dict[str, Any]) -> str:
    return str((row.get("seen") or {"state": "seen"})["state"])


def _clock(moment: str) -> str:
    return local(moment)[5:]


def _tier(status: Status) -> Text:
    return Text(f"tier {status['tier']}", f"等级 {status['tier']}")


def _named(en: str, zh: str, areas: Sequence[dict[str, Any]]) -> Text:
    names = ", ".join(visible(str(row["name"])) for row in areas[:3])
    more = f" +{len(areas) - 3}" if len(areas) > 3 else ""
    return Text(f"{en}: {names}{more}", f"{zh}：{names}{more}")


def _remedy(finding: Finding, places: Mapping[str, ScreenPlace]) -> dict[str, Any]:
    """Return the place where *finding* is dealt with, if there is a screen for it, and what to say of where."""
    name = next(place for prefix, place in _REMEDIES if finding.code.startswith(prefix))
    if place := places.get(name):
        return {"place": name, "where": Text(f"{place.key} {place.title.en}", f"{place.key} {place.title.zh}")}
    return {"place": "", "where": Text("enter: how", "回车：办法") if finding.hint else ""}

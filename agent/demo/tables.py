"""The tables of the story: why, a receipt's timeline, and the log.

Rules of this file: pure but for asking the site. What the log holds was written by strangers as well as by us; it is
shown through ``visible``.
"""

from collections.abc import Callable
from datetime import datetime

from agent.demo.cast import PLAYERS, DemoArea, Player
from agent.demo.site import DemoSite, Entry
from agent.presentation import terms
from rules.text import Text
from rules.visible import visible

_LAST = 18
_NAMES = {player.id: player.name for player in PLAYERS}
_VERDICTS = {"allow": Text("let in", "放行"), "deny": Text("refused", "拒绝")}
_ACTIONS = {"open": Text("opens", "打开"), "access": Text("reads on", "继续读取"), "list": Text("lists", "列目录")}
_ACTIONS |= {"enter": Text("enters", "进入"), "exit": Text("leaves", "离开")}
_NO_LOGIN = Text("no login", "未登录")
_NOTHING = Text("-", "-")
_ROOT = Text("root", "root")


def explanation(player: Player, place: DemoArea) -> Callable[[DemoSite], list[list[Text]]]:
    """Return the table that says why *player* may or may not open the document of *place*."""

    def table(site: DemoSite) -> list[list[Text]]:
        found = site.explain(player, place.document)
        clauses = visible(", ".join(found.clauses))
        return [
            [Text("question", "问题"), Text("answer", "回答")],
            [Text("verdict", "判定"), _VERDICTS.get(found.verdict, _plain(found.verdict))],
            [Text("rule", "规则"), _plain(found.rule)],
            [Text("clauses", "条款"), Text(clauses, clauses)],
            [Text("because", "原因"), found.because],
            [Text("what would change it", "如何改变"), found.change or _NOTHING],
        ]

    return table


def receipt(site: DemoSite) -> list[list[Text]]:
    """Return the timeline of the departure's receipt."""
    heading = [Text("what", "事项"), Text("when (UTC)", "时刻（UTC）"), Text("after receipt", "收到后")]
    return [heading, *([mark.what, _plain(mark.at), mark.after] for mark in site.proof().timeline)]


def log(site: DemoSite) -> list[list[Text]]:
    """Return the last entries of the story, oldest first."""
    heading = [
        Text("entry", "条目"),
        Text("time", "时间"),
        Text("who", "主体"),
        Text("login", "登录者"),
        Text("what", "事项"),
        Text("area", "目录"),
        Text("verdict", "判定"),
        Text("rule", "规则"),
    ]
    shown: list[list[Text]] = []
    first = 0
    for entry in site.entries():
        if entry.get("own"):
            continue
        row = _row(entry)
        if shown and shown[-1][2:] == row[2:]:  # the same again, as when a read is tried many times, is one line
            shown[-1][0] = _plain(f"{first}-{entry['seq']}")
        else:
            first = entry["seq"]
            shown.append(row)
    return [heading, *shown[-_LAST:]]


def _row(entry: Entry) -> list[Text]:
    at = datetime.fromisoformat(str(entry["time"])).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return [_plain(entry["seq"]), _plain(at), *_KINDS.get(str(entry["kind"]), _act)(entry)]


def _access(entry: Entry) -> list[Text]:
    uid = entry.get("fsuid", "?")
    who = _person(entry["person"]) if entry["person"] else _ROOT if uid == 0 else _plain(uid)
    login = _person(entry["login_person"]) if entry["login_person"] else _NO_LOGIN
    verdict = _VERDICTS[entry["verdict"]]
    return [
        who,
        login,
        _ACTIONS.get(entry["action"]) or _plain(entry["action"]),
        _plain(entry["area"] or "-"),
        verdict,
        _plain(entry["rule"]),
    ]


def _door(entry: Entry) -> list[Text]:
    who = _person(entry["person"]) if entry["person"] else _plain(entry["badge"] or "-")
    verdict = _VERDICTS[entry["verdict"]]
    return [who, _NOTHING, _ACTIONS[entry["action"]], _plain(entry["door"]), verdict, _plain(entry["rule"])]


def _at_door(entry: Entry) -> list[Text]:
    words = {**terms.ENTRIES, **terms.HAPPENINGS, **terms.RELEASES}
    what = terms.word(words, entry.get("what") or entry.get("released") or entry["kind"])
    return [Text("agent", "代理"), _NOTHING, what, _plain(entry.get("door") or "-"), _NOTHING, _NOTHING]


def _act(entry: Entry) -> list[Text]:
    args = entry.get("args", {})
    name = terms.word({**terms.ENTRIES, **terms.HAPPENINGS}, entry.get("act") or entry.get("what") or entry["kind"])
    about = args.get("person") or entry.get("person")
    person = _person(about) if isinstance(about, str) else Text("", "")
    what = Text(f"{name.en} {person.en}".strip(), f"{name.zh} {person.zh}".strip())
    outcome = terms.word({**terms.OUTCOMES, **terms.FILED}, entry.get("outcome", "-"))
    officer = Text("officer", "管理员") if "actor" in entry else Text("agent", "代理")
    return [officer, _NOTHING, what, _plain(args.get("area", "-")), outcome, _NOTHING]


_KINDS: dict[str, Callable[[Entry], list[Text]]] = {
    "access": _access,
    "door": _door,
    "door-released": _at_door,
    "door-alarm": _at_door,
    "door-event": _at_door,
}


def _person(ident: str) -> Text:
    return _NAMES.get(ident) or _plain(ident)


def _plain(value: object) -> Text:
    said = visible(str(value))
    return Text(said, said)

"""Tables of the story: an explanation, the timeline of a receipt, and the log.

Rules of this file: pure but for asking the site. Foreign text in the log is made visible by the catalogue.
"""

from collections.abc import Callable
from datetime import datetime

from agent.demo.cast import PLAYERS, DemoArea, Player
from agent.demo.site import DemoSite, Entry
from agent.presentation import terms
from rules.text import Message, Sentence, foreign

_LAST = 18
_NAMES = {player.id: player.name for player in PLAYERS}
_VERDICTS = {"allow": Message("demo.allowed"), "deny": Message("demo.denied")}
_ACTIONS = {"open": Message("demo.action-opens"), "access": Message("demo.reads"), "list": Message("demo.lists")}
_ACTIONS |= {"enter": Message("demo.enters"), "exit": Message("demo.leaves")}
_NO_LOGIN = Message("demo.no-login")
_NOTHING = foreign("-")
_ROOT = Message("common.root")


def explanation(player: Player, place: DemoArea) -> Callable[[DemoSite], list[list[Sentence]]]:
    """Return the table that explains the verdict on *player* and the document of *place*."""

    def table(site: DemoSite) -> list[list[Sentence]]:
        answer = site.explain(player, place.document)
        return [
            [Message("demo.question"), Message("demo.answer")],
            [Message("common.verdict"), _VERDICTS.get(answer.verdict, _plain(answer.verdict))],
            [Message("common.rule"), _plain(answer.rule)],
            [Message("common.clauses"), foreign(", ".join(answer.clauses))],
            [Message("demo.reason"), answer.because],
            [Message("demo.remedy"), answer.change or _NOTHING],
        ]

    return table


def receipt(site: DemoSite) -> list[list[Sentence]]:
    """Return the timeline of the receipt of the offboarding."""
    heading: list[Sentence] = [Message("common.event"), Message("demo.when-utc"), Message("common.after-receipt")]
    return [heading, *([mark.label, _plain(mark.at), mark.after] for mark in site.proof().timeline)]


def log(site: DemoSite) -> list[list[Sentence]]:
    """Return the last entries of the story, oldest first."""
    heading: list[Sentence] = [
        Message("common.entry"),
        Message("common.time"),
        Message("demo.subject"),
        Message("demo.login"),
        Message("common.event"),
        Message("common.area"),
        Message("common.verdict"),
        Message("common.rule"),
    ]
    rows: list[list[Sentence]] = []
    first = 0
    for entry in site.entries():
        if entry.get("own"):
            continue
        row = _row(entry)
        if rows and rows[-1][2:] == row[2:]:  # repeated rows, such as many attempts of one read, are one line
            rows[-1][0] = _plain(f"{first}-{entry['seq']}")
        else:
            first = entry["seq"]
            rows.append(row)
    return [heading, *rows[-_LAST:]]


def _row(entry: Entry) -> list[Sentence]:
    at = datetime.fromisoformat(str(entry["time"])).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return [_plain(entry["seq"]), _plain(at), *_KINDS.get(str(entry["kind"]), _act)(entry)]


def _access(entry: Entry) -> list[Sentence]:
    uid = entry.get("fsuid", "?")
    subject = _person(entry["person"]) if entry["person"] else _ROOT if uid == 0 else _plain(uid)
    login = _person(entry["login_person"]) if entry["login_person"] else _NO_LOGIN
    verdict = _VERDICTS[entry["verdict"]]
    return [
        subject,
        login,
        _ACTIONS.get(entry["action"]) or _plain(entry["action"]),
        _plain(entry["area"] or "-"),
        verdict,
        _plain(entry["rule"]),
    ]


def _door(entry: Entry) -> list[Sentence]:
    subject = _person(entry["person"]) if entry["person"] else _plain(entry["badge"] or "-")
    verdict = _VERDICTS[entry["verdict"]]
    return [subject, _NOTHING, _ACTIONS[entry["action"]], _plain(entry["door"]), verdict, _plain(entry["rule"])]


def _at_door(entry: Entry) -> list[Sentence]:
    labels = {**terms.ENTRIES, **terms.HAPPENINGS, **terms.RELEASES}
    label = terms.word(labels, entry.get("what") or entry.get("released") or entry["kind"])
    return [Message("demo.agent"), _NOTHING, label, _plain(entry.get("door") or "-"), _NOTHING, _NOTHING]


def _act(entry: Entry) -> list[Sentence]:
    args = entry.get("args", {})
    name = terms.word({**terms.ENTRIES, **terms.HAPPENINGS}, entry.get("act") or entry.get("what") or entry["kind"])
    about = args.get("person") or entry.get("person")
    person = _person(about) if isinstance(about, str) else None
    label = Message("common.beside", text=name, more=person) if person else name
    outcome = terms.word({**terms.OUTCOMES, **terms.FILED}, entry.get("outcome", "-"))
    officer = Message("demo.officer") if "actor" in entry else Message("demo.agent")
    return [officer, _NOTHING, label, _plain(args.get("area", "-")), outcome, _NOTHING]


_KINDS: dict[str, Callable[[Entry], list[Sentence]]] = {
    "access": _access,
    "door": _door,
    "door-released": _at_door,
    "door-alarm": _at_door,
    "door-event": _at_door,
}


def _person(ident: str) -> Sentence:
    return _NAMES.get(ident) or _plain(ident)


def _plain(field: object) -> Sentence:
    return foreign(str(field))

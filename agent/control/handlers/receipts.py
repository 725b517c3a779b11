"""Handlers: what a departure would end, receipts and the key that checks them, and how long revocations took."""

from agent.control.dispatch import HandlerRequest, Json, read
from agent.errors import RefusedError
from agent.offboard import database
from agent.offboard.intake import outbox
from agent.offboard.plan import Cause
from agent.offboard.progress import progress
from agent.offboard.receipt import receipt
from agent.offboard.receipt.page import report_page
from agent.offboard.receipt.signing import Signer, key_path
from agent.offboard.receipt.trends import lines, trends
from agent.offboard.receipt.verify import verify
from rules.offboarding.vocabulary import CaseKind
from rules.text import Language, Text
from rules.visible import visible

_LANGUAGES: tuple[Language, ...] = ("en", "zh")


@read("case.plan")
def _plan(ask: HandlerRequest) -> Json:
    """Of a person what a departure would end, whether or not there is a case; of a case what that case ends."""
    found, lists = ask.args.text("person"), ask.desk.lists
    try:
        lists.people.dossier(found)
    except RefusedError:
        case = lists.cases.get(found)
        return dict(ask.desk.survey(case.person, Cause.TRANSFER if case.kind is CaseKind.TRANSFER else Cause.DEPARTURE))
    return dict(ask.desk.survey(found, Cause.DEPARTURE))


@read("hold.plan")
def _hold_plan(ask: HandlerRequest) -> Json:
    person = ask.args.text("person")
    ask.desk.lists.people.dossier(person)
    return dict(ask.desk.survey(person, Cause.HOLD))


@read("case.receipt")
def _receipt(ask: HandlerRequest) -> Json:
    case = ask.desk.lists.cases.get(ask.args.text("person"))
    return _newest(ask, case.id, Text("see `shoumi case status`", "参见 `shoumi case status`"))


@read("case.progress")
def _progress(ask: HandlerRequest) -> Json:
    case, root = ask.desk.lists.cases.get(ask.args.text("person")), ask.desk.home.root
    rows = progress(database.path(root), case.id)
    return {
        "case": case.id,
        "person": case.person,
        "steps": [row._asdict() | {"title": row.title._asdict(), "detail": row.detail._asdict()} for row in rows],
        "receipt": bool(receipt.kept(receipt.receipts_folder(root), case.id)),
    }


@read("hold.receipt")
def _hold_receipt(ask: HandlerRequest) -> Json:
    found, lists = ask.args.text("person"), ask.desk.lists
    holds = [str(row["id"]) for row in lists.holds.find(found, lifted=True)]
    name = holds[-1] if holds else str(lists.holds.get(found)["id"])
    return _newest(ask, name, Text("see `shoumi hold list`", "参见 `shoumi hold list`"))


def _newest(ask: HandlerRequest, name: str, hint: Text) -> Json:
    root = ask.desk.home.root
    kept = receipt.kept(receipt.receipts_folder(root), name)
    if not kept:
        said = visible(name)
        raise RefusedError(Text(f"there is no receipt of `{said}` yet", f"`{said}` 尚无回执"), hint)
    signer = Signer.at(key_path(root))
    text = kept[-1].read_text(encoding="utf-8")
    report = verify(text.encode(), signer.public_pem())
    return {
        "case": name,
        "file": str(kept[-1]),
        "receipt": text,
        "page": {language: report_page(report, language) for language in _LANGUAGES},
        "public_key": signer.public_pem().decode("ascii"),
        "fingerprint": signer.fingerprint,
    }


@read("keys.show")
def _keys(ask: HandlerRequest) -> Json:
    root = ask.desk.home.root
    signer = Signer.at(key_path(root))
    jwks = outbox.public_jwks(root)
    return {"fingerprint": signer.fingerprint, "pem": signer.public_pem().decode("ascii"), "jwks": jwks}


@read("case.trends")
def _trends(ask: HandlerRequest) -> Json:
    root = ask.desk.home.root
    found = trends(receipt.receipts_folder(root), Signer.at(key_path(root)).public_pem())
    return {
        "receipts": found.receipts,
        "incomplete": found.incomplete,
        "bad": found.bad,
        "rows": [row._asdict() for row in found.rows],
        "page": {language: "\n".join(lines(found, language)) for language in _LANGUAGES},
    }

"""Handlers: what a departure would end, the receipts of those that happened, and how long they took."""

from agent.control.handling import Ask, Json, read
from agent.errors import Refused
from agent.offboard import receipt
from agent.offboard.signing import Signer, key_path
from agent.offboard.trends import trends
from rules.text import Text
from rules.visible import visible


@read("case.plan")
def _plan(ask: Ask) -> Json:
    person = ask.args.text("person")
    ask.desk.lists.dossier(person)
    return dict(ask.desk.survey(person))


@read("case.receipt")
def _receipt(ask: Ask) -> Json:
    case = ask.desk.lists.case(ask.args.text("person"))
    root = ask.desk.home.root
    kept = receipt.kept(receipt.receipts_folder(root), case.id)
    if not kept:
        said = visible(case.id)
        raise Refused(
            Text(f"there is no receipt of `{said}` yet", f"`{said}` 尚无回执"),
            Text("see `shoumi case status`", "参见 `shoumi case status`"),
        )
    signer = Signer.at(key_path(root))
    return {
        "case": case.id,
        "file": str(kept[-1]),
        "receipt": kept[-1].read_text(encoding="utf-8"),
        "public_key": signer.public_pem().decode("ascii"),
        "fingerprint": signer.fingerprint,
    }


@read("case.trends")
def _trends(ask: Ask) -> Json:
    root = ask.desk.home.root
    found = trends(receipt.receipts_folder(root), Signer.at(key_path(root)).public_pem())
    return {
        "receipts": found.receipts,
        "incomplete": found.incomplete,
        "bad": found.bad,
        "rows": [row._asdict() for row in found.rows],
    }

"""Handlers: what a departure would end, receipts and the key that checks them, and how long revocations took."""

import re

from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.errors import RefusedError
from agent.offboard import database
from agent.offboard.intake import outbox
from agent.offboard.plan import Cause
from agent.offboard.progress import progress, waiting
from agent.offboard.receipt import receipt
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.page import report_page
from agent.offboard.receipt.signing import Signer, fingerprint_of, key_path
from agent.offboard.receipt.trends import lines, trends
from agent.offboard.receipt.verify import verify
from rules.text import Language, Text
from rules.visible import visible

handlers = HandlerTable()

_RUN = re.compile(r"[GL]\d+")  # a grant that ran out, a loss by an act: they have no case
_LANGUAGES: tuple[Language, ...] = ("en", "zh")


@handlers.read("case.plan")
def _plan(request: HandlerRequest) -> Json:
    """Of a person what a departure would end, whether or not there is a case; of a case what that case ends."""
    found, lists = request.args.text("person"), request.site.lists
    try:
        lists.people.dossier(found)
    except RefusedError:
        case = lists.cases.get(found)
        cause = Cause.TRANSFER if case.kind.passes else Cause.DEPARTURE
        return request.services.offboarding.survey(case.person, cause)
    return request.services.offboarding.survey(found, Cause.DEPARTURE)


@handlers.read("hold.plan")
def _hold_plan(request: HandlerRequest) -> Json:
    person = request.args.text("person")
    request.site.lists.people.dossier(person)
    return request.services.offboarding.survey(person, Cause.HOLD)


@handlers.read("case.receipt")
def _receipt(request: HandlerRequest) -> Json:
    found, hint = request.args.text("person"), Text("see `shoumi case status`", "参见 `shoumi case status`")
    try:
        name = request.site.lists.cases.get(found).id
    except RefusedError:
        folder = receipt.receipts_folder(request.site.home.root)
        if not (_RUN.fullmatch(found) and receipt.kept(folder, found)):
            raise
        name = found
    return _newest(request, name, hint)


@handlers.read("case.progress")
def _progress(request: HandlerRequest) -> Json:
    case, root = request.site.lists.cases.get(request.args.text("person")), request.site.home.root
    rows = progress(database.path(root), case.id)
    return {
        "case": case.id,
        "person": case.person,
        "steps": [row._asdict() | {"title": row.title.to_json(), "detail": row.detail.to_json()} for row in rows],
        "receipt": bool(receipt.kept(receipt.receipts_folder(root), case.id)),
        "revocations": waiting(database.path(root)).to_json(),
    }


@handlers.read("hold.receipt")
def _hold_receipt(request: HandlerRequest) -> Json:
    found, lists = request.args.text("person"), request.site.lists
    holds = [str(row["id"]) for row in lists.holds.find(found, lifted=True)]
    name = holds[-1] if holds else str(lists.holds.get(found)["id"])
    return _newest(request, name, Text("see `shoumi hold list`", "参见 `shoumi hold list`"))


def _newest(request: HandlerRequest, name: str, hint: Text) -> Json:
    root = request.site.home.root
    kept = receipt.kept(receipt.receipts_folder(root), name)
    if not kept:
        said = visible(name)
        raise RefusedError(Text(f"there is no receipt of `{said}` yet", f"`{said}` 尚无回执"), hint)
    text = kept[-1].read_text(encoding="utf-8")
    public = KeyRing(root).public_of(text.encode())
    report = verify(text.encode(), public)
    return {
        "case": name,
        "file": str(kept[-1]),
        "receipt": text,
        "page": {language: report_page(report, language) for language in _LANGUAGES},
        "public_key": public.decode("ascii"),
        "fingerprint": fingerprint_of(public),
    }


@handlers.read("keys.show")
def _keys(request: HandlerRequest) -> Json:
    root, asked = request.site.home.root, request.args.text("fingerprint")
    ring = KeyRing(root)
    signer = Signer.at(key_path(root))
    wanted = [one for one in {*ring.fingerprints(), signer.fingerprint} if asked and one.startswith(asked.lower())]
    if asked and len(wanted) != 1:
        said = visible(asked)
        raise RefusedError(
            Text(
                f"not one key has the fingerprint `{said}`, but {len(wanted)}",
                f"指纹为 `{said}` 的密钥有 {len(wanted)} 把",
            ),
            Text("those there are: shoumi keys show --json", "全部指纹：shoumi keys show --json"),
        )
    public = ring.public(wanted[0]) if wanted else None
    public = public or signer.public_pem()
    return {
        "fingerprint": fingerprint_of(public),
        "pem": public.decode("ascii"),
        "jwks": outbox.public_jwks(root),
        "earlier": [one for one in ring.fingerprints() if one != signer.fingerprint],
    }


@handlers.read("case.trends")
def _trends(request: HandlerRequest) -> Json:
    root = request.site.home.root
    found = trends(receipt.receipts_folder(root), KeyRing(root).public_of)
    return {
        "receipts": found.receipts,
        "incomplete": found.incomplete,
        "bad": found.bad,
        "rows": [row._asdict() for row in found.rows],
        "page": {language: "\n".join(lines(found, language)) for language in _LANGUAGES},
    }

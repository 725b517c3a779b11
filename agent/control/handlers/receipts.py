"""Handlers: plans of revocations, receipts, signing keys, progress, and statistics."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.control.offboarding.hr_reply import payload_of
from agent.errors import RefusedError
from agent.offboard import database
from agent.offboard.intake import outbox
from agent.offboard.plan import Cause
from agent.offboard.progress import progress
from agent.offboard.receipt import receipt
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.page import report_page
from agent.offboard.receipt.signing import Signer, fingerprint_of, key_path
from agent.offboard.receipt.trends import lines, trends
from agent.offboard.receipt.verify import verify
from rules.text import Language, Message, Sentence
from rules.visible import visible

handlers = HandlerTable()

_NUMBER = re.compile(r"[GHL][0-9]{6,}")
_NAMED = 5
_LANGUAGES: tuple[Language, ...] = ("en", "zh")


@handlers.read("case.plan")
def _plan(request: HandlerRequest) -> Json:
    """Return the plan of a departure for a person, or the plan of a case for its number."""
    named, lists = request.args.text("person"), request.site.lists
    try:
        lists.people.dossier(named)
    except RefusedError:
        case = lists.cases.get(named)
        cause = Cause.TRANSFER if case.kind.passes else Cause.DEPARTURE
        return request.services.offboarding.survey(case.person, cause)
    return request.services.offboarding.survey(named, Cause.DEPARTURE)


@handlers.read("hold.plan")
def _hold_plan(request: HandlerRequest) -> Json:
    person = request.args.text("person")
    request.site.lists.people.dossier(person)
    return request.services.offboarding.survey(person, Cause.HOLD)


@handlers.read("case.receipt")
def _receipt(request: HandlerRequest) -> Json:
    """Return the receipt of a run, by its number, or of the case of a person."""
    named, lists = request.args.text("person"), request.site.lists
    finders = {"H": lists.holds.get, "G": lists.grants.get, "L": lists.losses.get}
    if _NUMBER.fullmatch(named) and not _registered(request, named):
        finders[named[0]](named)
        return _newest(request, named, Message("control.wait-for-receipt", run=named))  # fmt: skip
    try:
        case = lists.cases.get(named)
    except RefusedError as none:
        raise _other_receipts(request, named) or none from None
    shown_name = visible(named)
    return _newest(request, case.id, Message("control.see-case-status", person=shown_name))


def _other_receipts(request: HandlerRequest, person: str) -> RefusedError | None:
    """Return the error that lists the receipts of *person*, who has no case; ``None`` without receipts."""
    names, shown_person = list(_receipts_about(request, person)), visible(person)
    if not names:
        return None
    listed, last = ", ".join(names[-_NAMED:]), names[-1]
    return RefusedError(
        Message("control.no-case-but-receipts", person=shown_person, receipts=listed),
        Message("control.see-receipts", person=shown_person, receipt=last),
    )  # fmt: skip


@handlers.stream("case.receipts")
def _receipts(request: HandlerRequest) -> Iterator[Json]:
    """Yield the newest receipt of each run about a person, in the order they were issued."""
    person = request.args.text("person")
    request.site.lists.people.dossier(person)
    return iter([_row(name, path) for name, path in _receipts_about(request, person).items()])


def _receipts_about(request: HandlerRequest, person: str) -> dict[str, Path]:
    """Return the newest receipt of each run about *person*, by run number, in order of issue."""
    lists = request.site.lists
    names = {case.id for case in lists.cases.find(person, over=True)}
    for rows in (lists.holds.find(person, lifted=True), lists.losses.of_person(person), lists.grants.of_person(person)):
        names |= {str(row["id"]) for row in rows}
    paths = receipt.kept(receipt.receipts_folder(request.site.home.root))
    newest = {name: path for path in paths if (name := receipt.case_of(path)) in names}
    return dict(sorted(newest.items(), key=lambda pair: pair[1].stat().st_mtime_ns))


def _row(name: str, path: Path) -> Json:
    """Return the summary of a receipt; one that cannot be read is listed by name only."""
    row: dict[str, Json] = {"case": name, "file": str(path)}
    try:
        payload = payload_of(path.read_bytes())
        return row | {
            "issued": payload["issued"],
            "cause": payload["cause"],
            "act": payload.get("act", ""),
            "areas": [loss["area"] for loss in payload.get("lost", ())],
            "complete": payload["complete"],
        }
    except (OSError, ValueError, KeyError, TypeError):
        return row | {"issued": None, "cause": None, "act": "", "areas": [], "complete": None}


def _registered(request: HandlerRequest, name: str) -> bool:
    with suppress(RefusedError):
        request.site.lists.people.dossier(name)
        return True
    return False


@handlers.read("case.progress")
def _progress(request: HandlerRequest) -> Json:
    case, root = request.site.lists.cases.get(request.args.text("person")), request.site.home.root
    rows = progress(database.path(root), case.id)
    return {
        "case": case.id,
        "person": case.person,
        "steps": [row._asdict() | {"title": row.title.to_json(), "detail": row.detail.to_json()} for row in rows],
        "receipt": bool(receipt.kept(receipt.receipts_folder(root), case.id)),
        "revocations": request.services.offboarding.backlog().to_json(),
    }


@handlers.read("hold.receipt")
def _hold_receipt(request: HandlerRequest) -> Json:
    named, lists = request.args.text("person"), request.site.lists
    holds = [str(row["id"]) for row in lists.holds.find(named, lifted=True)]
    if not holds and _registered(request, named):
        shown_name = visible(named)
        raise RefusedError(
            Message("control.no-hold-recorded", person=shown_name),
            Message("control.see-other-receipts", person=shown_name),
        )
    name = holds[-1] if holds else str(lists.holds.get(named)["id"])
    return _newest(request, name, Message("control.see-hold-list"))


def _newest(request: HandlerRequest, name: str, hint: Sentence) -> Json:
    root = request.site.home.root
    paths = receipt.kept(receipt.receipts_folder(root), name)
    if not paths:
        shown_name = visible(name)
        raise RefusedError(Message("control.no-receipt", name=shown_name), hint)
    text = paths[-1].read_text(encoding="utf-8")
    public = KeyRing(root).public_of(text.encode())
    report = verify(text.encode(), public)
    return {
        "case": name,
        "file": str(paths[-1]),
        "receipt": text,
        "page": {language: report_page(report, language) for language in _LANGUAGES},
        "public_key": public.decode("ascii"),
        "fingerprint": fingerprint_of(public),
    }


@handlers.read("keys.show")
def _keys(request: HandlerRequest) -> Json:
    root, prefix = request.site.home.root, request.args.text("fingerprint")
    ring = KeyRing(root)
    signer = Signer.at(key_path(root))
    wanted = [
        fingerprint
        for fingerprint in {*ring.fingerprints(), signer.fingerprint}
        if prefix and fingerprint.startswith(prefix.lower())
    ]
    if prefix and len(wanted) != 1:
        shown_prefix = visible(prefix)
        raise RefusedError(
            Message("control.key-not-unique", fingerprint=shown_prefix, count=len(wanted)),
            Message("control.list-keys"),
        )
    public = ring.public(wanted[0]) if wanted else None
    public = public or signer.public_pem()
    return {
        "fingerprint": fingerprint_of(public),
        "pem": public.decode("ascii"),
        "jwks": outbox.public_jwks(root),
        "earlier": [fingerprint for fingerprint in ring.fingerprints() if fingerprint != signer.fingerprint],
    }


@handlers.read("case.trends")
def _trends(request: HandlerRequest) -> Json:
    root = request.site.home.root
    summary = trends(receipt.receipts_folder(root), KeyRing(root).public_of)
    return {
        "receipts": summary.receipts,
        "incomplete": summary.incomplete,
        "bad": summary.bad,
        "rows": [row._asdict() for row in summary.rows],
        "page": {language: "\n".join(lines(summary, language)) for language in _LANGUAGES},
    }

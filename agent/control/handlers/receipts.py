"""Handlers: what a departure would end, receipts and the key that checks them, and how long revocations took."""

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
from rules.text import Language, Text
from rules.visible import visible

handlers = HandlerTable()

_NUMBER = re.compile(r"[GHL][0-9]{6,}")
_NAMED = 5
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
    """Return that of a run, by its number, or of the case of a person."""
    asked, lists = request.args.text("person"), request.site.lists
    known = {"H": lists.holds.get, "G": lists.grants.get, "L": lists.losses.get}
    if _NUMBER.fullmatch(asked) and not _registered(request, asked):
        known[asked[0]](asked)
        return _newest(request, asked, Text(f"wait for it: shoumi case receipt {asked} --wait",
                                            f"等待签发：shoumi case receipt {asked} --wait"))  # fmt: skip
    try:
        case = lists.cases.get(asked)
    except RefusedError as none:
        raise _others(request, asked) or none from None
    said = visible(asked)
    return _newest(request, case.id, Text(f"see `shoumi case status {said}`", f"参见 `shoumi case status {said}`"))


def _others(request: HandlerRequest, person: str) -> RefusedError | None:
    """Return which receipts there are of *person*, who has no case: none of them is taken for that of another run."""
    names, said = list(_kept(request, person)), visible(person)
    if not names:
        return None
    some, last = ", ".join(names[-_NAMED:]), names[-1]
    return RefusedError(
        Text(f"`{said}` has no case, but receipts: {some}", f"`{said}` 没有离岗办理，但有回执：{some}"),
        Text(f"all: shoumi case receipts {said}; one: shoumi case receipt {last}",
             f"全部：shoumi case receipts {said}；其一：shoumi case receipt {last}"),
    )  # fmt: skip


@handlers.stream("case.receipts")
def _receipts(request: HandlerRequest) -> Iterator[Json]:
    """Yield the newest receipt of each run about a person, in the order they were issued."""
    person = request.args.text("person")
    request.site.lists.people.dossier(person)
    return iter([_row(name, path) for name, path in _kept(request, person).items()])


def _kept(request: HandlerRequest, person: str) -> dict[str, Path]:
    """Return the newest receipt of each run about *person*, by the number of the run, the last one issued last."""
    lists = request.site.lists
    names = {case.id for case in lists.cases.find(person, over=True)}
    for rows in (lists.holds.find(person, lifted=True), lists.losses.of_person(person), lists.grants.of_person(person)):
        names |= {str(row["id"]) for row in rows}
    paths = receipt.kept(receipt.receipts_folder(request.site.home.root))
    found = {name: path for path in paths if (name := receipt.case_of(path)) in names}
    return dict(sorted(found.items(), key=lambda one: one[1].stat().st_mtime_ns))


def _row(name: str, path: Path) -> Json:
    """Return what a receipt says in short. One that cannot be read is named all the same."""
    row: dict[str, Json] = {"case": name, "file": str(path)}
    try:
        said = payload_of(path.read_bytes())
        return row | {
            "issued": said["issued"],
            "cause": said["cause"],
            "act": said.get("act", ""),
            "areas": [one["area"] for one in said.get("lost", ())],
            "complete": said["complete"],
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
    found, lists = request.args.text("person"), request.site.lists
    holds = [str(row["id"]) for row in lists.holds.find(found, lifted=True)]
    if not holds and _registered(request, found):
        said = visible(found)
        raise RefusedError(
            Text(f"`{said}` was never on hold", f"`{said}` 从未被停权"),
            Text(f"other receipts: shoumi case receipts {said}", f"其他回执：shoumi case receipts {said}"),
        )
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

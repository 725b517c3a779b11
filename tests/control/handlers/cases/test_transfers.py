"""A transfer ends access as a departure does, and gives way to a departure."""

from agent.control.offboarding.triggers import trigger_of
from agent.offboard.plan import Cause
from rules.model import Scope
from tests.control.office import Office, notice
from tests.control.site import Site
from tests.sentences import en


def test_a_transferred_person_starts_anew_when_the_case_is_closed(office: Office) -> None:
    office.approved(kind="transfer", department="archive", post="keeper")
    assert office.verdict().rule == "departure"
    office.do("case.cool-off", none=True, reason="stays with secrets")
    office.do("case.hand-over", line="x") if office.do("case.show")["items"] else None
    office.takes_over("E7")
    office.do("case.close")
    assert office.verdict().rule == "scope"
    dossier = office.site.lists.people.dossier("E1")
    assert (dossier["department"], dossier["post"]) == ("archive", "keeper")
    with office.services.registry.change(office.site.now()) as change:
        change.people.set("E1", department="rd")
    assert office.verdict().rule == "grant"


def test_who_is_transferred_leaves_the_named_circles_and_the_projects_with_the_last_approval(
    office: Office, fresh: Site
) -> None:
    with office.services.registry.change(office.site.now()) as change:
        change.people.set("E1", projects=["甲"])
        change.areas.set("plans", scope=Scope(persons=frozenset({"E1", "E2"}), projects=frozenset({"甲"})))
    office.approved(kind="transfer", post="keeper")
    [entry] = fresh.entries(act="case.approve")
    assert entry["args"]["circles_left"] == ["plans"]  # type: ignore[index]
    person = office.site.facts.facts(["E1"], "plans")[1].persons["E1"]
    case = office.site.lists.cases.get("E1")
    assert (person.projects, person.post_changed_at) == (frozenset(), case.ended_at)
    office.do("case.cool-off", none=True, reason="x")
    office.takes_over("E7")
    office.do("case.close")
    assert office.verdict().rule == "scope"


def test_a_transfer_that_says_not_where_it_leads_ends_access_all_the_same(office: Office) -> None:
    assert notice(office, "E2", kind="transfer")["step"] == "approved"
    assert office.verdict().rule == "departure"


def test_who_leaves_after_a_transfer_is_gone_by_a_case_of_its_own(office: Office) -> None:
    notice(office, "E2", kind="transfer", post="archivist")
    assert notice(office, "E2", kind="transfer")["already"]
    left = notice(office, "E2", kind="resignation", reference="HR-8")
    assert (left["case"], left["step"], left["revoked"]) == ("C000002", "approved", True)
    assert office.verdict().rule == "departure"
    assert [(case["kind"], case["step"]) for case in office.do("case.list", person="", all=True)] == [
        ("transfer", "closed"),
        ("resignation", "approved"),
    ]
    assert notice(office, "E2", kind="transfer")["already"]


def transferred(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31", kind="transfer", post="archivist")
    while office.do("case.status")["step"] != "approved":
        left = [place["role"] for place in office.do("case.show")["approvals"] if not place["by"]]
        office.do("case.approve", by=f"E{7 - len(left)}")


def test_an_officer_opens_a_departure_beside_a_transfer_which_goes_on_until_the_last_approval_overtakes_it(
    company: Office, fresh: Site
) -> None:
    transferred(company)
    assert company.do("case.open", last_day="2099-12-31")["case"] == "C000002"
    assert (company.do("case.status")["case"], company.verdict().rule) == ("C000002", "departure")
    company.do("case.educate", person="C000001")
    for approver in ("E2", "E3", "E4", "E5"):
        assert "overtakes" not in company.do("case.approve", by=approver)
        assert company.do("case.status", person="C000001")["step"] == "approved"
        assert company.verdict().rule == "departure"
    assert company.do("case.approve", by="E6")["overtakes"] == "C000001"
    [*_, entry] = fresh.entries(act="case.approve", outcome="done")
    assert entry["args"]["overtakes"] == "C000001"  # type: ignore[index]
    assert company.verdict().rule == "departure"
    [transfer, leaves] = company.do("case.list", person="", all=True)
    assert (transfer["step"], transfer["owed"], transfer["next"]) == ("closed", [], [])
    assert company.do("case.show", person="C000001")["closed"]["reason"] == "resignation"
    assert (leaves["step"], len(leaves["owed"])) == ("approved", 5)


def test_a_transfer_that_is_closed_ends_nothing_more_and_until_then_is_shown_where_a_grant_ended(
    office: Office,
) -> None:
    transferred(office)
    running = trigger_of(office.site, "C000001")
    assert (running.cause, running.tries, running.over) == (Cause.TRANSFER, {"plans"}, None)
    office.do("case.cool-off", none=True, reason="x")
    office.takes_over("E7")
    office.do("case.close")
    office.do("grant.add", area="plans", reason="new post")
    assert office.verdict().allow
    closed = trigger_of(office.site, "C000001")
    assert closed.over
    assert "closed" in en(closed.over)


def test_who_goes_without_leave_overtakes_his_transfer_at_once(office: Office) -> None:
    transferred(office)
    assert office.do("case.open", last_day="2099-12-31", kind="unauthorised")["overtakes"] == "C000001"
    assert [case["case"] for case in office.do("case.list", person="")] == ["C000002"]
    assert office.told[-1][0] == "C000002"


def test_a_departure_that_was_not_approved_leaves_the_transfer_as_it_was(office: Office) -> None:
    transferred(office)
    office.do("case.open", last_day="2099-12-31")
    office.do("case.rescind", reason="he stays")
    status = office.do("case.status")
    assert (status["case"], status["step"], office.verdict().rule) == ("C000001", "approved", "departure")

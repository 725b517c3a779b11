"""A case from its notice until it is closed, asked of the agent and on the command line."""

import json
from datetime import timedelta

import pytest

from agent.cli.__main__ import main
from agent.errors import RefusedError, UsageError
from tests.control.office import Office
from tests.control.site import Site


def test_from_notice_to_the_end_of_the_cooling_off_period(company: Office) -> None:
    company.do("case.open", last_day="2099-12-31", reason="退休", kind="retirement", reference="HR-1")
    for by in ("E2", "E3", "E4", "E5", "E6"):
        company.do("case.approve", by=by)
    company.do("case.add-line", line="laptop", what="笔记本电脑", to="信息科技部")
    lines = [item["key"] for item in company.do("case.show")["items"]]
    assert lines == [
        "work", "papers", "passwords", "badge", "keys", "devices", "media", "badge-4660", "custody-plans", "laptop",
    ]  # fmt: skip
    for line in lines[1:]:
        company.do("case.hand-over", line=line, by="E7")
    company.do("case.educate")
    company.do("case.exam", failed=True)
    company.do("case.exam")
    for document in ("agreement", "pledge", "bilateral"):
        company.do("case.sign", document=document)
    with pytest.raises(UsageError):
        company.do("case.cool-off")
    company.do("case.cool-off", until=(company.site.now() + timedelta(days=30)).isoformat())
    assert company.verdict().rule == "cooling-off"
    with pytest.raises(RefusedError, match=r"departure.duties-owed.*hand-over"):
        company.do("case.papers")
    company.do("case.hand-over", line="work")
    with pytest.raises(RefusedError, match=r"departure.responsibilities-remain.*departure.still-custodian.*plans"):
        company.do("case.papers")
    company.takes_over("E7")
    company.do("case.papers")
    with pytest.raises(RefusedError, match=r"departure.period-runs-until"):
        company.do("case.close")
    company.later(days=30)
    assert company.do("case.close")["step"] == "closed"
    assert company.verdict().rule == "departure"
    assert company.do("case.list", person="") == []
    assert [row["step"] for row in company.do("case.list", person="", all=True)] == ["closed"]
    shown = json.loads(json.dumps(company.do("case.show", "C000001")))
    assert (shown["kind"], shown["reason"], shown["reference"]) == ("retirement", "退休", "HR-1")
    assert [exam["passed"] for exam in shown["exams"]] == [False, True]
    assert shown["items"][0]["done_by"] == "E8"
    assert (shown["owed"], shown["next"]) == ([], [])


def test_a_day_that_is_none_is_usage(office: Office) -> None:
    with pytest.raises(UsageError, match=r"control.day-invalid.*last_day"):
        office.do("case.open", last_day="soon")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_line_of_the_design_works_as_written(
    fresh: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("SHOUMI_LANG", language)

    def shoumi(*words: str) -> tuple[int, str, str]:
        code = main(["--home", str(fresh.home.root), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    fresh.start_control()
    shoumi("person", "add", "E1001", "--name", "张三")
    assert shoumi("case", "open", "E1001", "--last-day", "2026-12-31")[0] == 0
    code, out, _ = shoumi("case", "status", "E1001")
    assert code == 0
    assert "shoumi case approve E1001 --as officer" in out
    code, out, _ = shoumi("case", "approve", "E1001", "--as", "officer")
    assert (code, {"en": "access ended", "zh": "权限已收回"}[language] in out) == (0, True)
    assert {"en": " ms", "zh": " 毫秒"}[language] in out
    code, out, err = shoumi("case", "papers", "E1001")
    assert (code, out) == (1, "")
    assert {"en": "hint: papers and closing come last", "zh": "提示：退工材料与办结在最后"}[language] in err
    assert shoumi("case", "cool-off", "E1001", "--none", "--reason", "x")[0] == 0
    assert shoumi("case", "papers", "E1001")[0] == 0
    for page in (("show", "E1001"), ("status", "C000001"), ("list",)):
        code, out, err = shoumi("case", *page)
        assert (code, err) == (0, "")
        assert "C000001" in out
        code, out, _ = shoumi("case", *page, "--json")
        assert code == 0
        assert json.loads(out)["step"] == "papers"
    code, out, _ = shoumi("case", "close", "E1001", "--json")
    assert json.loads(out)["step"] == "closed"
    code, _, err = shoumi("case", "list")
    assert {"en": "no offboarding cases", "zh": "没有离岗离职办理"}[language] in err


def test_the_plan_of_a_case_is_asked_for_by_person_or_by_number(fresh: Site) -> None:
    fresh.start_control()
    with fresh.client() as agent:
        agent.call("person.add", person="E7", name="钱七")
        case = agent.call("case.open", person="E7", last_day="2099-12-31")["case"]
        assert agent.call("case.plan", person=case) == agent.call("case.plan", person="E7")
        with pytest.raises(RefusedError):
            agent.call("case.plan", person="C999999")

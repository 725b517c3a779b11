"""The log at the end of the demo: every entry it leaves out is said to be, and a person reads words and no codes."""

from typing import Any, cast

from agent.demo import tables
from agent.demo.cast import ZHOU
from agent.demo.site import DemoSite, Entry
from agent.demo.story import STORY
from rules.text import Text
from tests.sentences import en, zh

AT = {"time": "2026-03-02T12:00:00.000000+00:00"}


class Kept:
    """A site that has only a log."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self._entries = [{**AT, "seq": number, **entry} for number, entry in enumerate(entries, 1)]

    def entries(self) -> list[Entry]:
        return self._entries


def rows(*entries: dict[str, Any]) -> list[list[Text]]:
    return tables.log(cast("DemoSite", Kept(*entries)))[1:]


def opened(rule: str, **more: Any) -> dict[str, Any]:
    who = {"fsuid": 7, "person": ZHOU.id, "login_person": ZHOU.id}
    return {"kind": "access", "action": "open", "area": "drawings", "verdict": "deny", "rule": rule, **who, **more}


def test_what_is_the_same_again_is_one_line_that_says_from_where_to_where() -> None:
    step = {"kind": "revocation", "person": ZHOU.id}
    shown = rows(opened("level"), step, step, step, opened("hold"), opened("hold"))
    assert [en(row[0]) for row in shown] == ["1", "2-4", "5-6"]


def test_the_agent_s_own_attempts_are_left_out_and_the_title_says_so() -> None:
    shown = rows(opened("level"), opened("level", own="departure"), opened("level"), opened("hold"))
    assert [en(row[0]) for row in shown] == ["1-3", "4"]
    titles = [scene.title for scene in STORY if scene.table is tables.log]
    assert [("the agent's proof attempts" in en(title), "探针，即守护服务" in zh(title)) for title in titles] == [
        (True, True)
    ]


def test_a_chinese_reader_meets_no_code_of_an_entry() -> None:
    shown = rows(
        {"kind": "hr-event", "person": ZHOU.id, "outcome": "accepted"},
        {"kind": "revocation", "person": ZHOU.id},
        {"kind": "receipt", "person": ZHOU.id},
        {"kind": "door-released", "door": "archive", "released": "used"},
        {"kind": "door-event", "what": "open"},
        {"kind": "door-event", "what": "close"},
    )
    assert [(zh(row[4]), zh(row[6])) for row in shown] == [
        ("人事通知 周九", "已接收"),
        ("权限收回 周九", "-"),
        ("回执 周九", "-"),
        ("已通过", "-"),
        ("已打开", "-"),
        ("已关闭", "-"),
    ]

"""Cast of the demo: seven people, four areas and the records they need, with the acts that enter them.

Rules of this file: pure. Names are Chinese; identifiers are as an officer would type them. The rules in force are the
shipped pack ``company``, so everyone has the records it requires; those of one person have expired.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from agent.language.catalogue import localized
from rules.model import Level
from rules.text import Message, Sentence, foreign

PACK = "company"
DOMAIN = "commercial"

RESEARCH, SALES, OFFICE = "研发部", "市场部", "总经办"
_PAPERS = (("vetting", 300), ("training", 60), ("exam", 59), ("responsibility", 58))  # record kind, days ago
_LAPSED = (("vetting", 500), ("training", 400), ("exam", 399), ("responsibility", 58))


@dataclass(frozen=True, slots=True)
class Player:
    """One person. ``number`` counts from 0; the uid is the site's first free one plus this."""

    number: int
    id: str
    name: Sentence
    department: str
    level: Level
    papers: tuple[tuple[str, int], ...] = _PAPERS

    @property
    def caption(self) -> Sentence:
        """Name and level, for a line of the story."""
        return Message("common.with-note", text=self.name, more=self.level.text)


@dataclass(frozen=True, slots=True)
class DemoArea:
    """One area: its directory on the volume, its level, its need-to-know scope, and its documents (name, content)."""

    id: str
    folder: str
    level: Level
    departments: tuple[str, ...]
    documents: tuple[str, ...]
    persons: tuple[str, ...] = ()
    granted: tuple[Player, ...] = ()

    @property
    def document(self) -> str:
        """The document that the story uses, relative to the volume."""
        return f"{self.folder}/{self.documents[0]}"

    @property
    def caption(self) -> Sentence:
        """Name and level, for a line of the story."""
        return Message("common.with-note", text=foreign(f"`{self.folder}`"), more=self.level.text)


ZHANG = Player(0, "E1001", Message("demo.zhang-san"), RESEARCH, Level.SECRET)
LI = Player(1, "E1002", Message("demo.li-si"), RESEARCH, Level.INTERNAL)
WANG = Player(2, "E1003", Message("demo.wang-wu"), SALES, Level.SECRET)
ZHAO = Player(3, "E1004", Message("demo.zhao-liu"), RESEARCH, Level.SECRET, _LAPSED)
QIAN = Player(4, "E1005", Message("demo.qian-qi"), RESEARCH, Level.INTERNAL)
SUN = Player(5, "E1006", Message("demo.sun-ba"), OFFICE, Level.TOP_SECRET)
ZHOU = Player(6, "E1007", Message("demo.zhou-jiu"), RESEARCH, Level.SECRET)
PLAYERS = (ZHANG, LI, WANG, ZHAO, QIAN, SUN, ZHOU)

HANDBOOK = DemoArea("handbook", "员工手册", Level.INTERNAL, (RESEARCH, SALES, OFFICE), ("考勤制度.txt", "报销办法.txt"))
QUOTES = DemoArea("quotes", "供应商报价", Level.CONFIDENTIAL, (RESEARCH,), ("甲供应商报价单.txt", "比价记录.txt"))
DRAWINGS = DemoArea(
    "drawings",
    "涡轮图纸",
    Level.SECRET,
    (RESEARCH,),
    ("叶片图纸.txt", "轴承公差.txt", "试验记录.txt"),
    persons=(SUN.id,),
    granted=(ZHANG, WANG, ZHAO, SUN, ZHOU),
)
MERGER = DemoArea("merger", "并购方案", Level.TOP_SECRET, (OFFICE,), ("并购方案讨论稿.txt",), granted=(SUN,))
PLACES = (HANDBOOK, QUOTES, DRAWINGS, MERGER)

EXCHANGE = "公共交换"  # a directory on the same volume, outside all areas, writable by everyone


def content(place: DemoArea, document: str) -> str:
    """Return the text of a document: a level line and sample lines."""
    return (
        f"{document}\n密级：{localized(place.level.text, 'zh')} / {localized(place.level.text, 'en')}\n"
        + "样例文本，仅供演示。\n" * 20
    )


class LossAct(Enum):
    """The act by which a person loses the drawings."""

    GRANT = "grant.end"
    LIST = "person.import"


@dataclass(frozen=True, slots=True)
class OfficerAct:
    """One act of an officer, by its name on the control socket (``grant.add``), with its arguments."""

    name: str
    args: dict[str, Any]


def registration(uid: int, now: datetime) -> Iterator[OfficerAct]:
    """Yield the acts that enter the people: levels, accounts from *uid* on, and records dated before *now*."""
    for player in PLAYERS:
        yield OfficerAct(
            "person.add",
            {
                "person": player.id,
                "name": localized(player.name, "zh"),
                "department": player.department,
                "level": [player.level.word],
                "domain": DOMAIN,
                "account": [uid + player.number],
            },
        )
        for kind, days in player.papers:
            on = now - timedelta(days=days)
            yield OfficerAct("record.add", {"person": player.id, "kind": kind, "on": on.isoformat()})


def moved(player: Player, department: str) -> OfficerAct:
    """Return the act that imports a list of one person, *player*, in *department*."""
    return OfficerAct("person.import", {"csv": f"id,department\n{player.id},{department}\n", "update": True})


def taking(player: Player, by: LossAct) -> tuple[OfficerAct, OfficerAct]:
    """Return the act that revokes the drawings from *player*, and the act that restores them."""
    if by is LossAct.LIST:
        return moved(player, SALES), moved(player, player.department)
    common_args = {"area": DRAWINGS.id, "reason": "项目甲"}
    return OfficerAct("grant.end", common_args | {"grant": player.id}), OfficerAct(
        "grant.add", common_args | {"person": player.id}
    )


def marking(root: str, now: datetime) -> Iterator[OfficerAct]:
    """Yield the acts that put the areas below *root* under protection and grant them."""
    period = now + timedelta(days=3650)
    for place in PLACES:
        args = {
            "path": f"{root}/{place.folder}",
            "name": place.id,
            "level": place.level.word,
            "domain": DOMAIN,
            "department": list(place.departments),
            "person": list(place.persons),
            "secret_until": period.isoformat(),
            "enforce": True,  # the demo is a trial, in which the pack would only observe
        }
        yield OfficerAct("area.add", args)
        for player in place.granted:
            yield OfficerAct("grant.add", {"person": player.id, "area": place.id, "reason": "项目甲"})

"""Who and what the demo is about: seven people, four areas, and the papers they need. Data, and the acts that enter it.

Rules of this file: pure. Names are Chinese, as where this is used; identifiers are what an officer would type. The
rules in force are the shipped pack ``company``, so everybody has the records it asks for, and one of them has lapsed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from rules.model import Level
from rules.text import Text

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
    name: Text
    department: str
    level: Level
    papers: tuple[tuple[str, int], ...] = _PAPERS

    @property
    def shown(self) -> Text:
        """Name and level, for a line of the story."""
        return Text(f"{self.name.en} ({self.level.text.en})", f"{self.name.zh}（{self.level.text.zh}）")


@dataclass(frozen=True, slots=True)
class DemoArea:
    """One area: its directory on the volume, its level, its circle of knowers, and its documents (name, content)."""

    id: str
    folder: str
    level: Level
    departments: tuple[str, ...]
    documents: tuple[str, ...]
    persons: tuple[str, ...] = ()
    granted: tuple[Player, ...] = ()

    @property
    def document(self) -> str:
        """The document of it that the story is about, relative to the volume."""
        return f"{self.folder}/{self.documents[0]}"

    @property
    def shown(self) -> Text:
        """Name and level, for a line of the story."""
        return Text(f"`{self.folder}` ({self.level.text.en})", f"“{self.folder}”（{self.level.text.zh}）")


ZHANG = Player(0, "E1001", Text("Zhang San", "张三"), RESEARCH, Level.SECRET)
LI = Player(1, "E1002", Text("Li Si", "李四"), RESEARCH, Level.INTERNAL)
WANG = Player(2, "E1003", Text("Wang Wu", "王五"), SALES, Level.SECRET)
ZHAO = Player(3, "E1004", Text("Zhao Liu", "赵六"), RESEARCH, Level.SECRET, _LAPSED)
QIAN = Player(4, "E1005", Text("Qian Qi", "钱七"), RESEARCH, Level.INTERNAL)
SUN = Player(5, "E1006", Text("Sun Ba", "孙八"), OFFICE, Level.TOP_SECRET)
ZHOU = Player(6, "E1007", Text("Zhou Jiu", "周九"), RESEARCH, Level.SECRET)
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

EXCHANGE = "公共交换"  # a folder on the same volume that is no area and that everybody may write to


def content(place: DemoArea, document: str) -> str:
    """Return what is written in a document: the same few lines in both languages, for nobody's eyes in particular."""
    return f"{document}\n密级：{place.level.text.zh} / {place.level.text.en}\n" + "样例文本，仅供演示。\n" * 20


class LossAct(Enum):
    """By which act somebody loses the drawings."""

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
                "name": player.name.zh,
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
    """Return the act that imports a list of one, which has *player* in *department*."""
    return OfficerAct("person.import", {"csv": f"id,department\n{player.id},{department}\n", "update": True})


def taking(player: Player, by: LossAct) -> tuple[OfficerAct, OfficerAct]:
    """Return the act that takes the drawings from *player*, and the one that gives them back."""
    if by is LossAct.LIST:
        return moved(player, SALES), moved(player, player.department)
    given = {"area": DRAWINGS.id, "reason": "项目甲"}
    return OfficerAct("grant.end", given | {"grant": player.id}), OfficerAct("grant.add", given | {"person": player.id})


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

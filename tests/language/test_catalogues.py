"""Every code says the same thing in both languages, names what it is given, and is used.

To see each fail, take away a line of a catalogue, a placeholder, or a message of the code.
"""

import re

import pytest

from agent.language.catalogue import localized
from rules.text import Message
from tests.language.source import entries, quoted_at, sites

ENGLISH, CHINESE = entries("en"), entries("zh")
OURS = {code: entry for code, entry in ENGLISH.items() if entry.file != "argparse.po"}
_HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,:;?!(]|[,:;?!)][\u4e00-\u9fff]")
_COUNTED = (
    "accesses|alarms|areas|attempts|badges|boards|cases|configurations|days|directories|doors|entries|files|grants|holds|"
    "hours|keys|lines|looks|minutes|notices|people|places|processes|programs|proposals|readers|receipts|requests|rights|"
    "rooms|rules|rows|services|steps|times"
)
_A_LIMIT = (
    "(?!most|max|least|limit|printed|longest|shortest|wanted|pid|uid)"  # limits are never one, and these no count
)
_COUNTS = re.compile(r"\{" + _A_LIMIT + r"\w+(?::,)?\} (?:[a-z]+ )?(?:" + _COUNTED + r")\b")
_OTHER_COUNTS = re.compile(r"\{(?!count)" + _A_LIMIT + r"\w+(?::,)?\} (?:[a-z]+ )?(?:" + _COUNTED + r")\b")
_HE = re.compile(r"\b(he|him|his|she|her|himself|somebody|somebody's)\b", re.IGNORECASE)


def test_both_languages_have_the_same_codes() -> None:
    assert ENGLISH.keys() ^ CHINESE.keys() == set()


def test_every_code_has_a_sentence_of_its_own_file() -> None:
    assert [code for code, entry in OURS.items() if entry.file != f"{code.partition('.')[0]}.po"] == []
    assert [code for both in (ENGLISH, CHINESE) for code, entry in both.items() if not all(entry.forms)] == []


def test_both_languages_name_the_same() -> None:
    def named(code: str, language: dict[str, object]) -> frozenset[str]:
        return frozenset().union(*entries("en" if language is ENGLISH else "zh")[code].placeholders)

    assert [code for code in ENGLISH if named(code, ENGLISH) != named(code, CHINESE)] == []  # type: ignore[arg-type]


def test_a_form_for_one_may_leave_the_number_out_and_nothing_else() -> None:
    odd = []
    for code, entry in OURS.items():
        *some, whole = entry.placeholders
        odd += [code for form in some if form | {"count"} != whole | {"count"}]
        odd += [code for form in CHINESE[code].placeholders if form | {"count"} != whole | {"count"}]
    assert odd == []


def test_what_counts_tells_one_from_many() -> None:
    assert [code for code, entry in OURS.items() if entry.plural and "count" not in entry.placeholders[-1]] == []
    assert [code for code, entry in OURS.items() if len(entry.forms) != (2 if entry.plural else 1)] == []
    assert [code for code, entry in CHINESE.items() if len(entry.forms) != 1] == []
    assert [code for code, entry in OURS.items() if entry.plural and len(set(entry.forms)) == 1] == []


def test_a_number_before_what_is_counted_chooses_its_form() -> None:
    one = [f"{c}: {f}" for c, e in OURS.items() if not e.plural for f in e.forms if _COUNTS.search(f)]
    other = [f"{c}: {f}" for c, e in OURS.items() for f in e.forms if _OTHER_COUNTS.search(f)]
    assert one + other == []


def test_every_message_of_the_code_has_an_entry_and_gives_what_it_names() -> None:
    wrong = []
    for place, code, names in sites():
        if code is None:
            continue
        if code not in OURS:
            wrong.append(f"{place}: `{code}` has no entry")
            continue
        wanted = frozenset().union(*OURS[code].placeholders)
        if names is not None and names | {"count"} != wanted | {"count"}:
            wrong.append(f"{place}: `{code}` names {sorted(wanted)} and is given {sorted(names)}")
    assert wrong == []


def test_every_message_of_the_code_names_its_code() -> None:
    assert [place for place, code, _ in sites() if code is None] == []


def test_every_entry_is_used() -> None:
    assert sorted(OURS.keys() - quoted_at().keys()) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_entry_can_be_said(language: str) -> None:
    unsaid = []
    for code, entry in OURS.items():
        names = frozenset().union(*entry.placeholders)
        for value in (1, 2):
            said = localized(Message(code, **dict.fromkeys(names, value)), "zh" if language == "zh" else "en")
            unsaid += [code] if said.startswith(code) else []
    assert unsaid == []


def test_chinese_has_its_own_punctuation() -> None:
    assert [f"{c}: {f}" for c, e in CHINESE.items() for f in e.forms if _HALF_WIDTH.search(f)] == []


def test_english_speaks_of_people_as_they() -> None:
    assert [f"{c}: {f}" for c, e in OURS.items() for f in e.forms if _HE.search(f)] == []

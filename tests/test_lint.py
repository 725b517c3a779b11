"""The rules of the tree: kept by the product, one of them by the tests too, and each noticed when it is broken."""

from pathlib import Path

from tests import lint

FOLDER = '"""Things: all of one kind."""\n'
FILE = '"""Thing: one of them."""\n'


def found(files: dict[str, str]) -> list[str]:
    """Return the problems of a tree of these files below ``agent``."""
    tree = {"__init__.py": FOLDER} | files
    return list(lint.problems(dict(lint.module(Path("agent") / path, text) for path, text in tree.items())))


def test_the_product_keeps_the_rules_of_the_tree() -> None:
    assert list(lint.problems(lint.modules())) == []


def test_no_file_of_the_tests_is_long() -> None:
    files = lint.texts("tests")
    assert Path("tests/test_lint.py") in files
    assert list(lint.too_long(files)) == []


def test_a_class_that_is_defined_twice_is_named_with_both_places() -> None:
    twice = found({"a.py": FILE + "class Place: ...\n", "b.py": FILE + "\nclass Place: ...\nclass _Own: ...\n"})
    assert twice == ["agent/b.py:3: class `Place` is also defined at agent/a.py:2"]


def test_a_long_file_and_one_that_does_not_say_what_it_is() -> None:
    assert found({"a.py": FILE + "x = 1\n" * 400}) == ["agent/a.py:401: the file has 401 lines, more than 400"]
    assert found({"a.py": "x = 1\n"}) == ["agent/a.py:1: the file does not say what it is"]
    asks = "agent/a.py:1: the header asks a question: begin with the name of the thing"
    assert found({"a.py": '"""What this file is."""\n'}) == [asks]


def test_words_for_people_in_the_code() -> None:
    both = FILE + 'door = Text("a door", "门")\n"""门"""\nname = "E1"\n'
    assert sorted(found({"a.py": both})) == [
        "agent/a.py:2: a sentence in the code: give it a code in agent/language",
        "agent/a.py:2: a text in the code: give it a code in agent/language",
    ]


def test_the_pure_core_makes_nothing_visible() -> None:
    folder = '"""The rooms of a site."""\n'
    panel = {
        "rooms/__init__.py": folder,
        "rooms/panel/__init__.py": folder,
        "rooms/panel/a.py": FILE + "x = visible(1)\n",
    }
    shows = "agent/rooms/panel/a.py:2: the pure core shows nothing: the catalogue calls `visible`"
    assert found(panel) == [shows]
    assert found({"rooms/__init__.py": folder, "rooms/a.py": FILE + "x = visible(1)\n"}) == []


def test_names_that_say_nothing() -> None:
    [problem] = found({"a.py": FILE + "data = info = 1\n" + "\n" * 100})
    assert problem.startswith("agent: ")
    assert problem.endswith(" vague names on a thousand lines, more than 5: data 1, info 1")


def test_a_folder_that_is_too_full_or_says_nothing_or_hides_another_one() -> None:
    assert found({f"{i:02}.py": FILE for i in range(40)}) == ["agent: 41 files, more than 40"]
    five = {f"door_{letter}.py": FILE for letter in "abcde"}
    assert found(five) == ["agent: 5 files begin with `door_`: they are a folder"]
    mute = {"log/__init__.py": '"""log."""\n', "log/a.py": FILE}
    assert found(mute) == ["agent/log/__init__.py:1: the folder does not say in one line what it is"]


def test_a_reference_that_leads_nowhere() -> None:
    text = '"""See :class:`agent.b.Gone`, :class:`agent.b.There`, :meth:`There.act` and :class:`Nobody`."""\n'
    there = FILE + "class There:\n    def act(self): ...\n"
    assert found({"a.py": text, "b.py": there}) == [
        "agent/a.py:1: `agent.b.Gone` leads nowhere",
        "agent/a.py:1: `Nobody` leads nowhere",
    ]

"""``.venv`` is whole or it is made anew, and what is missing is said in one message with the command that helps."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

_OURS = ("Makefile", "venv.sh", "pyproject.toml", "requirements.lock", "requirements-dev.lock")
_WITHOUT_ENSUREPIP = """\
case $* in
    *ensurepip*) exit 1 ;;
    "-m venv "*) shift 2; {python} -m venv --without-pip "$@"; echo "ensurepip is not available"; exit 1 ;;
esac
exec {python} "$@"
"""  # Debian's python3 without python3-venv: what it leaves behind has an interpreter and no pip
_OLD = """\
[ "$1" = -c ] || exit 9
exec {python} -c "import platform, sys; sys.version_info = (3, 9, 2); platform.python_version = lambda: '3.9.2'; $2"
"""
_WITH_PIP_OF_STRAW = """\
case $* in "-m venv "*) ;; *) exec {python} "$@" ;; esac
{python} -m venv --without-pip .venv &&
    echo 'if __name__ == "__main__": exit("no index answers")' >"$(echo .venv/lib/python*/site-packages)/pip.py"
"""  # what venv makes, without the seconds that unpacking pip takes; this pip reaches nothing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone, as far as the environment goes."""
    made = tmp_path / "clone"
    made.mkdir()
    for name in _OURS:
        shutil.copy(ROOT / name, made)
    return made


def python(folder: Path, script: str) -> str:
    """Put a python3 in front of the one that is there, and return its name."""
    file = folder.parent / "bin" / "python3"
    file.parent.mkdir(exist_ok=True)
    file.write_text("#!/bin/sh\n" + script.replace("{python}", os.path.realpath(sys.executable)))
    file.chmod(0o755)
    return str(file)


def make(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make as somebody would who types it, in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MAKE", "MFLAGS"))}
    said = {"SHOUMI_LANG": "en", "PATH": f"{folder.parent / 'bin'}:{os.environ['PATH']}", **environment}
    return subprocess.run(
        ["make", *words], cwd=folder, env={**kept, **said}, capture_output=True, text=True, check=False
    )


def bare(folder: Path) -> None:
    """Leave what `python3 -m venv` leaves where ensurepip is missing."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)


def has_pip(folder: Path) -> bool:
    return subprocess.run([folder / ".venv/bin/python", "-c", "import pip"], capture_output=True).returncode == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_python_without_ensurepip_is_told_which_package_it_lacks(folder, language):
    python(folder, _WITHOUT_ENSUREPIP)
    done = make(folder, "demo", SHOUMI_LANG=language)
    assert done.returncode != 0
    said = done.stderr.splitlines()
    opening, hint = ("shoumi: ", "hint: ") if language == "en" else ("shoumi: ", "提示：")
    assert said[0].startswith(opening)
    assert said[1] == f"{hint}apt install python3-venv make"
    assert all(line.startswith("make: ") for line in said[2:]), "one message, and make's own last word"
    assert ("virtual environment" if language == "en" else "虚拟环境") in said[0]
    assert not (folder / ".venv").exists()


def test_a_half_made_environment_is_made_anew(folder):
    bare(folder)
    (folder / ".venv/left").touch()
    assert not has_pip(folder)
    done = make(folder, ".venv/.made", f"PYTHON={os.path.realpath(sys.executable)}")
    assert done.returncode == 0, done.stderr
    assert "made anew" in done.stdout
    assert has_pip(folder)
    assert not (folder / ".venv/left").exists()


def test_what_is_whole_is_kept(folder):
    python(folder, _WITH_PIP_OF_STRAW)
    assert make(folder, ".venv/.made").returncode == 0
    kept = folder / ".venv/kept"
    kept.touch()
    again = make(folder, ".venv/.made")
    assert (again.returncode, again.stdout, kept.exists()) == (0, "", True)


def test_an_environment_whose_python_went_away_is_made_anew(folder):
    python(folder, _WITH_PIP_OF_STRAW)
    assert make(folder, ".venv/.made").returncode == 0
    (folder / ".venv/bin/python").unlink()
    (folder / ".venv/bin/python").symlink_to("/nonexistent/python3")
    assert make(folder, ".venv/.made").returncode == 0
    assert has_pip(folder)


def test_the_environment_of_the_folder_this_one_was_copied_from_is_not_ours(folder):
    python(folder, _WITH_PIP_OF_STRAW)
    assert make(folder, ".venv/.made").returncode == 0
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy, symlinks=True)
    (copy / ".venv/of-the-other").touch()
    assert make(copy, ".venv/.made").returncode == 0
    assert not (copy / ".venv/of-the-other").exists()


@pytest.mark.parametrize(("language", "said"), [("en", "pip could not install"), ("zh", "pip 未能按清单安装")])
def test_without_an_index_one_message_says_so_and_nothing_is_taken_for_made(folder, language, said):
    python(folder, _WITH_PIP_OF_STRAW)
    for _ in range(2):
        done = make(folder, ".venv/.run", SHOUMI_LANG=language)
        assert done.returncode != 0
        assert said in done.stderr
        assert "no index answers" in done.stderr
        assert "index-url" in done.stderr
        assert not list((folder / ".venv").glob(".made")) + list((folder / ".venv").glob(".run"))


@pytest.mark.parametrize(("language", "said"), [("en", "is 3.9.2"), ("zh", "是 3.9.2")])
def test_an_old_python_is_named_with_its_version(folder, language, said):
    python(folder, _OLD)
    done = make(folder, "test", SHOUMI_LANG=language)
    assert done.returncode != 0
    assert said in done.stderr
    assert "PYTHON=" in done.stderr
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize(("language", "said"), [("en", "does not run"), ("zh", "无法运行")])
def test_no_python_at_all(folder, language, said):
    done = make(folder, "demo", "PYTHON=no-such-python", SHOUMI_LANG=language)
    assert done.returncode != 0
    assert f"`no-such-python` {said}" in done.stderr
    assert "apt install python3-venv make" in done.stderr

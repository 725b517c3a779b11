from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "log"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"

"""Writes ``tokens/``: every vector anew, with new signatures, and the test-only keys when there are none."""

import copy
import json

from tests.offboard.intake.signing import FOLDER, NOW, make_keys
from tests.offboard.intake.vectors import accepted, approvals, claims, form, headers, history

THEMES = (accepted, form, headers, claims, approvals, history)


def main() -> None:
    make_keys()
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, vector in (named for theme in THEMES for named in theme.vectors()):
        vector = {"why": vector.pop("why") or name.replace("-", " "), "now": NOW, **copy.deepcopy(vector)}
        (FOLDER / f"{name}.json").write_text(json.dumps(vector, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

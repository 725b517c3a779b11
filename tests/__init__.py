"""The tests: laws, vectors, the real kernel, real protocols, journeys. Folders mirror those of the packages.

``enforcement`` has what no single package does alone: the whole agent in front of the real kernel.
"""

from pathlib import Path

import hatch_build

ROOT = Path(__file__).parents[1]
"""The checkout: where ``python -m tests.…`` is run."""

if hatch_build.stale():
    hatch_build.compile_catalogues()

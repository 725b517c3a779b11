"""Names that say nothing: how often they are bound for every thousand lines, and the limit (``python -m tests.lint``).

Rules of this file: a name counts where it is bound (a variable, a parameter, a function, an attribute, a field), and
only when it is nothing but one of these words. Names of others count too: a field that is a key of JSON keeps its word,
and the limit leaves room for those.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

MOST_OF_A_THOUSAND = 5
_WORDS = (
    "said told found one other known given kept thing things what who where why here there made done left "
    "some shown seen asked came rest again mine theirs others way ways word words look looked going gone "
    "behind beside lately anew result data item value obj tmp info "
)
VAGUE = frozenset(_WORDS.split())


def vague(files: Mapping[Path, ast.Module], lines: Mapping[str, int]) -> Iterator[str]:
    """Yield one line for every package in which vague names are more than the limit; *lines* are its lengths."""
    for package, length in lines.items():
        counts = Counter(name for path, tree in files.items() if path.parts[0] == package for name in bound(tree))
        share = 1000 * counts.total() / max(1, length)
        if share > MOST_OF_A_THOUSAND:
            most = ", ".join(f"{name} {count}" for name, count in counts.most_common(8))
            yield f"{package}: {share:.1f} vague names on a thousand lines, more than {MOST_OF_A_THOUSAND}: {most}"


def bound(tree: ast.Module) -> Iterable[str]:
    """Yield every vague name that *tree* binds, as often as it does."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                pass
            case _:
                continue
        if name.strip("_") in VAGUE:
            yield name.strip("_")

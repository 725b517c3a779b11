"""The page with every sentence of the program: ``docs/sentences.md``.

Rules of this file: pure, from the catalogues and the code as they are. A sentence appears where its code stands in
quotes; several forms of one sentence (one, many) stand in one cell.
"""

from collections import defaultdict
from itertools import groupby

from tests.docs.markdown import table
from tests.language.source import entries, quoted_at

_ABOUT = (
    "Every sentence of the program in both languages, and the files it comes from, to be read at a sitting. Clients\n"
    "may match on a code. `{…}` is a value; two forms, for one and for many, are divided by ` / `.\n"
    "程序的全部语句（中英文）及其所在文件。客户端可据代码匹配；`{…}` 为参数；单数与复数形式以 ` / ` 分隔。\n"
)
_ARGPARSE = "argparse"


def page(made: str) -> str:
    """Return the page; *made* is the mark of a generated one."""
    english, chinese, places = entries("en"), entries("zh"), quoted_at()
    where: defaultdict[str, str] = defaultdict(str, {code: ", ".join(files) for code, files in places.items()})
    parts = [f"# Sentences 语句\n\n{made}\n\n{_ABOUT}"]
    in_order = sorted(english, key=lambda code: (english[code].file, code))
    for domain, codes in groupby(in_order, lambda code: english[code].file):
        own = domain.removesuffix(".po") != _ARGPARSE
        rows = [
            (
                f"`{code}`" if own else "",
                _cell(english[code].forms),
                _cell(chinese[code].forms),
                where[code] if own else "the standard library",
            )
            for code in codes
        ]
        parts.append(f"## {domain.removesuffix('.po')}\n\n{table(('code', 'English', '中文', 'where'), rows)}")
    return "\n".join(parts)


def _cell(forms: tuple[str, ...]) -> str:
    return " / ".join(form.replace("\n", " ⏎ ").strip() for form in forms)

"""What a copy of many small files through Samba costs: 5,000 to a share and back, guarded and not, in turn.

Rules of this file: one smbd serves both shares to one user, who comes by the distribution's own client. Each round
writes to a directory of its own, so that every file is new, and reads the same files back.
"""

import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from agent.simulator import volume_image
from rules.text import Text
from tests.bench.rows import Row
from tests.bench.sites import READER, site
from tests.samba.server import PASSWORD, FileServer, serving
from tests.sentences import en, zh

FILES = 5000
_ROUNDS = 3
_SIZE = 2600
_USER = "reader"
_BARE, _PROCESS, _POWER = "bare", "process", "power"
_UNGUARDED = Text("unguarded", "无防护")


def rows() -> list[Row]:
    """Copy to each share and back, in turn."""
    with ExitStack() as stack:
        documents = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoumi-bench-smb-")))
        for number in range(FILES):
            (documents / f"{number}.txt").write_bytes(b"x" * _SIZE)
        bare = stack.enter_context(volume_image.volume())
        shares = {_BARE: bare.point / "bare"}
        shares[_BARE].mkdir()
        for name in (_PROCESS, _POWER):
            made = stack.enter_context(site(name))
            shares[name] = made.stage.root / "plans"
        for folder in shares.values():
            folder.chmod(0o777)
        bare.point.chmod(0o755)
        settings = ("ea support = no", "oplocks = no")
        server = stack.enter_context(serving(bare.folder / "smb", {_USER: READER.uid}, shares, settings))
        taken: dict[tuple[str, str], list[float]] = {}
        for number in range(_ROUNDS):
            for share in shares:
                written, read = _round(server, share, f"round{number}", documents)
                taken.setdefault((share, "write"), []).append(written)
                taken.setdefault((share, "read"), []).append(read)
        return [_row(share, how, seconds, taken[_BARE, how]) for (share, how), seconds in sorted(taken.items())]


def _round(server: FileServer, share: str, where: str, documents: Path) -> tuple[float, float]:
    """Copy *documents* to a new directory *where* of *share* and back; return the seconds of each."""
    _client(server, share, f"mkdir {where}")
    written = _client(server, share, f"prompt off; lcd {documents}; cd {where}; mput *")
    with tempfile.TemporaryDirectory(prefix="shoumi-bench-smb-") as back:
        read = _client(server, share, f"prompt off; lcd {back}; cd {where}; mget *")
        if (count := len(list(Path(back).iterdir()))) != FILES:
            raise OSError(f"only {count} of {FILES} files came back from `{share}`")
    _client(server, share, f"deltree {where}")
    return written, read


def _client(server: FileServer, share: str, does: str) -> float:
    """Run smbclient on *share*; return the seconds it took."""
    words = ("smbclient", f"//127.0.0.1/{share}", "-p", str(server.port), "-U", f"{_USER}%{PASSWORD}", "-c", does)
    began = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=server.environment)
    return time.monotonic() - began


def _row(share: str, how: str, seconds: list[float], bare: list[float]) -> Row:
    doing = {"write": Text("to a share", "写入共享"), "read": Text("from a share", "自共享读出")}[how]
    guard = _UNGUARDED if share == _BARE else Text(f"guarded (`{share}`)", f"有防护（`{share}`）")
    what = Text(
        f"{FILES:,} small files copied {en(doing)} with Samba, {en(guard)}",
        f"经 Samba {zh(doing)} {FILES:,} 个小文件，{zh(guard)}",
    )
    times = median(one / other for one, other in zip(seconds, bare, strict=True))
    shown = f"{median(seconds):,.1f} s ({min(seconds):,.1f} to {max(seconds):,.1f})"
    numbers = {"median_s": median(seconds), "against_bare": times}
    return Row(f"samba.{how}.{share}", what, shown, None if share == _BARE else times, _UNGUARDED, numbers=numbers)

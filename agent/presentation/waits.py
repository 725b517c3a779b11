"""How long an act took, in words: what of it was waiting, and when it was acknowledged.

Rules of this file: pure. The agent counts from when the request came to it, and the caller from before it was asked:
where the two differ much, both are said, because the agent does not see how long a request waited in front of its
socket.
"""

from collections.abc import Mapping
from typing import Any

from rules.text import Text

_UNSEEN = 50.0  # milliseconds that are worth a word


def sentence(result: Mapping[str, Any]) -> Text:
    """Return when the act that ended in *result* was acknowledged, and how long it waited for its turn."""
    waited, done = result["waited_milliseconds"], result["milliseconds"]
    said = Text(
        f"waited {waited:.1f} ms, acknowledged after {done:.1f} ms", f"等待 {waited:.1f} ms，{done:.1f} ms 后确认生效"
    )
    whole = result.get("caller_milliseconds", done)
    if whole - done < _UNSEEN:
        return said
    return Text(f"{said.en}, answered after {whole:.1f} ms", f"{said.zh}，{whole:.1f} ms 后得到答复")

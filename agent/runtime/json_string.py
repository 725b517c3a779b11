r"""JSON strings from any text or bytes, for the kernel's facts and the entries.

Rules of this file: whatever comes in, what comes out is valid JSON in valid UTF-8 without a control character or an
invisible one in it (contract C9). Standard library only, and fast: it is on the path of an open.
"""

from json.encoder import encode_basestring

from rules.visible import visible


def json_string(text: str | bytes) -> str:
    r"""Return *value* as a JSON string literal, quotes included, after ``visible``. Bytes are read as UTF-8.

    >>> json_string(b"\xe8\xae\xa1\xff")
    '"计\\\\xff"'
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            return encode_basestring(visible(text))
    # Characters that ``visible`` replaces are unprintable for Python too; this test is in C and much faster.
    return encode_basestring(text if text.isprintable() else visible(text))

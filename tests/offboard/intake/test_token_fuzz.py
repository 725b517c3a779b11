"""Whatever comes, verifying ends in a notice or in a named reason, soon, and never in anything else."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.intake import json_strict, pinned_keys
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.reasons import REASONS, BadTokenError
from agent.offboard.intake.token import verify
from rules.visible import visible
from tests.examples import examples
from tests.offboard.intake.signing import DEPARTURE, approved, by_hand, departure, signed
from tests.offboard.intake.site import KEYS, NOW, TOKENS
from tests.sentences import en, zh

PINNED = pinned_keys.load(KEYS / "hr-keys.json")
RIGHT = json.loads((TOKENS / "right-eddsa.json").read_text())["drops"][0]["token"].encode()

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["", "E1001", -0.0, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
quick = examples(150)


def ends_well(token: bytes) -> HrNotice | None:
    try:
        found = verify(token, PINNED, NOW)
    except BadTokenError as error:
        refused = error
    else:
        refused = None
    if refused:
        assert refused.reason in REASONS
        texts = [en(refused.text), zh(refused.text)]
        assert [visible(text) for text in texts] == texts
        return None
    assert HrNotice.from_json(json.loads(json.dumps(found.to_json()))) == found
    return found


@quick
@given(st.binary(max_size=300))
def test_any_bytes(token):
    assert ends_well(token) is None


@quick
@given(st.integers(0, len(RIGHT) - 1), st.integers(0, 255), st.booleans())
def test_a_right_token_with_one_byte_changed_or_added(where, byte, added):
    token = RIGHT[:where] + bytes([byte]) + RIGHT[where + (not added) :]
    found = ends_well(token)
    assert found is None or token == RIGHT


@quick
@given(st.binary(max_size=200))
def test_any_signed_bytes(payload):
    assert (
        ends_well(by_hand(b'{"alg":"EdDSA","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}', payload, KID).encode())
        is None
    )


@quick
@given(st.binary(max_size=200))
def test_any_header(header):
    assert ends_well(by_hand(header, b"{}", KID).encode()) is None


@quick
@given(st.sampled_from([*departure(), "approvals", "exp"]), anything)
def test_any_value_in_any_claim(name, value):
    ends_well(signed(approved(departure()) | {name: value}).encode())


@quick
@given(st.sampled_from(["kind", "approvers", "last_day", "class", "cooling_off_until"]), anything)
def test_any_value_in_any_member_of_the_event(name, value):
    event = departure()["events"][DEPARTURE] | {name: value}
    ends_well(signed(approved(departure(events={DEPARTURE: event}))).encode())


@quick
@given(st.text(alphabet='[]{}"\\a', max_size=60))
def test_the_depth_is_never_taken_for_less_than_it_is(text):
    def deepest(value):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(deepest, inner), default=0)

    try:
        depth = deepest(json.loads(text))
    except (ValueError, RecursionError):
        return
    if depth > json_strict.DEEPEST:
        with pytest.raises(BadTokenError):
            json_strict.check_depth(text.encode())
    else:
        json_strict.check_depth(text.encode())


@pytest.mark.parametrize("filling", [b"[", b'{"a":', b'"\\', b'\\"', b'"', b"[]", b"1", b" "])
def test_the_largest_token_of_the_worst_filling_is_judged_soon(filling):
    payload = (filling * 49_000)[:48_900]
    begun = time.process_time()
    assert (
        ends_well(by_hand(b'{"alg":"EdDSA","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}', payload, KID).encode())
        is None
    )
    assert time.process_time() - begun < 2


KID = "test-only-hr-ed25519"

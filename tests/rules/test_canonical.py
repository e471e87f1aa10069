"""The canonical form is that of RFC 8785, as the package of that name writes it."""

from __future__ import annotations

import hashlib

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.canonical import canonical_json, digest_of


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), inner),
    )
)
def test_canonical_json_is_the_rfc_s(content: object) -> None:
    expected = rfc8785.dumps({"content": content})
    assert canonical_json({"content": content}) == expected
    assert digest_of({"content": content}) == hashlib.sha256(expected).hexdigest()

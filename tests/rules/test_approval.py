"""A signature counts for one content, by one person in one role, at its time; in no other way, and it is said why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import rfc8785

from engine.rules import ed25519
from engine.rules.approval import (
    PREFIX,
    FaultKind,
    Kind,
    Signed,
    Status,
    TrustedKey,
    TrustList,
    bundle_digest,
    examine,
    missing_roles,
    sign,
    status_of,
)
from engine.rules.model import Role
from engine.rules.signed_files import read_signed, render_signed
from engine.rules.source import Source
from tests.rules.bicycle import Change, valid
from tests.rules.signing import DAY, GP, PT, TRUST, WHEN, Person, person, trusting

CHECKED = valid()
DIGEST = CHECKED.digest
SIGNED = GP.signs(DIGEST)
KEY = GP.trusted()

# RFC 8032, section 7.1: tests 1, 2 and 3.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_signatures_are_those_of_the_rfc(secret: str, public: str, message: str, signature: str) -> None:
    key, text, expected = bytes.fromhex(secret), bytes.fromhex(message), bytes.fromhex(signature)
    assert ed25519.public_of(key).hex() == public
    assert ed25519.sign(key, text) == expected
    assert ed25519.verify(bytes.fromhex(public), expected, text)
    assert not ed25519.verify(bytes.fromhex(public), expected, text + b"\0")
    assert not ed25519.verify(bytes.fromhex(public), expected[:-1], text)
    assert not ed25519.verify(b"short", expected, text)


def test_a_signature_has_one_form() -> None:
    """S and S plus the order of the group would both fit; only the smaller is one (RFC 8032, 5.1.7)."""
    signature = bytes.fromhex(VECTORS[1][3])
    order = 2**252 + 27742317777372353535851937790883648493
    larger = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not ed25519.verify(bytes.fromhex(VECTORS[1][1]), signature[:32] + larger, b"\x72")


def test_a_signature_is_written_in_one_way() -> None:
    """The last digit of base64 has four bits that no byte takes: another digit there would be the same signature."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = digits.index(SIGNED.signature[-3])
    for other in digits[last + 1 : last + 16]:
        assert faults(replace(SIGNED, signature=f"{SIGNED.signature[:-3]}{other}==")) == [
            "has no signature that can be read"
        ]


def test_what_is_signed_is_the_prefix_and_the_rfc_s_json() -> None:
    statement = PT.states(DIGEST, remarks='Regel "P03" nagekeken: goed ✓')
    assert statement.content()["when"] == "2026-06-15T09:30:00Z"
    assert statement.message() == b"pluis/statement/v1\n" + rfc8785.dumps(statement.content())
    assert PREFIX == b"pluis/statement/v1\n"
    statement = replace(GP.states("0" * 64, Kind.BUNDLE), remarks="")
    assert statement.message().decode() == (
        f'pluis/statement/v1\n{{"digest":"{"0" * 64}","kind":"bundle","remarks":"","role":"gp",'
        '"when":"2026-06-15T09:30:00Z","who":"A. Jansen"}'
    )


@pytest.mark.parametrize(
    "when",
    [
        WHEN.replace(microsecond=1),
        WHEN.astimezone(timezone(timedelta(hours=2))),
        WHEN.replace(tzinfo=None),
    ],
)
def test_a_time_is_utc_to_the_second(when: datetime) -> None:
    with pytest.raises(ValueError, match="UTC"):
        GP.states(DIGEST, when=when)


def faults(
    signed: Signed, trust: TrustList = TRUST, digest: str = DIGEST, kind: Kind = Kind.RULESET, day: date = DAY
) -> list[str]:
    examined = examine([signed], trust, digest, kind, day)
    assert bool(examined.valid) is not bool(examined.refused)
    return [fault.message for refused in examined.refused for fault in refused.faults]


def test_it_counts() -> None:
    assert faults(SIGNED) == []
    assert faults(PT.signs(DIGEST)) == []
    assert faults(SIGNED, day=WHEN.date()) == []


@pytest.mark.parametrize(
    ("signed", "told"),
    [
        pytest.param(GP.signs("0" * 64), ["was signed for another content"], id="another content"),
        pytest.param(GP.signs(DIGEST, Kind.BUNDLE), ["was signed as a bundle, not as a ruleset"], id="another kind"),
        pytest.param(
            replace(SIGNED, key="0" * 32),
            [f"was signed with the key `{'0' * 32}`, which is not in the trust list"],
            id="unknown key",
        ),
        pytest.param(
            replace(SIGNED, signature=PT.signs(DIGEST).signature),
            ["does not fit its signature: it was changed, or signed with another key"],
            id="another's signature",
        ),
        pytest.param(
            replace(SIGNED, statement=GP.states(DIGEST, remarks="Not read")),
            ["does not fit its signature: it was changed, or signed with another key"],
            id="changed remarks",
        ),
        pytest.param(
            replace(
                SIGNED, signature=ed25519.to_base64(ed25519.sign(GP.secret, SIGNED.statement.message()[len(PREFIX) :]))
            ),
            ["does not fit its signature: it was changed, or signed with another key"],
            id="signed without the prefix",
        ),
        pytest.param(replace(SIGNED, signature=""), ["has no signature that can be read"], id="no signature"),
        pytest.param(replace(SIGNED, signature="é"), ["has no signature that can be read"], id="no base64"),
        pytest.param(
            replace(SIGNED, signature=f"{SIGNED.signature}\n"), ["has no signature that can be read"], id="a line break"
        ),
        pytest.param(
            sign(replace(GP.states(DIGEST), who="B. Jansen"), GP.secret),
            ["was signed with the key of `A. Jansen`"],
            id="another name",
        ),
        pytest.param(
            sign(replace(GP.states(DIGEST), role=Role.PHYSIOTHERAPIST), GP.secret),
            ["was signed with a key for the role gp"],
            id="another role",
        ),
        pytest.param(
            sign(GP.states(DIGEST, when=datetime(2026, 7, 2, tzinfo=UTC)), GP.secret),
            ["was signed in the future"],
            id="in the future",
        ),
        pytest.param(
            sign(GP.states(DIGEST, when=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)), GP.secret),
            ["was signed before its key was valid, from 2026-01-01"],
            id="before the key",
        ),
    ],
)
def test_each_way_in_which_a_signature_does_not_count(signed: Signed, told: list[str]) -> None:
    assert faults(signed) == told


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (replace(KEY, revoked=DAY), ["was signed with a key that was revoked on 2026-07-01"]),
        (replace(KEY, revoked=date(2026, 1, 1)), ["was signed with a key that was revoked on 2026-01-01"]),
        (replace(KEY, revoked=date(2026, 7, 2)), []),
        (replace(KEY, valid_from=WHEN.date()), []),
        (replace(KEY, valid_from=date(2026, 6, 16)), ["was signed before its key was valid, from 2026-06-16"]),
        (
            replace(KEY, valid_until=WHEN.date()),
            ["was signed when its key was not valid any more, from 2026-06-15"],
        ),
        (replace(KEY, valid_until=date(2026, 6, 16)), []),
        (replace(KEY, valid_until=None), []),
    ],
)
def test_what_the_trust_list_says_of_the_key(key: TrustedKey, told: list[str]) -> None:
    """A key that ran out after it signed leaves its signatures; one that is revoked takes all of them along."""
    assert faults(SIGNED, trusting(key)) == told


def test_every_reason_is_told_and_the_gravest_names_it() -> None:
    wrong = replace(GP.signs("0" * 64), signature="AAAA", key="1" * 32)
    (refused,) = examine([wrong], TRUST, DIGEST, Kind.RULESET, DAY).refused
    assert [fault.kind for fault in refused.faults] == [
        FaultKind.OTHER_CONTENT, FaultKind.NOT_VALID, FaultKind.UNKNOWN_KEY,
    ]  # fmt: skip
    assert refused.kind is FaultKind.NOT_VALID
    assert str(refused).startswith("`A. Jansen` (gp) on 2026-06-15: it was signed for another content, and has no")


def flipped(text: str) -> Iterator[str]:
    """The text with each of its characters changed in one bit, where that leaves a text that can be read."""
    for index, char in enumerate(text):
        other = chr(ord(char) ^ 1)
        if other.isprintable() and other not in '"\\':
            yield text[:index] + other + text[index + 1 :]


def test_one_flipped_bit_in_any_field_and_it_does_not_count() -> None:
    """In the file, as somebody would do it: each value of the statement, the key's id and the signature."""
    content = SIGNED.statement.content() | {"key": SIGNED.key, "signature": SIGNED.signature}
    text = render_signed([SIGNED])
    tried = refused = 0
    for name, value in content.items():
        assert text.count(f'"{name}": "{value}"') == 1
        for other in flipped(value):
            tried += 1
            changed = text.replace(f'"{name}": "{value}"', f'"{name}": "{other}"')
            signed, problems = read_signed(Source("approvals.json", changed))
            assert bool(problems) is not bool(signed)
            refused += bool(problems) or bool(faults(signed[0]))
    assert refused == tried > 200


@pytest.mark.parametrize(
    "change",
    [
        ("ruleset.yaml", "{above: 10}", "{above: 11}"),
        ("ruleset.yaml", "version: 1.0.0", "version: 1.0.1"),
        ("ruleset.yaml", "3rd edition", "4th edition"),
        ("ruleset.yaml", "until: 2030-01-01", "until: 2031-01-01"),
        ("texts.nl.yaml", "Rijdt hij beter?", "Rijdt hij beter"),
        ("texts.nl.yaml", "clinician: Remfalen", "clinician: Geen rem"),
        ("texts.nl.yaml", "click: Getik", "click: Tik"),
    ],
)
def test_any_change_of_the_ruleset_ends_every_approval(change: Change) -> None:
    assert faults(SIGNED, digest=valid(change).digest) == ["was signed for another content"]


def test_every_text_of_the_ruleset_is_under_the_signature() -> None:
    """Each wording in turn gets one letter more; no approval may outlive it."""
    from engine.rules.content import digest

    ruleset = CHECKED.ruleset
    texts = ruleset.texts["nl"]
    tried = 0
    for section, entries in texts.of.items():
        for key, wording in entries.items():
            others = {**texts.of, section: {**entries, key: replace(wording, patient=wording.patient + "x")}}
            changed = replace(ruleset, texts={"nl": replace(texts, of=others)})
            before = digest(ruleset)
            assert faults(GP.signs(before), digest=before) == []
            assert faults(GP.signs(before), digest=digest(changed)) == ["was signed for another content"]
            tried += 1
    assert tried > 30


def test_comments_and_layout_leave_it() -> None:
    assert faults(SIGNED, digest=valid(("ruleset.yaml", "parameters:", "# tuned\nparameters:")).digest) == []


NAMESAKE = person("a.  jansen", Role.PHYSIOTHERAPIST)
TWO_ROLES = person("C. Smit", Role.PHYSIOTHERAPIST)
OPERATOR = person("O. Visser", Role.OPERATOR)


@pytest.mark.parametrize(
    ("people", "missing"),
    [
        ([], (Role.GP, Role.PHYSIOTHERAPIST)),
        ([GP], (Role.PHYSIOTHERAPIST,)),
        ([PT, PT], (Role.GP,)),
        ([GP, OPERATOR], (Role.PHYSIOTHERAPIST,)),
        ([GP, NAMESAKE], (Role.GP, Role.PHYSIOTHERAPIST)),
        ([GP, Person(TWO_ROLES.who, Role.PHYSIOTHERAPIST, GP.secret)], (Role.GP, Role.PHYSIOTHERAPIST)),
        ([GP, PT], ()),
        ([PT, GP], ()),
        ([GP, NAMESAKE, PT], ()),
    ],
)
def test_approved_takes_two_roles_two_people_and_two_keys(people: list[Person], missing: tuple[Role, ...]) -> None:
    signed = [each.signs(DIGEST) for each in people]
    assert missing_roles(signed) == missing
    assert status_of(CHECKED, signed, DAY) is (Status.DRAFT if missing else Status.APPROVED)


def test_a_version_is_retired_by_its_date_whoever_signed() -> None:
    both = [GP.signs(DIGEST), PT.signs(DIGEST)]
    until = CHECKED.ruleset.effective_until
    assert until is not None
    assert status_of(CHECKED, both, until - timedelta(days=1)) is Status.APPROVED
    assert status_of(CHECKED, both, until) is Status.RETIRED


def test_a_refused_signature_stops_no_other() -> None:
    examined = examine([GP.signs("0" * 64), PT.signs(DIGEST)], TRUST, DIGEST, Kind.RULESET, DAY)
    assert [each.statement.who for each in examined.valid] == [PT.who]
    assert [each.signed.statement.who for each in examined.refused] == [GP.who]


def test_a_bundle_is_names_and_contents() -> None:
    hashes = {"b": "1", "a": "2"}
    assert bundle_digest(hashes) == bundle_digest({"a": "2", "b": "1"})
    others: list[Callable[[], dict[str, str]]] = [
        lambda: {"a": "1", "b": "2"},
        lambda: {"a": "2", "c": "1"},
        lambda: {"a": "2"},
        lambda: {"a": "2", "b": "1", "c": "1"},
    ]
    assert len({bundle_digest(each()) for each in others} | {bundle_digest(hashes)}) == 5


def test_a_key_file_gives_back_its_secret() -> None:
    assert ed25519.from_pem(ed25519.to_pem(GP.secret)) == GP.secret
    assert ed25519.from_pem(ed25519.to_pem(GP.secret, "staple"), "staple") == GP.secret
    for text, passphrase, told in (
        (ed25519.to_pem(GP.secret, "staple"), "", "needs a passphrase"),
        (ed25519.to_pem(GP.secret, "staple"), "stapler", "the passphrase is another"),
        (ed25519.to_pem(GP.secret), "staple", "is not encrypted"),
        ("", "", "holds no private key"),
    ):
        with pytest.raises(ed25519.BadKeyFile, match=told):
            ed25519.from_pem(text, passphrase)


def test_a_key_of_another_kind_is_refused() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    pem = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ed25519.BadKeyFile, match="another kind"):
        ed25519.from_pem(pem.decode())

"""What refers to a person is opaque, or refused; and the refusal does not repeat it."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable
from uuid import UUID, uuid1, uuid5

import pytest

from engine.record.subject import is_bsn, subject_fault

ACCEPTED = (
    "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134",
    "018f3c1e-529d-7b6a-8f21-0c5d7e9ab134",
    str(uuid1(0x0242AC120002, 0x1234)),
    str(uuid5(UUID(int=0), "anything")),
    "d41d8cd98f00b204e9800998ecf8427e",  # a digest of 32 digits
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "a1b2c3d4e5f60718",
    "Zx81kQ2mT-4vB_7wLp3n",
    "V1StGXR8_Z5jdHi6B-myT",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
)
REFUSED = {
    "111222333": "BSN",
    "111.222.333": "BSN",
    "1112 22 333": "BSN",
    "1112-22-333": "BSN",
    "11222335": "BSN",  # without the zero in front
    "patient-111222333-xyz": "BSN",
    "a8F-111222333-Qz81kd": "BSN",
    "123456789": "characters",  # fails the eleven-test, and is too short
    "patient-123456789-xy7": "known elsewhere",
    "4Zx-123456789-k2Qm": "known elsewhere",
    "1980-01-15": "date",
    "15-01-1980": "date",
    "15/1/1980": "date",
    "15-1-80": "date",
    "1-15-1980": "date",
    "19800115": "date",
    "a7Z19800115kQ2mT4vB": "date",
    "a7Z15011980kQ2mT4vB": "date",
    "jdv-1980-01-15-k2Q": "date",
    "150180-jdvries-a1b2": "date",
    "0612345678": "telephone",
    "06-12345678": "telephone",
    "+31 6 12345678": "telephone",
    "0031-6-1234-5678": "telephone",
    "a7Z-020-1234567-kQ2m": "telephone",
    "NL91ABNA0417164300": "telephone",
    "NL91ABNA9417164300x": "known elsewhere",
    "jan.jansen@example.nl": "e-mail",
    "x8Kq@2mT4vB7wLp3nZ91": "e-mail",
    "Jan": "characters",
    "Jan de Vries": "made of",
    "JanPietersenDeVries": "name",
    "jan-pietersen-de-vries": "name",
    "vanderberg_elisabeth": "name",
    "jan-de-vries-1970": "name",
    "Elisabeth-van-Dam-7": "name",
    "ÉlodieDupont1234567": "made of",
    "": "made of",
    " ": "made of",
    "short1": "characters",
    "x1" * 33: "characters",
    "a1a1a1a1a1a1a1a1a1": "repeats",
    "x9Kq2mTaaaaaaaavB7w": "repeats",
    "1234512345123451": "known elsewhere",
    "7F3C1E52-9D04-4B6A-8F21-0C5D7E9AB134": "lower case",
    "7f3c1e52-9d04-4b6a-8f21-0C5D7E9AB134": "lower case",
    "urn:uuid:7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134": "lower case",
    "{7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134}": "lower case",
    "7f3c1e52-9d04-0b6a-8f21-ac5d7e9ab134": "version of 1 to 8",
    "7f3c1e52-9d04-4b6a-1f21-ac5d7e9ab134": "version of 1 to 8",
    "00000000-0000-0000-0000-000000000000": "",
    "ffffffff-ffff-ffff-ffff-ffffffffffff": "",
    "00000000-0000-4000-8000-000111222333": "",
    "aaaaaaaa-bcde-4bcd-8bcd-abcdefabcdef": "drawn by chance",
    "12345678-1234-4123-8123-123456789012": "known elsewhere",
    "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134\n": "made of",
    "Zx81kQ2mT-4vB_7wLp3n=": "made of",
    "Zx81kQ2mT+4vB/7wLp3n": "made of",
    "Zx81kQ2mT\0-4vB_7wLp3n": "made of",
    "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦": "",
}


@pytest.mark.parametrize("subject", ACCEPTED)
def test_what_is_opaque_is_accepted(subject: str) -> None:
    assert subject_fault(subject) == ""


@pytest.mark.parametrize("subject", REFUSED, ids=ascii)
def test_what_may_name_a_person_is_refused(subject: str) -> None:
    fault = subject_fault(subject)
    assert fault
    assert REFUSED[subject] in fault
    assert subject.strip() not in fault or not subject.strip()


@pytest.mark.parametrize("subject", [subject for subject in REFUSED if re.search("[0-9]{3}", subject)], ids=ascii)
def test_no_part_of_it_is_repeated(subject: str) -> None:
    assert not set(re.findall("[0-9]{3,}|[A-Za-z]{5,}", subject)) & set(re.findall(r"\w+", subject_fault(subject)))


def drawn(seed: int) -> dict[str, Callable[[], str]]:
    random_ = random.Random(seed)
    return {
        "UUID": lambda: str(UUID(int=random_.getrandbits(128), version=4)),
        "hexadecimal": lambda: random_.randbytes(16).hex(),
        "base64url": lambda: base64.urlsafe_b64encode(random_.randbytes(24)).decode(),
    }


@pytest.mark.parametrize(("kind", "refused"), [("UUID", 0), ("hexadecimal", 0), ("base64url", 50)])
def test_few_that_are_drawn_by_chance_are_refused(kind: str, refused: int) -> None:
    """Of 5000. Letters alone are 1 of 200 tokens of 32 characters."""
    draw = drawn(7)[kind]
    assert sum(1 for _ in range(5000) if subject_fault(draw())) <= refused


def test_the_eleven_test() -> None:
    assert all(map(is_bsn, ("111222333", "123456782", "012345672", "12345672")))
    assert not any(map(is_bsn, ("123456789", "000000000", "111222334", "1112223330", "1234567", "")))
    assert sum(is_bsn(str(number)) for number in range(100_000_000, 100_011_000)) == 1000

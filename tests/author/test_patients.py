"""Patients' files are read exactly, whatever they hold: right answers, named faults, and never an exception."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from engine.author.patients import LARGEST, Answer, Fault, Patient, read_patients
from engine.rules import document


def read(text: str | bytes, name: str = "-") -> list[Patient | Fault]:
    return list(read_patients(io.BytesIO(text.encode() if isinstance(text, str) else text), name))


def codes(text: str | bytes, name: str = "-") -> list[tuple[str, str]]:
    """Field and code of everything that is wrong with the only patient."""
    (fault,) = read(text, name)
    assert isinstance(fault, Fault), fault
    return [(each.field, each.code) for each in fault.violations]


def answers(text: str, name: str = "-") -> dict[str, Answer]:
    (patient,) = read(text, name)
    assert isinstance(patient, Patient), patient
    return dict(patient.answers)


ANSWERS = {"a": "yes", "b": "no", "c": "12", "d": "0.7", "e": "unknown", "f": ("x", "y"), "g": "mild"}
SAME = {
    "json": '{"answers": {"a": true, "b": false, "c": 12, "d": 0.7, "e": "unknown", "f": ["x", "y"], "g": "mild"}}',
    "json of texts": '{"answers": {"a":"yes","b":"no","c":"12","d":"0.7","e":"unknown","f":["x","y"],"g":"mild"}}',
    "json, pretty": '{\n "answers": {\n"a": "yes", "b": "no", "c": 1.2e1, "d": 7e-1, "e": "unknown",\n'
    ' "f": ["x", "y"],\n "g": "mild"\n}\n}\n',
    "yaml": "answers:\n  a: yes\n  b: no\n  c: 12\n  d: 0.70\n  e: unknown\n  f: [x, y]\n  g: mild\n",
    "yaml, booleans": "# one\n---\nanswers: {a: yes, b: no, c: 12.0, d: 0.7, e: unknown, f: [x, y], g: mild}\n",
    "yaml, flow": "{answers: {a: 'yes', b: no, c: '12', d: 0.7, e: unknown, f: [x, y], g: mild}}",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_every_format_gives_the_same_answers(text: str) -> None:
    assert answers(text) == ANSWERS


def test_the_keys_around_the_answers() -> None:
    text = '{"ruleset":"r","version":"1.0.0","language":"nl","answers":{},"none_of":["g"],"request_id":"q-1"}'
    assert read(text) == [Patient("line 1", "r", "1.0.0", "nl", {}, ("g",), "q-1")]
    assert read('none_of: "*"')[0] == Patient("", "", "", "", {}, ("*",), "")


def test_numbers_are_exact() -> None:
    digits = "0.1000000000000000055511151231257827"
    assert answers(f'{{"answers": {{"a": {digits}}}}}')["a"] == digits
    assert answers('{"answers": {"a": 9007199254740993}}')["a"] == "9007199254740993"
    assert answers("answers: {a: 012}")["a"] == "012"
    assert answers(f'{{"answers": {{"a": {"9" * 100_000}}}}}')["a"] == "9" * 100_000
    assert answers('{"answers": {"a": 1e999999999}}')["a"] == "1e999999999"


WRONG: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "empty": ("", [("", "empty-file")]),
    "blank": (" \n\n", [("", "empty-file")]),
    "empty list": ("[]", [("", "empty-file")]),
    "only comments": ("# nobody\n", [("", "empty-file")]),
    "a number": ("[1]", [("", "wrong-shape")]),
    "a text": ("hello", [("", "wrong-shape")]),
    "nothing asked": ('{"ruleset": "r"}', [("answers", "no-answers")]),
    "a list of answers": ('{"answers": []}', [("answers", "wrong-shape")]),
    "null": ('{"answers": {"a": null}}', [('answers["a"]', "no-value")]),
    "empty in yaml": ("answers: {a: }", [('answers["a"]', "no-value")]),
    "nan": (
        '{"answers": {"a": NaN, "b": -Infinity}}',
        [('answers["a"]', "wrong-type"), ('answers["b"]', "wrong-type")],
    ),
    "nested": (
        '{"answers": {"a": {"b": 1}, "c": [[1]]}}',
        [('answers["a"]', "wrong-type"), ('answers["c"]', "wrong-type")],
    ),
    "half a character": ('{"answers": {"a": "\\ud800"}}', [('answers["a"]', "wrong-type")]),
    "half a character as a key": ('{"answers": {"\\ud800": "yes"}}', [('answers["?"]', "wrong-type")]),
    "a key twice": ('{"ruleset": "a", "ruleset": "b", "answers": {}}', [("ruleset", "duplicate-key")]),
    "an answer twice": ('{"answers": {"a": true, "a": false}}', [('answers["a"]', "duplicate-key")]),
    "an answer twice in yaml": ("answers: {a: yes, a: no}", [("", "duplicate-key")]),
    "types": (
        '{"ruleset": 1, "version": 2, "language": true, "request_id": "", "answers": 3, "none_of": "g"}',
        [
            ("answers", "wrong-shape"),
            ("language", "wrong-type"),
            ("none_of", "wrong-type"),
            ("request_id", "no-value"),
            ("ruleset", "wrong-type"),
            ("version", "wrong-type"),
        ],
    ),
    "every fault is named": (
        '{"answers": {"a": null, "b": {}}, "anwsers": {}, "none_of": null}',
        [
            ('answers["a"]', "no-value"),
            ('answers["b"]', "wrong-type"),
            ("anwsers", "unknown-key"),
            ("none_of", "wrong-type"),
        ],
    ),
    "json syntax": ('{"answers": {"a": true,}}', [("", "json-syntax")]),
    "two json values": ('{"answers": {}\n}\n{"answers": {}\n}', [("", "json-syntax")]),
    "deep json": ("[" * 100_000, [("", "too-deep")]),
    "deep yaml": ("- " * 5_000, [("", "too-deep")]),
    "yaml syntax": ("answers: [a", [("", "yaml-syntax")]),
    "yaml alias": ("answers: &a {b: *a}", [("", "yaml-anchor")]),
    "a control character": ("answers: {a: \x00}", [("", "bad-encoding")]),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(text: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(set(codes(text))) == sorted(set(expected))


def test_many_faults_are_counted() -> None:
    (fault,) = read(json.dumps({"answers": {f"q{number}": None for number in range(1000)}}))
    assert isinstance(fault, Fault)
    assert fault.violations[-1].message == "900 more were left out"


def test_bytes_that_are_no_text() -> None:
    assert codes(b"\xff\xfe\x00") == [("", "bad-encoding")]
    assert codes(b'{"answers":\xff}', "a.json") == [("", "bad-encoding")]
    assert codes(b"x" * (document.LARGEST + 1), "a.yaml") == [("", "too-large")]
    assert codes(b'{"answers":' + b" " * LARGEST + b"{}}", "a.json") == [("", "too-large")]
    assert isinstance(read(b'\xef\xbb\xbf{"answers":{}}')[0], Patient)


def test_a_broken_line_stops_no_other() -> None:
    lines = ['{"answers":{"a":1}}', "{broken", "", '["x"]', '{"answers":{"b":2}}']
    for order in (lines, [lines[1], lines[0], *lines[2:]]):
        found = [(type(each), each.place) for each in read("\n".join(order))]
        patients = sum(kind is Patient for kind, _ in found)
        assert (patients, [place for _, place in found]) == (2, ["line 1", "line 2", "line 4", "line 5"])


def test_lists_and_documents() -> None:
    found = read('[{"answers": {}},\n {"answers": null}]')
    assert [(type(each), each.place) for each in found] == [(Patient, "patient 1"), (Fault, "patient 2")]
    found = read("answers: {a: yes}\n---\nanswers: {a: yes\n---\n- answers: {}\n- answers: {b: no}\n")
    assert [(type(each), each.place) for each in found] == [
        (Patient, "document 1"),
        (Fault, "document 2"),
        (Patient, "document 3, patient 1"),
        (Patient, "document 3, patient 2"),
    ]
    assert isinstance(found[1], Fault)
    assert found[1].violations[0].message.startswith("line 3, column 10: ")


class Endless(io.RawIOBase):
    """Line after line, and a count of how many were taken."""

    taken = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.taken += 1
        return b'{"answers":{"a":%d}}\n' % self.taken


def test_lines_are_read_one_by_one() -> None:
    stream = Endless()
    patients = read_patients(stream, "-")  # type: ignore[arg-type]
    for number in range(1, 100):
        patient = next(patients)
        assert isinstance(patient, Patient)
        assert (patient.answers["a"], stream.taken) == (str(number), number)


NAMES = st.sampled_from(["-", "a.json", "a.jsonl", "a.yaml", "a"])
KEYS = st.sampled_from(["ruleset", "version", "language", "answers", "none_of", "request_id"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
PATIENTS = st.dictionaries(KEYS | st.text(max_size=3), VALUES, max_size=5)


@drawn(st.binary() | st.text().map(str.encode) | st.text(alphabet='{}[]":,-\n #&*!a1\\').map(str.encode), NAMES)
def test_no_bytes_raise(data: bytes, name: str) -> None:
    assert read(data, name)


@drawn(st.lists(PATIENTS, min_size=1, max_size=3), NAMES)
def test_nothing_that_json_can_write_raises(patients: list[dict[str, object]], name: str) -> None:
    assert read("\n".join(json.dumps(each) for each in patients), name)
    assert read(json.dumps(patients, indent=1), name)

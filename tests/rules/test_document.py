"""Texts of every kind become trees or problems, and never an exception."""

from __future__ import annotations

import random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.rules import document
from engine.rules.document import Mapping, Scalar, Sequence
from engine.rules.problem import Problem
from engine.rules.source import Source
from tests.rules.bicycle import FOLDER


def read_bytes(name: str, data: bytes) -> tuple[document.Node | None, list[Problem]]:
    """What the loader does with a file's bytes."""
    source, problems = document.decode(name, data)
    return (None, problems) if problems else document.read(source)


def read(text: str) -> document.Node:
    """The tree of a text that has no problem."""
    node, problems = document.read(Source("a.yaml", text))
    assert node is not None and problems == []
    return node


def codes(text: str) -> list[str]:
    return [problem.code for problem in document.read(Source("a.yaml", text))[1]]


@pytest.mark.parametrize(
    "text",
    ["yes", "no", "012", "1:30", "1e3", "0x1F", "~", "null", "2026-01-01", ".nan", "1_000", "on", "<<", "=", "112"],
)
def test_every_scalar_stays_what_it_looks_like(text: str) -> None:
    assert document.plain(read(f"{{a: {text}}}")) == {"a": text}


def test_an_empty_value_is_an_empty_text() -> None:
    assert document.plain(read("a:\nb: ''\nc: []\nd: {}\n")) == {"a": "", "b": "", "c": [], "d": {}}


def test_quotes_and_layout_do_not_change_the_content() -> None:
    assert document.plain(read("a: [x, y]\nb: {c: d}")) == document.plain(
        read("'a':\n  - \"x\"\n  - y # why\nb:\n  c: d\n")
    )


def test_spans_count_characters_from_one() -> None:
    node = read("é😀: {b: [x, 'yy']}\n")
    assert isinstance(node, Mapping)
    assert [(key.text, key.span.column, key.span.end_column) for key, _ in node.entries] == [("é😀", 1, 3)]
    inner = node.get("é😀")
    assert isinstance(inner, Mapping)
    listed = inner.get("b")
    assert isinstance(listed, Sequence)
    assert [(item.span.line, item.span.column, item.span.end_column) for item in listed.items] == [
        (1, 10, 11),
        (1, 13, 17),
    ]
    assert inner.get("absent") is None


def test_places_have_a_path_for_every_key_and_value() -> None:
    found = {path: span.place for path, span in document.places(read("a: {b: c}\nd:\n  - e\n"))}
    assert found == {
        (): "a.yaml:1:1",
        ("a", document.KEY): "a.yaml:1:1",
        ("a",): "a.yaml:1:1",
        ("a", "b", document.KEY): "a.yaml:1:5",
        ("a", "b"): "a.yaml:1:8",
        ("d", document.KEY): "a.yaml:2:1",
        ("d",): "a.yaml:2:1",
        ("d", 0): "a.yaml:3:5",
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: c}\nd:\n  - e\n  - {f: [g], h: ''}\n",
        "a: {'[key]': b, c: {'[key]': {d: e}}}\n'0': [f]\n",  # the step that names a key may be a key
        "alone",
    ],
)
def test_places_are_looked_up_as_they_are_listed(text: str) -> None:
    node = read(text)
    listed, found = dict(document.places(node)), document.Places(node)
    assert dict(found) == listed
    for path in listed:
        for other in ((*path, "x"), (*path, 9), (*path, -1), (*path, document.KEY)):
            assert found.get(other) == listed.get(other), other


def test_lines_agree_with_windows_line_breaks() -> None:
    node = read("a: b\r\nc: d\r\n")
    assert isinstance(node, Mapping)
    span = node.entries[1][0].span
    assert (span.line, span.source.line(2)) == (2, "c: d")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-document"),
        ("# only a comment", "empty-document"),
        ("a: 1\n---\nb: 2", "several-documents"),
        ("a: 1\na: 2", "duplicate-key"),
        ("a: &x 1", "yaml-anchor"),
        ("a: *x", "yaml-anchor"),
        ("a: !!int 1", "yaml-tag"),
        ("!x {a: 1}", "yaml-tag"),
        ("[a]: 1", "yaml-key"),
        ("'': 1", "yaml-key"),
        ("a: [1", "yaml-syntax"),
        ("a: 'x", "yaml-syntax"),
        ("a: @x", "yaml-syntax"),
        ("a: b: c", "yaml-syntax"),
        ("\ta: 1", "yaml-syntax"),
        ('a: "\\q"', "yaml-syntax"),
        ("a: x\x00", "bad-encoding"),
        ("a: x\x85y", "bad-encoding"),
        ("a: x\u2028y", "bad-encoding"),
        ("a: x\u202ey", "bad-encoding"),
        ("a: x\ud800", "bad-encoding"),
        ("a: x\rb: y", "bad-encoding"),
        ("a: \ufeffx", "bad-encoding"),
        ('a: "\\0"', "bad-encoding"),
        ('a: "\\u202E"', "bad-encoding"),
        ("[" * (document.DEEPEST + 2), "too-deep"),
        ("- " * (document.DEEPEST + 2) + "a", "too-deep"),
        ("a" * (document.LARGEST + 1), "too-large"),
    ],
)
def test_what_could_mean_two_things_is_refused(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_the_deepest_allowed_tree_is_read() -> None:
    assert codes("[" * document.DEEPEST + "]" * document.DEEPEST) == []


def test_problems_that_do_not_stop_reading_come_together() -> None:
    assert codes("a: &x 1\nb: !t 2\na: 3\n") == ["yaml-anchor", "yaml-tag", "duplicate-key"]


def test_a_syntax_problem_points_at_its_place() -> None:
    _, problems = document.read(Source("a.yaml", "a: 1\nb: 'open\nc: 2\n"))
    assert [(problem.span.line, problem.span.column) for problem in problems] == [(2, 4)]


def test_both_places_of_a_duplicate_are_named() -> None:
    _, (problem,) = document.read(Source("a.yaml", "x: 1\ny: 2\nx: 3\n"))
    assert problem.span.place == "a.yaml:3:1"
    assert "line 1" in problem.message and "a.yaml:1:1" in problem.help


def test_bytes_that_are_not_utf_8_have_a_place() -> None:
    node, (problem,) = read_bytes("a.yaml", "a: é\nb: x".encode() + b"\xff")
    assert (node, problem.code, problem.span.place) == (None, "bad-encoding", "a.yaml:2:5")
    assert read_bytes("a.yaml", b"a" * (document.LARGEST + 1))[1][0].code == "too-large"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    node, problems = read_bytes("a.yaml", b"\xef\xbb\xbfa: 1")
    assert problems == [] and isinstance(node, Mapping)
    assert node.entries[0][0] == Scalar("a", node.entries[0][0].span)
    assert node.entries[0][0].span.column == 1
    assert codes("\ufeffa: 1") == []


def test_read_all_gives_every_document() -> None:
    nodes, problems = document.read_all(Source("a.yaml", "a: 1\n---\n- b\n---\n"))
    assert ([document.plain(node) for node in nodes], problems) == ([{"a": "1"}, ["b"], ""], [])
    assert document.read_all(Source("a.yaml", "")) == ([], [])


def survives(data: bytes) -> None:
    """Reading gives a complete tree or at least one problem; everything can be rendered."""
    node, problems = read_bytes("a.yaml", data)
    assert all(problem.render() for problem in problems)
    if not problems:
        assert node is not None
        document.plain(node)
        assert all(span.line >= 1 and span.column >= 1 for _, span in document.places(node))


@pytest.fixture(params=["the C parser", "the pure parser"])
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = yaml.CSafeLoader if request.param == "the C parser" else yaml.SafeLoader
    monkeypatch.setattr(document, "_LOADER", loader)


@given(st.binary(max_size=60))
def test_no_bytes_raise(data: bytes) -> None:
    survives(data)


@given(st.text(alphabet=" \t\n\r:-?[]{}&*!|>'\"%@`,#\\xUu0Aé😀\x85\u2028\ufeff\x00~a1.<", max_size=60))
def test_no_text_raises(text: str) -> None:
    survives(text.encode())


@pytest.mark.usefixtures("either_parser")
def test_no_mutation_of_a_ruleset_raises() -> None:
    text = (FOLDER / "ruleset.yaml").read_text(encoding="utf-8")[:1500]
    dice = random.Random(7)
    for _ in range(300):
        chars = list(text)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(chars))
            chars[at : at + dice.randrange(3)] = dice.choice(
                ["\t", "\n", ":", "[", "}", "&", "*a", "!", "'", '"', "\\", "%", "é"]
            )
        survives("".join(chars).encode())


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    "text", ["%YAML " + "9" * 5000 + ".1\n---\na", '"\\UFFFFFFFF"', '"\\ud800"', "? " * 5000, "{a: " * 5000, "&" * 99]
)
def test_texts_that_broke_a_parser(text: str) -> None:
    assert codes(text) != []
    survives(text.encode())

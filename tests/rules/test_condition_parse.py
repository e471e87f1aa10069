"""The grammar of conditions: what each written form becomes, and what is said of every other form."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules import document
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Not,
    Operand,
    Operator,
    Parameter,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Term,
    Text,
    Unknown,
    Unless,
    leaves,
)
from engine.rules.parse_condition import RESERVED, parse_condition
from engine.rules.problem import Problem
from engine.rules.scale import Disposition, Programme
from engine.rules.source import NOWHERE, Source


def parsed(text: str) -> tuple[Condition | None, list[Problem]]:
    node, wrong = document.read(Source("a.yaml", text))
    assert node is not None and wrong == []
    found: list[Problem] = []
    return parse_condition(node, found), found


def bare(condition: Condition) -> str:
    """The condition without places, for comparing."""
    return re.sub(r"span=Span\([^)]*\)", "span=-", repr(condition))


def _is(question: str, value: str) -> Compare:
    return Compare(question, Operator.IN, (Text(value),))


def _bound(operator: Operator, operand: Operand) -> Compare:
    return Compare("q", operator, (operand,))


A, B = _is("a", "yes"), _is("b", "no")
DOCTORS = frozenset({Disposition.GP_WITHIN_DAYS, Disposition.SAME_DAY_GP, Disposition.EMERGENCY})


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("{a: yes}", A),
        ("{q: 0}", _is("q", "0")),
        ("{q: {in: [x, y]}}", Compare("q", Operator.IN, (Text("x"), Text("y")))),
        ("{q: {at_least: 60}}", _bound(Operator.AT_LEAST, Text("60"))),
        ("{q: {at_most: 1.5}}", _bound(Operator.AT_MOST, Text("1.5"))),
        ("{q: {above: 012}}", _bound(Operator.ABOVE, Text("012"))),
        ("{q: {below: {parameter: p}}}", _bound(Operator.BELOW, Parameter("p"))),
        ("{q: {above: {answer: r}}}", _bound(Operator.ABOVE, Sum((Term("r", Decimal(1)),), Decimal(0)))),
        (
            "{q: {above: {sum: [{answer: r, times: 52}, {answer: s, times: -0.5}, 52, 1]}}}",
            _bound(Operator.ABOVE, Sum((Term("r", Decimal(52)), Term("s", Decimal("-0.5"))), Decimal(53))),
        ),
        ("{q: {above: {sum: [{answer: r}]}}}", _bound(Operator.ABOVE, Sum((Term("r", Decimal(1)),), Decimal(0)))),
        ("{unknown: q}", Unknown("q")),
        ("{answered: q}", Answered("q")),
        ("{finding: f}", FindingIs("f")),
        ("{rule: E01}", RuleIs("E01")),
        ("{disposition: {at_least: gp_within_days}}", DispositionIn(DOCTORS)),
        ("{disposition: {in: [physio]}}", DispositionIn(frozenset({Disposition.PHYSIO}))),
        ("{programme: {in: [pilates]}}", ProgrammeIn(frozenset({Programme.PILATES}))),
        ("{all: [{a: yes}, {b: no}]}", All((A, B))),
        ("{any: [{a: yes}]}", AnyOf((A,))),
        ("{not: {a: yes}}", Not(A)),
        ("{unless: {a: yes}}", Unless(A)),
        ("{surely: {a: yes}}", Surely(A)),
        ("{count: {at_least: 2, of: [{a: yes}, {b: no}]}}", Count(2, (A, B))),
        ("{count: {of: [{a: yes}], at_least: 1}}", Count(1, (A,))),
        ("{not: {any: [{a: yes}, {not: {b: no}}]}}", Not(AnyOf((A, Not(B))))),
    ],
)
def test_each_form_becomes_its_condition(text: str, condition: Condition) -> None:
    result, found = parsed(text)
    assert found == [] and result is not None
    assert bare(result) == bare(condition)


def test_a_leaf_stands_at_its_name_and_an_operand_at_its_value() -> None:
    condition, _ = parsed("{all: [{fever: yes}, {unknown: cough}, {q: {above: 3}}]}")
    assert condition is not None and condition.span.column == 2
    fever, cough, above = leaves(condition)
    assert [leaf.span.column for leaf in (fever, cough, above)] == [9, 32, 41]
    assert isinstance(fever, Compare) and isinstance(fever.operands[0], Text)
    assert fever.operands[0].span.column == 16
    assert isinstance(above, Compare) and isinstance(above.operands[0], Text)
    assert above.operands[0].span.column == 52


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("yes", "wrong-type", 1),
        ("[{a: yes}]", "wrong-type", 1),
        ("{}", "condition-keys", 1),
        ("{a: yes, b: no}", "condition-keys", 10),
        ("{a: }", "missing-value", 5),
        ("{not: }", "missing-value", 7),
        ("{all: []}", "empty-list", 2),
        ("{all: {a: yes}}", "wrong-type", 2),
        ("{all: [{a: }]}", "missing-value", 12),
        ("{q: {in: []}}", "empty-list", 6),
        ("{q: {in: x}}", "wrong-type", 6),
        ("{q: [x, y]}", "unknown-operator", 2),
        ("{q: {atleast: 1}}", "unknown-operator", 6),
        ("{q: {above: 1, below: 2}}", "condition-keys", 16),
        ("{q: {above: [1]}}", "wrong-type", 13),
        ("{q: {above: {param: p}}}", "unknown-key", 14),
        ("{q: {above: {parameter: }}}", "missing-value", 25),
        ("{q: {above: {sum: [1]}}}", "empty-list", 14),
        ("{q: {above: {sum: [{times: 2}]}}}", "missing-key", 20),
        ("{q: {above: {sum: [{answer: r, time: 2}]}}}", "unknown-key", 32),
        ("{q: {above: {sum: [{answer: r, times: two}]}}}", "wrong-type", 39),
        ("{q: {in: [{parameter: p}]}}", "wrong-type", 11),
        ("{q: unknown}", "unknown-as-value", 5),
        ("{q: {in: [a, unknown]}}", "unknown-as-value", 14),
        ("{unknown: [q]}", "wrong-type", 11),
        ("{finding: }", "missing-value", 11),
        ("{Q: yes}", "bad-id", 2),
        ("{answer: q}", "misplaced-word", 2),
        ("{count: [{a: yes}]}", "wrong-type", 2),
        ("{count: {at_least: 0, of: [{a: yes}]}}", "count-outside-list", 20),
        ("{count: {at_least: 2, of: [{a: yes}]}}", "count-outside-list", 20),
        ("{count: {at_least: many, of: [{a: yes}]}}", "count-outside-list", 20),
        ("{count: {at_least: 1, of: []}}", "empty-list", 2),
        ("{count: {of: [{a: yes}]}}", "missing-key", 2),
        ("{count: {at_least: 1}}", "missing-key", 2),
        ("{disposition: physio}", "wrong-type", 2),
        ("{disposition: {at_least: fysio}}", "outside-scale", 26),
        ("{disposition: {at_most: physio}}", "unknown-operator", 16),
        ("{programme: {at_least: pilates}}", "unknown-operator", 14),
        ("{programme: {in: [yoga]}}", "outside-scale", 19),
    ],
)
def test_each_other_form_is_one_problem(text: str, code: str, column: int) -> None:
    condition, found = parsed(text)
    assert condition is None
    assert [(problem.code, problem.span.column) for problem in found] == [(code, column)]


def test_a_broken_part_does_not_hide_the_others() -> None:
    _, found = parsed("{all: [{a: unknown}, {not: {any: []}}, {count: {at_least: 9, of: [{b: }, {c: yes}]}}]}")
    assert [problem.code for problem in found] == [
        "unknown-as-value",
        "empty-list",
        "missing-value",
        "count-outside-list",
    ]


def test_unknown_as_a_value_says_what_to_write() -> None:
    assert parsed("{fever: unknown}")[1][0].help == "write {unknown: fever}"


def test_the_reserved_words_are_those_of_the_format() -> None:
    words = "all any not unless surely count finding unknown answered rule disposition programme parameter answer sum"
    assert set(words.split()) == RESERVED


TREES = st.recursive(
    st.sampled_from(["yes", "", "unknown", "1", "q", "physio"]).map(lambda text: document.Scalar(text, NOWHERE)),
    lambda nodes: (
        st.lists(nodes, max_size=3).map(lambda items: document.Sequence(tuple(items), NOWHERE))
        | st.dictionaries(
            st.sampled_from([*sorted(RESERVED), "q", "in", "at_least", "of", "times"]), nodes, max_size=2
        ).map(
            lambda entries: document.Mapping(
                tuple((document.Scalar(key, NOWHERE), value) for key, value in entries.items()), NOWHERE
            )
        )
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_tree_is_a_condition_or_has_problems(node: document.Node) -> None:
    found: list[Problem] = []
    condition = parse_condition(node, found)
    assert (condition is None) == bool(found)

"""The rivals with a Python package, each in its fastest form: zen-engine as expression and as decision graph, and CEL.

Measured on low_back_pain: zen is faster with a graph that its engine looks up by key in a static loader than with one
that was handed out as a decision (which starts an asynchronous run each time), with answers as JSON text than as a dict
or bytes, and with only the values that it reads than with nulls and others beside them. CEL is faster with variables
than with the patient as one map.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import zen
from cel_expr_python import cel  # type: ignore[import-untyped]  # its types are not marked as such

from tests.bench.rivals.contestants import InProcess
from tests.bench.rivals.text import Dialect, chosen, written
from tests.bench.rivals.tree import Logic

ZEN: Final = Dialect(" and ", " or ", "not ")
CEL: Final = Dialect(" && ", " || ", "!")
RULESET: Final = "ruleset"
OUTPUT: Final = "disposition"


def zen_expression(logic: Logic) -> InProcess[str]:
    """zen-engine without its graphs: the whole ruleset as one compiled expression."""
    expression = zen.compile_expression(disposition(logic, ZEN))

    def decide(patient: str) -> str:
        word: str = expression.evaluate(patient)
        return word

    return InProcess("zen-engine, one expression", lambda patient: _values(logic, patient), decide, decide)


def zen_graph_of_expression(logic: Logic) -> InProcess[str]:
    """A decision graph with one expression node."""
    content = {"expressions": [{"id": "when", "key": OUTPUT, "value": disposition(logic, ZEN)}]}
    return _zen_graph("zen-engine, graph with an expression node", logic, "expressionNode", content)


def zen_graph_of_table(logic: Logic) -> InProcess[str]:
    """A decision graph with one decision table, a row for each disposition; the first that is true decides."""
    rows = [
        {"_id": word, "when": written(when, ZEN), "then": json.dumps(word)} for word, when in logic.by_disposition()
    ]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "when", "name": "when"}],
        "outputs": [{"id": "then", "name": OUTPUT, "field": OUTPUT}],
        "rules": [*rows, {"_id": "default", "when": "", "then": json.dumps(logic.default)}],
    }
    return _zen_graph("zen-engine, graph with a decision table", logic, "decisionTableNode", content)


def _zen_graph(name: str, logic: Logic, kind: str, content: Mapping[str, Any]) -> InProcess[str]:
    graph = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "rules", "name": "rules", "type": kind, "content": content},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "first", "sourceId": "in", "targetId": "rules", "type": "edge"},
            {"id": "second", "sourceId": "rules", "targetId": "out", "type": "edge"},
        ],
    }
    evaluate = zen.ZenEngine({"loader": {"type": "static", "content": {RULESET: graph}}}).evaluate

    def decide(patient: str) -> str:
        word: str = evaluate(RULESET, patient)["result"][OUTPUT]
        return word

    return InProcess(name, lambda patient: _values(logic, patient), decide, decide)


def cel_expression(logic: Logic) -> InProcess[cel.Activation]:
    """CEL on its C++ engine: one checked expression over a variable for each question."""
    environment = cel.NewEnv(variables=dict.fromkeys(logic.questions, cel.Type.DYN))
    evaluate = environment.compile(disposition(logic, CEL)).eval

    def prepare(patient: str) -> cel.Activation:
        answers = json.loads(patient)
        return environment.Activation({question: answers[question] for question in logic.questions})

    def decide(patient: cel.Activation) -> str:
        word: str = evaluate(patient).value()
        return word

    def decide_raw(patient: str) -> str:
        word: str = evaluate(data=json.loads(patient)).value()
        return word

    return InProcess("CEL (C++)", prepare, decide, decide_raw)


def disposition(logic: Logic, dialect: Dialect) -> str:
    """The whole ruleset as one expression, most urgent first."""
    cases = [(word, written(when, dialect)) for word, when in logic.by_disposition()]
    return chosen(cases, logic.default)


def _values(logic: Logic, patient: str) -> str:
    answers = json.loads(patient)
    values = {question: answers[question] for question in logic.questions if answers[question] is not None}
    return json.dumps(values, separators=(",", ":"))

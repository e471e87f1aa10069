"""One patient for each disposition, for whoever fills in the form: what is answered, and the same as a request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from engine.decide.cases import case_answers
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.scale import Disposition
from engine.serve.fhir.names import denial_link
from tests.serve.fhir.conftest import form, shelf_of
from tests.serve.fhir.test_exactness import cases
from tests.serve.fhir.written import direct, enabled, every_item, respond

RULESET = "low_back_pain"


def write_patients(file: Path) -> None:
    """The settled case of each disposition that says it with the fewest answers, as JSON.

    Of its answers and denials, those of what the form shows.
    """
    shelf = shelf_of(RULESET)
    ruleset = shelf.served(RULESET).evaluator.checked.ruleset
    found: dict[int, dict[str, Any]] = {}
    for case in cases(RULESET):
        answers = case_answers(ruleset, case)
        shown = enabled(form(RULESET), respond(form(RULESET), answers, case.none_of))
        answers = {name: answer for name, answer in answers.items() if name in shown}
        denied = ruleset.groups if "*" in case.none_of else case.none_of
        none_of = tuple(group for group in denied if denial_link(group) in shown)
        request = direct(RULESET, answers, none_of)
        decided = shelf.service.answer(request)
        disposition = decided.decision.disposition
        response = respond(form(RULESET), answers, none_of)
        given = {item["linkId"]: item["answer"] for item in every_item(response.get("item", [])) if "answer" in item}
        known = found.get(disposition)
        if decided.HasField("decision") and (known is None or len(given) < len(known["answers"])):
            found[disposition] = {
                "case": case.id,
                "disposition": pb.Disposition.Name(disposition),
                "answers": given,
                "request": MessageToDict(request),
            }
    assert len(found) == len(Disposition)
    file.write_text(json.dumps([*found.values()], default=float), "utf-8")

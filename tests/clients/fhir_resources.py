"""Every FHIR resource that Pluis makes of low back pain stands up to all judges of `tests/clients/fhir`.

They are programs in Node; so `make test-clients` runs this, and not `make test`.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.decide.cases import case_answers
from engine.serve.fhir.definitions import (
    capability_statement,
    code_systems,
    operation_definition,
    plan_definition,
    question_codes,
    searchset,
)
from tests.serve.fhir.conftest import BASE, TODAY, form, shelf_of
from tests.serve.fhir.test_exactness import cases
from tests.serve.fhir.test_guidance import triage
from tests.serve.fhir.written import respond, sent

FHIR = Path(__file__).parent / "fhir"
RULESET = "low_back_pain"
EVERY = 12
"""Of the patients' responses this part is judged: they are written here, and alike."""
PATIENCE = 200


def definitions() -> Iterator[Any]:
    served = shelf_of(RULESET).served(RULESET)
    for language in served.languages:
        yield form(RULESET, language)
        yield plan_definition(served, language, BASE, TODAY)
        yield question_codes(served, language, BASE, TODAY)
    yield from (capability_statement(BASE, TODAY, authenticated) for authenticated in (True, False))
    yield operation_definition(BASE, TODAY)
    yield from code_systems(BASE, TODAY)
    yield searchset(code_systems(BASE, TODAY), BASE, f"{BASE}/CodeSystem")


def patients() -> Iterator[Any]:
    ruleset = shelf_of(RULESET).served(RULESET).evaluator.checked.ruleset
    for number, case in enumerate(cases(RULESET)):
        answers = case_answers(ruleset, case)
        if number % EVERY == 0:
            yield sent(respond(form(RULESET), answers, case.none_of))
        yield triage(RULESET, answers, *case.none_of)


def test_every_resource_stands_up_to_all_judges() -> None:
    resources = [*definitions(), *patients()]
    kinds = Counter(each["resourceType"] for each in resources)
    assert kinds["Questionnaire"] == kinds["PlanDefinition"] == 2
    assert kinds["GuidanceResponse"] == len(cases(RULESET)) > 200
    lines = "".join(f"{json.dumps(each, default=float)}\n" for each in resources)
    done = subprocess.run(["node", "check.js"], cwd=FHIR, input=lines, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(resources)
    assert [(each["resourceType"], faults) for each, faults in zip(resources, told, strict=True) if faults] == []

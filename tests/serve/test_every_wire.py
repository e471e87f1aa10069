"""One patient, every wire: gRPC, JSON, FHIR, CDS Hooks and the interview page of one server give the same decision.

Each wire is asked as its own clients ask it; none of them goes through another. The page asks for less than a form has,
and wants an answer to all that it asks: so its end is held against what gRPC decides on the answers that it collected,
and its disposition against that of the whole patient.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
from google.protobuf.json_format import MessageToDict

from engine.decide.answers import Given, plain_number
from engine.decide.cases import case_answers
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.cases import Case
from engine.rules.load import load_cases
from engine.rules.model import Ruleset
from engine.serve.fhir.names import denial
from engine.serve.interview.entries import typed
from engine.serve.interview.state import SAID
from tests.serve.conftest import PUBLISHED
from tests.serve.fhir.written import direct, respond
from tests.serve.gateway.conftest import Web, web_server
from tests.serve.interview.reading import Page, read

RULESET = "low_back_pain"
MODULE = RULESET.replace("_", "-")
PATH = f"/nl/{RULESET}"
PERSON = "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
MOST_SCREENS = 100
UNKNOWN = "unknown"


@dataclass
class Clinic:
    """A server that records, and a client of each of its wires."""

    web: Web
    form: Any
    ruleset: Ruleset
    cases: tuple[Case, ...]

    def grpc(self, answers: Mapping[str, Given], none_of: tuple[str, ...] = ()) -> pb.EvaluateResponse:
        response: pb.EvaluateResponse = self.web.stub.Evaluate(direct(RULESET, answers, none_of))
        return response

    def json(self, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> str:
        found: str = self.web.evaluate(MessageToDict(direct(RULESET, answers, none_of))).json()["decisionDigest"]
        return found

    def fhir(self, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> str:
        """By the Questionnaire that this server gives, as each of its clients has it."""
        guidance = self._post(f"/fhir/R4/PlanDefinition/{MODULE}/$triage", respond(self.form, answers, none_of))
        (parameters,) = (each for each in guidance["contained"] if each["resourceType"] == "Parameters")
        (found,) = (each["valueString"] for each in parameters["parameter"] if each["name"] == "decision_digest")
        return str(found)

    def hooks(self, case: str, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> set[str]:
        """The digests on all cards: somebody opens a chart with one completed questionnaire."""
        intake = respond(self.form, answers, none_of) | {"subject": {"reference": f"Patient/{PERSON}"}}
        call = {
            "hook": "patient-view",
            "hookInstance": str(uuid5(NAMESPACE_URL, case)),
            "context": {"userId": "Practitioner/8", "patientId": PERSON},
            "prefetch": {
                "intake": {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": intake}]}
            },
        }
        cards = self._post(f"/cds-services/{MODULE}-patient-view", call)["cards"]
        return {card["extension"]["pluis.triage.decision"]["digest"] for card in cards}

    def interview(self, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> tuple[str, dict[str, Given]]:
        """The digest of the decision on the last page, as it is on record, and all that was answered until then."""
        return self._to_the_end(self._press(self._page(self.web.http.get(PATH)).sends("on")), answers, none_of)

    def interview_goes_on(self, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> tuple[str, dict[str, Given]]:
        """As `interview`, of a person who has said all of this on the screens before."""
        said = {name: self._says(name, answers, none_of) for name in self.ruleset.questions}
        known = {name: each for name, each in said.items() if name in answers or each != UNKNOWN}
        before = urlencode({SAID: urlencode(known, doseq=True)})
        start = self._page(self.web.http.get(PATH)).sends("on")
        return self._to_the_end(self._press(f"{start}&{before}"), answers, none_of)

    def _to_the_end(
        self, page: Page, answers: Mapping[str, Given], none_of: tuple[str, ...]
    ) -> tuple[str, dict[str, Given]]:
        for _ in range(MOST_SCREENS):
            if "next" in page.buttons:
                said = {name: self._says(name, answers, none_of) for name in page.questions}
                page = self._press(page.sends("next", said))
            elif "on" in page.buttons:  # something that cannot wait was told in between
                page = self._press(page.sends("on"))
            else:
                break
        found = UUID.search(page.text)
        assert found is not None
        screens = [parse_qs(value) for name, value in page.hidden if name == SAID]
        collected = {name: tuple(said) for screen in screens for name, said in screen.items()}
        return self.web.client.decision(found[0]).record.decision_digest, typed(self.ruleset, collected)

    def _says(self, name: str, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> str | list[str]:
        """What a person with these answers says to a question; of what is not known of them, that they do not know."""
        question = self.ruleset.questions[name]
        given = answers.get(name)
        if given is None:
            denied = question.group in none_of or "*" in none_of
            return (denial(question) if denied else "") or UNKNOWN
        if given.kind is None:
            return UNKNOWN
        return list(given.value) if isinstance(given.value, tuple) else plain_number(given.value)

    def _press(self, body: str) -> Page:
        form = {"content-type": "application/x-www-form-urlencoded"}
        return self._page(self.web.http.post(PATH, content=body, headers=form))

    def _page(self, response: httpx.Response) -> Page:
        assert response.status_code == httpx.codes.OK, response.text
        return read(response.text)

    def _post(self, path: str, body: Any) -> Any:
        content, headers = json.dumps(body, default=float), {"content-type": "application/json"}
        response = self.web.http.post(path, content=content, headers=headers)
        assert response.status_code == httpx.codes.OK, response.text
        return response.json()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    with web_server(PUBLISHED, log=str(folder / "log"), state=folder / "state") as web:
        form = web.http.get(f"/fhir/R4/Questionnaire/{MODULE}").json()
        checked = web.registry.current().find(RULESET, "", web.registry.today()).evaluator.checked
        yield Clinic(web, form, checked.ruleset, load_cases(PUBLISHED / RULESET, checked))


def chosen(cases: tuple[Case, ...], step: int) -> list[Case]:
    """Every so many cases; first one in which all groups are denied, and one in which some are."""
    all_denied = next(case for case in cases if case.none_of == ("*",))
    some_denied = next(case for case in cases if case.none_of not in ((), ("*",)))
    return [all_denied, some_denied, *cases[::step]]


@pytest.mark.parametrize("step", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_every_wire_gives_the_same_decision(clinic: Clinic, step: int) -> None:
    ended = 0
    for case in chosen(clinic.cases, step):
        answers = case_answers(clinic.ruleset, case)
        wanted = clinic.grpc(answers, case.none_of)
        digests = {wanted.decision_digest, clinic.json(answers, case.none_of), clinic.fhir(answers, case.none_of)}
        digests |= clinic.hooks(case.id, answers, case.none_of)
        told, collected = clinic.interview_goes_on(answers, case.none_of)
        if wanted.HasField("decision") and not wanted.decision.programme.open:
            digests.add(told)
            ended += 1
        else:  # the page asks for what is missing
            assert clinic.grpc(collected).decision_digest == told, case.id
        assert digests == {wanted.decision_digest}, case.id
    assert ended * step > len(clinic.cases) // 2


@pytest.mark.parametrize("step", [300, pytest.param(6, marks=pytest.mark.slow)])
def test_the_interview_from_its_first_screen_ends_with_the_same_decision(clinic: Clinic, step: int) -> None:
    for case in chosen(clinic.cases, step):
        answers = case_answers(clinic.ruleset, case)
        told, collected = clinic.interview(answers, case.none_of)
        same = clinic.grpc(collected)
        digests = {same.decision_digest, clinic.json(collected, ()), clinic.fhir(collected, ())}
        assert digests | clinic.hooks(f"{case.id} page", collected, ()) == {told}, case.id
        whole = clinic.grpc(answers, case.none_of)
        if whole.HasField("decision"):
            assert same.decision.disposition == whole.decision.disposition, case.id

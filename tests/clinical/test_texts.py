"""The texts of the shipped ruleset: the same in content in every language, each shown to somebody, none too hard."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from engine.author.readability import find_hard_texts
from engine.client import to_request
from engine.decide.cases import case_answers, run_cases
from engine.decide.decision import Outcome
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.cases import Case
from engine.rules.load import load_cases
from engine.rules.scale import Call, Disposition, Guidance, Programme
from engine.serve.config import Config
from engine.serve.registry import Registry
from engine.serve.service import TriageService
from tests.clinical.patients import RULESETS, evaluator

RULESET = evaluator().checked.ruleset
CASES = load_cases(RULESETS / "low_back_pain", evaluator().checked)
VIGNETTES = [case for case in CASES if re.fullmatch(r"LBP-V\d+", case.id)]
NL, EN = RULESET.texts["nl"], RULESET.texts["en"]
ALWAYS = {("safety_net", each) for each in ("SN-01", "SN-02", "SN-03", "SN-04")}
BECAUSE = {rule.id: rule.because for rule in (*RULESET.rules.values(), RULESET.default)}
BOTH_REGISTERS = ("reasons", "dispositions", "advice", "safety_net")
"""Sections in which a clinician reads another text than a patient."""

Key = tuple[str, str]


@pytest.fixture(scope="module")
def service() -> TriageService:
    return TriageService(Config(rulesets=RULESETS), Registry(RULESETS))


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    results = run_cases(evaluator(), CASES)
    assert [result.case.id for result in results if not result.passed] == []
    return [result.outcome for result in results if result.outcome is not None and result.outcome.settled]


def ask(service: TriageService, case: Case, language: str) -> pb.EvaluateResponse:
    """A vignette as a caller sends it, in process: the wire has its own test."""
    given = case_answers(RULESET, case)
    answers = {name: "unknown" if each.kind is None else each.value for name, each in given.items()}
    request = to_request(answers, ruleset="low_back_pain", language=language, none_of=case.none_of)
    return service.answer(request)


def shown_by(outcome: Outcome) -> Iterator[Key]:
    """The texts that come with an outcome."""
    yield from (("advice", each) for each in outcome.advice)
    yield from (("safety_net", each) for each in outcome.safety_net)
    yield from (("reasons", BECAUSE[each]) for each in outcome.rules)
    yield ("reasons", outcome.programme.because)
    yield ("dispositions", outcome.floor.word)
    yield ("calls", outcome.call.word)
    yield ("programmes", outcome.programme.choice.word)
    if outcome.guidance is not None:
        yield ("guidance", outcome.guidance.word)


def every_text() -> set[Key]:
    """The texts that come with decisions."""
    found = {("advice", each) for each in RULESET.advice} | {("safety_net", each) for each in RULESET.safety_net}
    found |= {("reasons", each) for each in (*BECAUSE.values(), *(row.because for row in RULESET.programme))}
    scales = {"dispositions": Disposition, "calls": Call, "programmes": Programme, "guidance": Guidance}
    return found | {(section, word) for section, scale in scales.items() for word in scale.words()}


@pytest.mark.parametrize("case", VIGNETTES, ids=lambda case: case.id)
def test_a_decision_is_the_same_in_each_language(service: TriageService, case: Case) -> None:
    responses = {language: ask(service, case, language) for language in ("nl", "en")}
    assert len({response.decision_digest for response in responses.values()}) == 1
    for language, response in responses.items():
        decision, texts = response.decision, RULESET.texts[language]
        assert response.language == language
        assert response.decision_digest
        pairs = [(("advice", each.id), each.text, each.clinician_text) for each in decision.advice]
        pairs += [(("safety_net", each.id), each.text, each.clinician_text) for each in decision.safety_net]
        pairs += [(("reasons", each.because), each.text, each.clinician_text) for each in decision.rules]
        chosen, carried = decision.programme, decision.disposition_text
        pairs.append((("reasons", chosen.because), chosen.text, chosen.clinician_text))
        word = pb.Disposition.Name(decision.disposition).removeprefix("DISPOSITION_").lower()
        pairs.append((("dispositions", word), carried.text, carried.clinician_text))
        for key, patient, clinician in pairs:
            assert (patient, clinician) == (texts.get(*key).patient, texts.get(*key).clinician), key
        assert carried.title == texts.get("disposition_titles", word).patient
        call = pb.Call.Name(decision.call).removeprefix("CALL_").lower()
        assert decision.call_text == texts.get("calls", call).patient


def test_every_text_is_shown_for_at_least_one_case(outcomes: list[Outcome]) -> None:
    shown = Counter(key for outcome in outcomes for key in shown_by(outcome))
    assert sorted(every_text() - set(shown)) == []
    assert sorted(set(shown) - every_text()) == []


def test_every_text_is_hidden_for_at_least_one_case(outcomes: list[Outcome]) -> None:
    shown = Counter(key for outcome in outcomes for key in set(shown_by(outcome)))
    assert {key for key, count in shown.items() if count == len(outcomes)} == ALWAYS


def test_every_rule_is_expected_by_name_in_a_case() -> None:
    expected = {rule for case in CASES for rule in case.expect.rules or ()}
    assert sorted(set(BECAUSE) - expected) == []


def test_the_languages_have_the_same_texts() -> None:
    assert {section: set(texts) for section, texts in NL.of.items()} == {
        section: set(texts) for section, texts in EN.of.items()
    }
    assert {name: set(labels) for name, labels in NL.options.items()} == {
        name: set(labels) for name, labels in EN.options.items()
    }


def test_every_question_has_help() -> None:
    for texts in (NL, EN):
        assert [name for name in RULESET.questions if not texts.get("question_help", name).patient] == []


def test_patients_and_clinicians_each_have_their_own_text() -> None:
    for texts in (NL, EN):
        for section in BOTH_REGISTERS:
            for key, wording in texts.of[section].items():
                assert wording.clinician, (texts.language, section, key)
                assert wording.clinician != wording.patient, (texts.language, section, key)


def numbers(text: str) -> list[str]:
    """The numbers of a text in order of size, decimals with a point: `0,1` and `0.1` are the same."""
    return sorted(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d)", ".", text)))


def pairs_of_texts() -> Iterator[tuple[str, str, str]]:
    for section, texts in NL.of.items():
        for key, nl in texts.items():
            en = EN.get(section, key)
            yield f"{section}.{key}", nl.patient, en.patient
            yield f"{section}.{key} (clinician)", nl.clinician, en.clinician
    for question, labels in NL.options.items():
        for option, label in labels.items():
            yield f"{question}.{option}", label, EN.options[question][option]


def test_the_languages_name_the_same_numbers() -> None:
    """Hours, weeks, ages and telephone numbers: a slip in a translation is a slip in the medicine."""
    compared = [(name, numbers(nl), numbers(en)) for name, nl, en in pairs_of_texts()]
    assert [(name, nl, en) for name, nl, en in compared if nl != en] == []
    assert sum(1 for _, nl, _ in compared if nl) > 60


def test_telephone_numbers_are_where_they_belong() -> None:
    for texts in (NL, EN):
        for key, found in (("SN-01", "112"), ("SN-04", "112"), ("SN-10", "113"), ("SN-10", "0800-0113")):
            assert found in texts.get("safety_net", key).patient
        assert numbers(texts.get("safety_net", "SN-10").patient) == ["0113", "0800", "112", "113", "113"]


def test_patients_are_addressed_formally() -> None:
    informal = re.compile(r"\b(?:je|jij|jou|jouw)\b", re.IGNORECASE)
    assert [name for name, nl, _ in pairs_of_texts() if informal.search(nl)] == []


def test_questions_show_no_urgency() -> None:
    """Urgency belongs in the outcome: a question that alarms gets other answers."""
    urgent = re.compile(r"\b(?:112|spoed\w*|meteen|direct|gevaarlijk|urgent\w*|emergency|at once|dangerous)\b")
    asked = [name for name, nl, en in pairs_of_texts() if name.startswith("question") and urgent.search(f"{nl} {en}")]
    assert asked == []


def test_no_text_is_too_long_or_too_hard() -> None:
    assert [problem.render() for problem in find_hard_texts(RULESET)] == []

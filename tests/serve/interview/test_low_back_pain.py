"""The interview with the ruleset for patients: what cannot wait, contradictions, and the decision that gRPC gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from engine.decide.interview import Screen
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.approval import TrustList
from engine.serve.interview import pages
from engine.serve.interview.state import State
from engine.serve.interview.walk import Ask
from engine.serve.registry import Registry, Served, gather, load_version
from tests.serve.conftest import NOW, PUBLISHED
from tests.serve.interview.conftest import Site, site_of
from tests.serve.interview.patients import CALM, PATIENTS, said
from tests.serve.interview.reading import Page, read

PATH = "/en/low_back_pain"


@pytest.fixture(scope="module")
def registry() -> Registry:
    served = load_version(PUBLISHED, PUBLISHED / "low_back_pain", TrustList())
    return Registry.of(gather([served]), PUBLISHED, frozenset(), NOW.date)


@pytest.fixture
def site(registry: Registry, tmp_path: Path) -> Iterator[Site]:
    with site_of(registry, state=tmp_path / "state", log=str(tmp_path / "log")) as made:
        yield made


def recorded(site: Site) -> list[pb.DecisionRecord]:
    """Everything in the log, the oldest first."""
    return [*reversed(site.client.decisions(pb.ListDecisionsRequest(page_size=100)).decisions)]


def until(site: Site, question: str, answers: Mapping[str, str]) -> Page:
    """The screen on which a question is asked; those before it are answered."""
    page = site.begin(PATH)
    while question not in page.questions:
        page = site.press(
            page, "next", {name: said(answers, name, offered) for name, offered in page.questions.items()}
        )
    return page


def title(site: Site, disposition: str) -> str:
    served: Served = site.served("low_back_pain")
    return served.evaluator.checked.ruleset.texts["en"].get("disposition_titles", disposition).patient


@pytest.mark.parametrize("disposition", PATIENTS)
def test_the_decision_is_recorded_once_and_is_the_one_that_grpc_gives(site: Site, disposition: str) -> None:
    page, before = site.interview(PATH, PATIENTS[disposition])
    assert page.headings[0] == title(site, disposition)
    urgent = [each for each in before if "on" in each.buttons and each.headings]
    records = recorded(site)
    assert len(records) == len(urgent) + 1
    record = records[-1]
    assert record.decision_id in page.text and record.receipt.entry_hash in page.text
    assert record.caller == "interview"
    answers = site.client.decision(record.decision_id).answers
    response = site.client.stub.Evaluate(pb.EvaluateRequest(ruleset="low_back_pain", language="en", answers=answers))
    assert response.decision_digest == record.decision_digest
    assert response.decision.disposition == pb.Disposition.Value(f"DISPOSITION_{disposition.upper()}")
    decision = response.decision
    lists = (decision.rules, decision.safety_net, decision.advice)
    for text in (decision.call_text, decision.guidance_text, *(each.text for every in lists for each in every)):
        assert " ".join(text.split()) in page.text


def test_what_cannot_wait_is_told_at_once_and_once_and_the_questions_go_on(site: Site) -> None:
    page = until(site, "saddle_numbness", CALM)
    screens = len(page.hidden)
    blank = dict.fromkeys(page.questions, "")
    told = site.press(page, "next", {**blank, "saddle_numbness": "unknown"})
    assert told.headings[0] == title(site, "same_day_gp")
    assert "Within 24 hours." in told.text and "Call your GP today." in told.text
    assert told.buttons == ["on", "back"]
    assert len(recorded(site)) == 1
    onward = site.press(told, "on")
    assert "saddle_numbness" not in onward.questions
    assert "You already have advice: Contact a doctor today." in onward.text
    assert len(onward.hidden) > screens
    again = site.press(onward, "next", dict.fromkeys(onward.questions, "no"))
    assert again.headings[0] != told.headings[0]
    assert len(recorded(site)) == 1
    higher = site.press(site.press(onward, "back"), "next", {"saddle_numbness": "yes"})
    assert higher.headings[0] == title(site, "emergency")


def test_going_back_to_what_was_told_before_shows_the_questions(site: Site) -> None:
    told = site.press(site.begin(PATH), "next", {"leg_weakness": "unknown"})
    page = site.press(told, "on")
    while "saddle_numbness" not in page.questions:
        page = site.press(page, "next", {name: said(CALM, name, offered) for name, offered in page.questions.items()})
    emergency = site.press(page, "next", {"saddle_numbness": "yes"})
    assert emergency.headings[0] == title(site, "emergency")
    back = site.press(emergency, "back")
    assert back.filled == {"saddle_numbness": ["yes"]}
    assert "Contact a doctor today" in back.text


def test_the_label_of_a_group_is_not_said_of_a_part_of_it(site: Site) -> None:
    served = site.served("low_back_pain")
    for questions, label in (
        (("comorbidity_needs_supervision", "programme_preference", "goal"), "No wish and nothing particular"),
        (("programme_preference", "goal"), "None of these"),
    ):
        outcome = served.evaluator.evaluate(served.evaluator.read({})).outcome
        asked = Ask(State(served.digest), Screen("programme", questions, deniable=True), {}, {}, outcome)
        page = read(pages.screen(served, "en", asked))
        assert f'choose the button "{label}"' in page.text
        assert "none" in page.buttons


def test_going_back_from_urgent_advice_withdraws_it(site: Site) -> None:
    told = site.press(until(site, "saddle_numbness", CALM), "next", {"saddle_numbness": "unknown"})
    back = site.press(told, "back")
    assert back.filled == {"saddle_numbness": ["unknown"]}
    assert "already" not in back.text
    calm = site.press(back, "none" if "none" in back.buttons else "next", {"saddle_numbness": "no"})
    assert "on" not in calm.buttons


def test_none_of_these_denies_the_whole_screen(site: Site) -> None:
    page = site.begin(PATH)
    assert 1 < len(page.questions) <= 6
    assert "none" in page.buttons and "None of these" in page.text
    denied = site.press(page, "none")
    assert not set(denied.questions) & set(page.questions)
    back = site.press(denied, "back")
    assert set(back.filled) == set(page.questions)
    conflict = site.press(page, "none", {next(iter(page.questions)): "unknown"})
    assert "Which of the two is right?" in conflict.text
    assert set(conflict.questions) == set(page.questions)


def test_answers_that_contradict_each_other_come_back_with_the_words_of_the_ruleset(site: Site) -> None:
    answers = {**CALM, "age": "30", "duration_weeks": "60"}
    page = until(site, "age_at_onset", answers)
    assert dict(page.hidden)["said"]
    again = site.press(page, "next", {"age_at_onset": "50"})
    refused = (
        site.served("low_back_pain").evaluator.checked.ruleset.texts["en"].get("refuse", "onset_after_age").patient
    )
    assert refused in again.text
    assert "You answered before: How old are you? 30 years" in again.text
    assert again.filled == {"age_at_onset": ["50"]}
    assert "next" in site.press(again, "next", {"age_at_onset": "25"}).buttons


def test_a_form_that_is_sent_twice_is_one_decision(site: Site) -> None:
    page = until(site, "saddle_numbness", CALM)
    body = page.sends("next", {"saddle_numbness": "yes"})
    first, second = site.post(PATH, body), site.post(PATH, body)
    assert first.text == second.text
    changed = site.post(PATH, body.replace("answer.saddle_numbness=yes", "answer.saddle_numbness=unknown"))
    assert changed.headings[0] == title(site, "same_day_gp")
    assert len(recorded(site)) == 2

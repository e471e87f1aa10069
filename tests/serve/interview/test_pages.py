"""The interview with the small ruleset, page by page: what a person reads, and what happens to what they fill in."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.serve.interview import pages
from engine.serve.registry import Registry
from tests.serve.conftest import NOW, changed
from tests.serve.interview.conftest import FORM, Site, site_of
from tests.serve.interview.reading import read

CALM = {"age": "40", "weeks": "1", "wants": "strength"}


@pytest.mark.parametrize(
    ("accepted", "first"), [("en-GB,nl;q=0.9", "en"), ("nl, en", "nl"), ("fr", "nl"), ("", "nl"), ("en;q=x", "en")]
)
def test_both_languages_are_offered_the_preferred_one_first(site: Site, accepted: str, first: str) -> None:
    page = site.get("/", accept_language=accepted)
    assert page.language == first
    other = "en" if first == "nl" else "nl"
    assert page.links == ["#main", f"/{first}/small", f"/{other}/small"]
    assert site.get("/en").links == ["#main", "/en/small", "/nl/small"]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_start_tells_what_a_person_should_know(site: Site, language: str) -> None:
    page, words = site.get(f"/{language}/small"), pages.WORDS[language]
    assert page.language == language
    for said in (f"use {language}", f"disclaimer {language}", words["start_urgent"], words["start_answers_browser"]):
        assert said in page.text
    assert words["start_answers_not_recorded"] in page.text
    assert page.buttons == ["on"]


def test_a_server_that_records_says_so(recording: Site) -> None:
    assert pages.WORDS["nl"]["start_answers_recorded"] in recording.get("/nl/small").text


def test_the_first_screen_is_about_danger_and_shows_no_urgency(site: Site) -> None:
    page = site.begin()
    assert page.questions == {"numb": ["yes", "no", "unknown"]}
    assert page.filled == {}
    assert page.buttons == ["next"]
    assert "emergency" not in page.text.lower().replace(pages.WORDS["en"]["emergency"].lower(), "")
    assert [each for each in page.links if each != "#main"] == ["/en/small"]


def test_a_blank_question_is_asked_again_and_is_neither_no_nor_unknown(site: Site) -> None:
    page = site.press(site.begin(), "next")
    assert page.questions.keys() == {"numb"}
    assert 'You did not answer this question yet. If you do not know, choose "Does not know".' in page.text
    assert page.title.startswith("Not complete yet")
    assert dict(page.hidden).get("said") is None
    assert ("section", "autofocus") in [
        (tag, name) for tag, known in page.tags for name in known if name == "autofocus"
    ]


def test_an_emergency_ends_it_at_once(site: Site) -> None:
    page = site.press(site.begin(), "next", {"numb": "yes"})
    assert page.headings[0] == "emergency title en"
    for said in ("gp_or_hap_now en", "Within 1 hour.", "nerves en", "advice two en", "safety net en", "none_yet en"):
        assert said in page.text
    assert "first_a_doctor en" in page.text
    assert "for a clinician" not in page.text
    assert "Are you numb? Yes" in page.text
    assert page.buttons == ["back"]
    assert page.links[-1] == "/en/small"


@pytest.mark.parametrize(
    ("answers", "title"),
    [
        ({"numb": "yes"}, "emergency"),
        ({**CALM, "age": "70", "trauma": "minor"}, "same_day_gp"),
        ({**CALM, "fever": "yes", "fever_days": "4"}, "gp_within_days"),
        ({**CALM, "weeks": "3"}, "physio"),
        (CALM, "self_care"),
    ],
)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_disposition_is_reached(site: Site, language: str, answers: dict[str, str], title: str) -> None:
    page, before = site.interview(f"/{language}/small", answers)
    assert page.headings[0] == f"{title} title {language}"
    assert f"{title} text {language}" in page.text
    assert all(each.language == language for each in (page, *before))
    assert len({dict(each.hidden)["request"] for each in (page, *before)}) == len(before) + 1


def test_going_back_shows_what_was_answered_and_does_not_count_it(site: Site) -> None:
    first = site.begin()
    second = site.press(first, "next", {"numb": "no"})
    assert "age" in second.questions
    third = site.press(second, "next", {"age": "70"})
    assert "trauma" in third.questions
    back = site.press(third, "back")
    assert ([*back.questions], back.filled) == (["age"], {"age": ["70"]})
    start = site.press(back, "back")
    assert ([*start.questions], start.filled) == (["numb"], {"numb": ["no"]})
    assert [value for name, value in start.hidden if name == "said"] == []
    onward = site.press(start, "next")
    assert onward.filled == {"age": ["70"]}
    younger = site.press(onward, "next", {"age": "40"})
    assert "trauma" not in younger.questions


def test_going_back_from_the_decision_changes_it(recording: Site) -> None:
    page, _ = recording.interview("/en/small", CALM)
    before = recording.press(page, "back")
    assert before.filled == {"wants": ["strength"]}
    other = recording.press(before, "next", {"wants": ["posture"]})
    assert "pilates en" in other.text


def test_numbers_out_of_range_come_back_with_the_words_of_the_ruleset(site: Site) -> None:
    page = site.press(site.begin(), "next", {"numb": "no"})
    again = site.press(page, "next", {"age": "390"})
    assert again.filled == {"age": ["390"]}
    assert "Fill in a number from 0 to 120." in again.text
    assert "A number from 0 to 120 (years old)" in again.text
    assert ("input", "true") in [(tag, known.get("aria-invalid")) for tag, known in again.tags]
    assert "next" in site.press(again, "next", {"age": "39"}).buttons


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nl/nothing", "", 404),
        ("POST", "/nl/nothing", "x=1", 400),
        ("POST", "/nl/small", "", 400),
        ("POST", "/nl/small", "x" * 70_000, 413),
    ],
)
def test_a_failure_is_a_page_that_says_whom_to_call(
    site: Site, method: str, path: str, content: str, status: int
) -> None:
    response = site.send(method, path, content, content_type=FORM)
    assert response.status_code == status
    page = read(response.text)
    assert page.language == "nl"
    assert "huisartsenspoedpost" in page.text and "112" in page.text


def test_a_form_is_sent_as_a_form(site: Site) -> None:
    response = site.send("POST", "/en/small", "{}", content_type="application/json")
    assert response.status_code == 415
    assert read(response.text).headings == ["We cannot read this"]


def test_questions_of_a_ruleset_that_was_replaced_are_gone(site: Site) -> None:
    body = site.get("/en/small").sends("on").replace(site.served("small").digest, "0" * 64)
    response = site.send("POST", "/en/small", body, content_type=FORM)
    assert response.status_code == 404
    assert read(response.text).headings == ["These questions are not there any more"]


def test_a_questionnaire_is_offered_in_its_own_languages_only(copied: Path, tmp_path: Path) -> None:
    folder = copied / "small" / "1"
    changed(folder, ("languages: [nl, en]", "languages: [nl]"))
    (folder / "texts.en.yaml").unlink()
    with site_of(Registry(copied, frozenset(), NOW.date), state=tmp_path / "state") as site:
        assert site.get("/").links == ["#main", "/nl/small"]
        assert site.get("/nl/small").links == ["#main"]
        form = site.get("/nl/small").sends("on")
        for response in (site.send("GET", "/en/small"), site.send("POST", "/en/small", form, content_type=FORM)):
            assert response.status_code == 400
            assert read(response.text).headings == ["These questions are not there any more"]


def test_nothing_is_kept_anywhere_and_nothing_comes_from_elsewhere(site: Site) -> None:
    for response in (
        site.send("GET", "/"),
        site.send("GET", "/nl/small"),
        site.send("POST", "/nl/small", site.get("/nl/small").sends("on"), content_type=FORM),
        site.send("POST", "/nl/small", "", content_type=FORM),
    ):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in response.headers
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy and "script" not in policy
        page = read(response.text)
        for tag, known in page.tags:
            assert tag != "script" and not [name for name in known if name.startswith("on") or name == "style"]
            assert not known.get("src") and "://" not in known.get("href", "") + known.get("action", "")
            if tag == "form":
                assert (known["method"], known["autocomplete"]) == ("post", "off")


def test_people_may_choose_only_what_is_offered(small_registry: Registry, tmp_path: Path) -> None:
    with site_of(small_registry, state=tmp_path, interview_rulesets=("other",)) as site:
        assert "/en/small" not in site.send("GET", "/en").text
        assert site.send("GET", "/en/small").status_code == 404
        assert site.client.evaluate({"numb": True}, ruleset="small").disposition == "emergency"
    with site_of(small_registry, state=tmp_path, interview_rulesets=("small",)) as site:
        assert "/en/small" in site.send("GET", "/en").text
        assert site.send("GET", "/en/small").status_code == 200

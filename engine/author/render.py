"""A response -> text for a person at a terminal: the decision first, then everything that supports it.

It renders the JSON form of `EvaluateResponse`, which is the same in process and over the wire, so that the page is too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from engine.author.labels import counted, labels
from engine.author.layout import Page, Role

Json: TypeAlias = Mapping[str, Any]
Labels: TypeAlias = Mapping[str, str]

_COUNTS = re.compile(r"\A\d+ violations? in the request|; \d+ were left out.*\Z")
REFUSALS = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE"})
"""Codes that ask the caller for another request; any other means that something failed."""


def render_response(response: Json, width: int) -> Page:
    """The page of a response: a decision, or what holds already and what to ask next."""
    page = Page(width)
    words = labels(response.get("language", ""))
    if "decision" in response:
        _decision(page, words, response["decision"])
    elif "needsAnswers" in response:
        _needs_answers(page, words, response["needsAnswers"])
    ruleset = response.get("ruleset", {})
    page.gap()
    digest = ruleset.get("digest", "")[:12]
    page.add(f"{words['ruleset']} {ruleset.get('id', '')} {ruleset.get('version', '')} ({digest})", Role.ASIDE)
    page.add(f"{words['decision']} {response.get('decisionId', '')}", Role.ASIDE)
    if receipt := response.get("receipt"):
        place = f"{receipt['writer']}/{receipt['sequence']}"
        page.add(f"{words['recorded']} {place} ({receipt['entryHash'][:12]})", Role.ASIDE)
    return page


def render_refusal(error: Json, language: str, width: int) -> Page:
    """The page of a request that was refused or failed: the message and each thing that is wrong."""
    page = Page(width)
    refused = labels(language)["refused" if error.get("code") in REFUSALS else "failed"]
    message, violations = error.get("message", ""), error.get("violations", ())
    if violations:  # the message quotes the first, which stands below: only its counts are told
        message = "".join(_COUNTS.findall(message))
    page.add(f"{refused}: {message}" if message else refused, Role.ALARM, indent=2)
    for each in violations:
        place = f"{each['field']}: " if each.get("field") else ""
        page.add(f"{place}{each.get('description', '')}", lead="  - ")
        page.add(each.get("text", ""), lead="    ")
    return page


def word(name: str, prefix: str) -> str:
    """An enum's member as people read it: DISPOSITION_SAME_DAY_GP is `same_day_gp`."""
    return name.removeprefix(prefix).lower()


def _decision(page: Page, words: Labels, decision: Json) -> None:
    page.add(decision.get("dispositionText", {}).get("title") or _disposition(decision, "disposition"), Role.TITLE)
    _carried(page, words, decision, decision.get("dispositionText", {}))
    _support(page, words, decision)
    why_not = decision.get("whyNot")
    if why_not:
        page.heading(words["why_not"].format(_disposition(why_not, "disposition")))
        for rule in why_not.get("rules", ()):
            still = f" ({words['open']})" if rule.get("open") else ""
            page.add(f"{rule['id']}  {rule.get('clinicianText') or rule.get('because', '')}{still}", lead="  - ")
            _answers(page, words, rule)


def _needs_answers(page: Page, words: Labels, needs: Json) -> None:
    if needs.get("actNow"):
        page.add(words["act_now"], Role.ALARM)
        page.gap()
    if needs.get("rules"):
        page.add(words["needs_answers"], Role.HEADING)
        page.add(needs.get("floorText", {}).get("title") or _disposition(needs, "floor"), Role.TITLE)
        _carried(page, words, needs, needs.get("floorText", {}))
    else:  # nothing holds yet, and what would follow if it stayed so would reassure too early
        page.add(words["needs_all_answers"], Role.TITLE)
        page.add(f"{words['could_become']} {_disposition(needs, 'ceiling')}")
    page.heading(words["next_questions"])
    current = ""
    for each in needs.get("nextQuestions", ()):
        disposition = _disposition(each, "disposition")
        if disposition != current:
            page.add(f"{words['could_become']} {disposition}:", Role.ASIDE, "  ")
            current = disposition
        _question(page, words, each)
    _support(page, words, needs)


def _carried(page: Page, words: Labels, outcome: Json, wording: Json) -> None:
    """What the disposition means for the person: what to do, whom to call, how fast, for how long."""
    page.add(wording.get("text", ""))
    _clinician(page, words, wording, "")
    page.gap()
    hours = outcome.get("withinHours")
    valid, recheck = outcome.get("validDays", 0), outcome.get("recheckDays", 0)
    page.pairs(
        [
            (words["call"], outcome.get("callText") or word(outcome.get("call", ""), "CALL_")),
            (words["within"], "" if hours is None else counted(words, "hours", hours)),
            (words["guidance"], outcome.get("guidanceText") or word(outcome.get("guidance", ""), "GUIDANCE_")),
            (words["valid"], counted(words, "days", valid) if valid else ""),
            (words["recheck"], counted(words, "after_days", recheck) if recheck else ""),
            (words["could_become"], _disposition(outcome, "ceiling")),
        ]
    )


def _support(page: Page, words: Labels, outcome: Json) -> None:
    """Reasons, advice, safety net and programme; parts that are empty have no heading."""
    if outcome.get("rules"):
        page.heading(words["reasons"])
    for rule in outcome.get("rules", ()):
        page.add(rule.get("text") or rule.get("because", ""), lead=f"  {rule['id']}  ")
        _clinician(page, words, rule, "      ")
        _answers(page, words, rule)
        for each in rule.get("evidence", ()):
            strength = word(each.get("strength", ""), "EVIDENCE_STRENGTH_")
            page.add(f"{words['evidence']}: {each.get('citation', '')} ({strength})", Role.ASIDE, "      ", 8)
    for label, part in (("advice", "advice"), ("safety_net", "safetyNet")):
        if outcome.get(part):
            page.heading(words[label])
        for text in outcome.get(part, ()):
            page.add(text.get("text", ""), lead="  - ")
            _clinician(page, words, text, "    ")
    _programme(page, words, outcome.get("programme", {}))


def _programme(page: Page, words: Labels, programme: Json) -> None:
    if not programme:
        return
    page.heading(words["programme"])
    title = programme.get("title") or word(programme.get("choice", ""), "PROGRAMME_")
    reason = programme.get("text", "")
    if programme.get("open"):
        questions = ", ".join(programme.get("openQuestions", ()))
        reason = words["programme_open"].format(questions) if questions else words["open"]
    page.add(f"{title}: {reason}" if reason else title, lead="  ")
    _clinician(page, words, programme, "  ")


def _clinician(page: Page, words: Labels, wording: Json, lead: str) -> None:
    """The clinician's wording, where it is another one."""
    text = wording.get("clinicianText", "")
    if text and text != wording.get("text", ""):
        page.add(f"{words['clinician']}: {text}", Role.ASIDE, lead)


def _answers(page: Page, words: Labels, rule: Json) -> None:
    for each in rule.get("answers", ()):
        asked, said = each.get("questionText") or each["question"], each.get("valueText") or each.get("value", "")
        page.add(f"{asked} {said}" if asked.endswith("?") else f"{asked}: {said}", lead="      - ")


def _question(page: Page, words: Labels, following: Json) -> None:
    question = following.get("question", {})
    page.add(f"{question.get('text', '')} ({following['id']})", lead="  - ")
    if question.get("help"):
        page.add(question["help"], Role.ASIDE, "    ")
    if question.get("options"):
        page.add(
            " / ".join(f"{each.get('text', '')} ({each['id']})" for each in question["options"]), Role.ASIDE, "    "
        )
    page.add(range_of(question), Role.ASIDE, "    ")


def range_of(question: Json) -> str:
    """What numbers a question takes, such as `0-12 bar`; empty where it takes none."""
    low, high = question.get("minimum", ""), question.get("maximum", "")
    return f"{f'{low}-{high}' if low or high else ''} {question.get('unitText', '')}".strip()


def _disposition(holder: Json, key: str) -> str:
    return word(holder.get(key, ""), "DISPOSITION_")

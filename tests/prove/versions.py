"""What a pair of decisions shows, read from the decisions alone: what `pluis diff` has to find of every patient."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import product

from engine.decide.answers import UNKNOWN, Given, read_answers
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, Reading
from engine.decide.evaluate import Evaluator, Rehearsal
from engine.errors import AnswersError
from engine.prove.diff import VersionDiff
from engine.rules.load import build
from engine.rules.model import CheckedRuleset, Question, QuestionType, Ruleset
from engine.rules.source import Source
from tests.clinical.patients import RULESETS, partial, patient
from tests.decide.generate import Content, load_content
from tests.prove.rulesets import other_version, tiny_content

Key = tuple[str, str, str, str]
"""An aspect, the id that it is about, the old value and the new one."""
FILES = ("ruleset.yaml", "texts.nl.yaml", "texts.en.yaml")


def found(diff: VersionDiff) -> set[Key]:
    """Every change that a comparison tells."""
    return {(each.aspect.kind, each.aspect.name, each.old, each.new) for each in diff.changes}


def shows(evaluators: tuple[Evaluator | Rehearsal, Evaluator | Rehearsal], answers: Mapping[str, Given]) -> set[Key]:
    """The changes that one patient shows."""
    old, new = (_outcome(each, answers) for each in evaluators)
    return changed(old, new)


def changed(old: Outcome | None, new: Outcome | None) -> set[Key]:
    """What is not the same in two decisions on one patient; None where the answers were refused."""
    if old is None or new is None:
        was, now = ("refused" if each is None else "decided" for each in (old, new))
        return set() if was == now else {("refused", "", was, now)}
    return {(*aspect, was, now) for aspect, was, now in _aspects(old, new) if was != now}


def _outcome(evaluator: Evaluator | Rehearsal, answers: Mapping[str, Given]) -> Outcome | None:
    questions = evaluator.checked.ruleset.questions
    try:
        asked = evaluator.read({name: given for name, given in answers.items() if name in questions})
    except AnswersError:
        return None
    return evaluator.evaluate(asked).outcome


def _aspects(old: Outcome, new: Outcome) -> Iterator[tuple[tuple[str, str], str, str]]:
    yield ("disposition", ""), old.floor.word, new.floor.word
    if not (old.settled and new.settled):
        yield ("ceiling", ""), old.ceiling.word, new.ceiling.word
    settled = {True: "settled", False: "needs_answers"}
    yield ("settled", ""), settled[old.settled], settled[new.settled]
    yield ("call", ""), old.call.word, new.call.word
    yield ("within_hours", ""), str(old.within_hours).lower(), str(new.within_hours).lower()
    yield ("guidance", ""), old.guidance.word if old.guidance else "none", new.guidance.word if new.guidance else "none"
    if old.floor is new.floor:
        yield ("valid_days", old.floor.word), str(old.valid_days), str(new.valid_days)
        yield ("recheck_days", old.floor.word), str(old.recheck_days), str(new.recheck_days)
        yield from _listed("open rule", old.open_rules, new.open_rules, ("does_not_hold", "holds"))
    if old.call is new.call:
        yield from _listed("further call", [each.word for each in old.calls], [each.word for each in new.calls])
    was, now = ("needs_answers" if each.programme.open else each.programme.choice.word for each in (old, new))
    yield ("programme", ""), was, now
    if was == now:
        yield ("programme row", ""), old.programme.row, new.programme.row
    yield from _listed("advice", old.advice, new.advice)
    yield from _listed("safety_net", old.safety_net, new.safety_net)
    held, holds = ({*each.rules} - {"D00"} for each in (old, new))
    yield from _listed("rule", held, holds, ("does_not_hold", "holds"))


def _listed(
    kind: str, old: Collection[str], new: Collection[str], words: tuple[str, str] = ("hidden", "shown")
) -> Iterator[tuple[tuple[str, str], str, str]]:
    for name in {*old, *new}:
        yield (kind, name), words[name in old], words[name in new]


# ---- rulesets so small that everybody can be tried ----


def tiny_versions(rng: random.Random) -> tuple[CheckedRuleset, CheckedRuleset]:
    """Two versions in which no number has decimals, and no question takes another unit."""
    while True:
        content = tiny_content(rng)
        other = other_version(rng, content)
        if all(_countable(each, other["questions"][name]) for name, each in content["questions"].items()):
            return load_content(content), load_content(other)


def _countable(one: Content, other: Content) -> bool:
    return one["type"] != "decimal" and one.get("unit") == other.get("unit")


def everybody(old: Ruleset, new: Ruleset) -> Iterator[dict[str, Given]]:
    """Every record that can be made, of answers that one of the versions takes."""
    names = list(new.questions)
    for answers in product(*(_answers(old.questions[name], new.questions[name]) for name in names)):
        yield {name: given for name, given in zip(names, answers, strict=True) if given is not None}


def _answers(old: Question, new: Question) -> list[Given | None]:
    if new.type.is_number:
        ends = [each for question in (old, new) for each in (question.low, question.high) if each is not None]
        values = [Given(new.type, value) for value in range(int(min(ends)), int(max(ends)) + 1)]
    elif new.type is QuestionType.SEVERAL:
        one, other = new.options
        values = [Given(new.type, chosen) for chosen in ((one,), (other,), (one, other))]
    else:
        values = [Given(new.type, option) for option in new.options]
    return [None, UNKNOWN, *values]


def is_complete(ruleset: Ruleset, answers: Mapping[str, Given]) -> bool:
    """Whether nothing is missing that could still be asked."""
    reading = Reading(ruleset, read_answers(ruleset, answers))
    return all(name in answers or reading.asked(name) == FALSE for name in ruleset.questions)


# ---- the real ruleset with something changed ----


@cache
def planted(*changes: tuple[str, str], texts: tuple[tuple[str, str], ...] = ()) -> CheckedRuleset:
    """`low_back_pain` with pieces of its ruleset.yaml, and of its texts, replaced; each of them occurs once."""
    sources: dict[str, Source] = {}
    for name in FILES:
        text = (RULESETS / "low_back_pain" / name).read_text(encoding="utf-8")
        for old, new in changes if name == "ruleset.yaml" else texts:
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}"
            text = text.replace(old, new)
        sources[name] = Source(name, text)
    checked, problems = build(sources)
    assert checked is not None, problems.render()
    return checked


@cache
def sample(number: int) -> tuple[tuple[Mapping[str, Given], Outcome | None], ...]:
    """Random patients of `low_back_pain`, half of them with answers missing, and what is decided now."""
    rng = random.Random(5)
    now = Rehearsal(planted())
    patients = [rng.choice((partial, patient))(rng) for _ in range(number)]
    return tuple((answers, _outcome(now, answers)) for answers in patients)


def sampled(new: CheckedRuleset, number: int, added: Mapping[str, tuple[Given, ...]]) -> set[Key]:
    """What a search over random patients shows of a new version; `added` are answers to its new questions."""
    rng = random.Random(6)
    later = Rehearsal(new)
    seen: set[Key] = set()
    for answers, before in sample(number):
        more = {name: rng.choice(values) for name, values in added.items()}
        seen |= changed(before, _outcome(later, {**answers, **more}))
    return seen

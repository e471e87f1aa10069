"""Interviews with simulated patients: do they end where the whole form ends, and how much do they ask?

    python -m tests.clinical.interviews --patients 5000

A simulated patient has answers to every question that is asked of such a patient; the interview is told them screen by
screen. It must end in the disposition and programme that follow from all of them.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from engine.decide.answers import Given, read_answers
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, Reading
from engine.decide.evaluate import Rehearsal
from engine.decide.interview import Interview
from engine.rules.model import Ruleset
from tests.clinical.patients import evaluator, patient

SEED = 20261123


@dataclass(frozen=True, slots=True)
class Held:
    """One interview: where it ended, where the whole form ends, and what it took."""

    ended: Outcome
    whole: Outcome
    screens: int
    questions: int
    form: int
    """Questions that the whole form asks of this patient."""

    @property
    def agrees(self) -> bool:
        return (self.ended.settled, self.ended.floor, self.ended.programme.choice) == (
            True,
            self.whole.floor,
            self.whole.programme.choice,
        )


def asked_of(ruleset: Ruleset, answers: Mapping[str, Given]) -> dict[str, Given]:
    """The answers without those to questions that the others make inapplicable."""
    kept = dict(answers)
    while True:
        reading = Reading(ruleset, read_answers(ruleset, kept))
        dropped = [name for name in kept if reading.asked(name) == FALSE]
        if not dropped:
            return kept
        kept = {name: answer for name, answer in kept.items() if name not in dropped}


def hold(interview: Interview, rehearsal: Rehearsal, answers: Mapping[str, Given]) -> Held:
    """Asks a patient until the interview is over. AssertionError where a question comes twice."""
    ruleset = rehearsal.checked.ruleset
    told: dict[str, Given] = {}
    screens = 0
    while True:
        outcome, screen = interview.next(read_answers(ruleset, told))
        if screen is None:
            break
        assert not set(screen.questions) & set(told), "a question comes twice"
        told.update((name, answers[name]) for name in screen.questions)
        screens += 1
    whole = rehearsal.evaluate(read_answers(ruleset, answers)).outcome
    return Held(outcome, whole, screens, len(told), len(answers))


def interviews(number: int, seed: int = SEED) -> Iterator[Held]:
    """Interviews with so many patients of low_back_pain."""
    rehearsal = Rehearsal(evaluator().checked)
    ruleset = rehearsal.checked.ruleset
    interview = Interview(ruleset, lambda answers: rehearsal.evaluate(answers).outcome)
    chance = random.Random(seed)
    for _ in range(number):
        yield hold(interview, rehearsal, asked_of(ruleset, patient(chance)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=SEED)
    said = parser.parse_args()
    groups: dict[str, list[Held]] = defaultdict(list)
    for held in interviews(said.patients, said.seed):
        assert held.agrees, (held.ended, held.whole)
        groups[held.whole.floor.word].append(held)
        groups["all"].append(held)
    for name, every in sorted(groups.items(), key=lambda group: len(group[1])):
        screens, questions, form = ([getattr(one, what) for one in every] for what in ("screens", "questions", "form"))
        print(
            f"{name:<16}{len(every):>6} patients; screens {median(screens):g}, at most {max(screens)}; "
            f"questions {median(questions):g}, at most {max(questions)}; the whole form {median(form):g}"
        )
    print(f"{said.patients} interviews ended in the disposition and programme of the whole form, --seed {said.seed}")


if __name__ == "__main__":
    main()

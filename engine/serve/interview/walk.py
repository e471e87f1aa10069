"""What comes after a form: questions, the same ones again with remarks, or something to tell.

Urgent advice is told as soon as the answers call for it, also when the rest of the screen is blank. What is told is
decided by the service; here only the evaluation of the answers so far says whether it is time to ask it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from engine.decide.answers import Answers, field, read_answers
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.decide.interview import Interview, Screen
from engine.errors import AnswersError, PluisError, Violation
from engine.rules.scale import Disposition
from engine.serve.interview.entries import Fault, Remark, enter, typed
from engine.serve.interview.state import Form, Go, State, Texts


class Unsettled(PluisError):
    """The questions ran out before anything was settled: there is no decision to tell."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Show a screen. `entries` are filled in already; `outcome` is what the answers so far come to."""

    state: State
    screen: Screen
    entries: Texts
    remarks: Mapping[str, Remark]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell what the answers come to. `over`: there is nothing left to ask; else the person may go on."""

    state: State
    over: bool


def walk(evaluator: Evaluator, decide: Callable[[Answers], Outcome], language: str, form: Form) -> Ask | Tell:
    """What comes after a form. `decide` gives what follows from answers, such as an evaluator's.

    Raises AnswersError or MalformedRequest for a state that no page of ours has, Unsettled where the questions run out.
    """
    ruleset = evaluator.checked.ruleset
    interview = Interview(ruleset, decide)
    read_answers(ruleset, typed(ruleset, form.state.kept))  # checked like the others, though nothing follows from it
    state, told = form.state.back() if form.go is Go.BACK else form.state, form.state.told
    outcome, screen = interview.next(evaluator.read(typed(ruleset, state.answers)))
    if screen is not None and form.go in (Go.NEXT, Go.NONE):
        entered = enter(ruleset, screen, form.entries, form.go is Go.NONE)
        again = Ask(replace(state, told=urgent(outcome)), screen, form.entries, entered.remarks, outcome)
        after = state.with_screen(entered.answers)
        try:
            answers = evaluator.read(typed(ruleset, after.answers), (), language)
        except AnswersError as error:
            return replace(again, remarks={**entered.remarks, **_contradictions(error, screen, after)})
        if entered.remarks and not _is_news(decide(answers), told):
            return again
        state = after
        outcome, screen = interview.next(answers)
    if screen is None and not outcome.settled:
        raise Unsettled("nothing is left to ask, and answers could still change what follows")
    state = replace(state, told=urgent(outcome))
    if screen is not None and (form.go is Go.BACK or not _is_news(outcome, told)):
        return Ask(state, screen, state.kept, {}, outcome)
    return Tell(state, screen is None)


def urgent(outcome: Outcome) -> str:
    """What an outcome says that cannot wait for more answers, in short; empty when it can wait."""
    if outcome.floor < Disposition.SAME_DAY_GP:
        return ""
    return f"{outcome.floor.word} {outcome.call.word} {outcome.within_hours}"


def _is_news(outcome: Outcome, told: str) -> bool:
    """Whether an outcome is urgent in a way that was not told yet."""
    return urgent(outcome) not in ("", told)


def _contradictions(error: AnswersError, screen: Screen, state: State) -> dict[str, Remark]:
    """The ruleset's words at the questions of the screen that contradict others. Raises what is no contradiction."""
    names = {field(name): name for name in state.answers}
    found: dict[str, list[Violation]] = defaultdict(list)
    for each in error.violations:
        if each.code != "contradiction":
            raise error
        found[each.message].append(each)
    remarks: dict[str, Remark] = {}
    for violations in found.values():
        involved = [names[each.field] for each in violations]
        earlier = tuple(name for name in involved if name not in screen.questions)
        for name in [name for name in involved if name in screen.questions] or screen.questions[:1]:
            known = remarks.get(name, Remark(Fault.CONTRADICTION))
            text = f"{known.text} {violations[0].text}".strip()
            remarks[name] = replace(known, text=text, earlier=tuple(dict.fromkeys((*known.earlier, *earlier))))
    return remarks

"""Texts: in every language there is one for everything that is shown, and none for what does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.rules.document import KEY, Path
from engine.rules.model import Default, QuestionType, Rule, Ruleset, Texts
from engine.rules.problem import Problem, error, warning
from engine.rules.scale import Call, Disposition, Guidance, Programme
from engine.rules.source import Span
from engine.rules.suggest import did_you_mean

Wanted = Mapping[str, Mapping[str, Span | Path]]


def texts_complete(ruleset: Ruleset) -> Iterable[Problem]:
    """Texts that are missing (errors) and texts that nothing shows (warnings), language by language."""
    for number, language in enumerate(ruleset.languages):
        if language not in ruleset.texts:
            span = ruleset.place("ruleset", "languages", number)
            yield error("text-missing", span, f"there are no texts in `{language}`", f"add texts.{language}.yaml")
    needed, allowed = _needed(ruleset), _allowed()
    for language, texts in ruleset.texts.items():
        if language not in ruleset.languages:
            span = ruleset.place("texts", language, "language")
            help = "add it to `languages` in ruleset.yaml, or take the file away"
            yield error("unknown-language", span, f"the ruleset has no language `{language}`", help)
            continue
        for section, ids in needed.items():
            yield from _section(ruleset, texts, section, ids, allowed.get(section, frozenset()))
        yield from _labels(ruleset, texts)


def _needed(ruleset: Ruleset) -> Wanted:
    """The ids that each section must have, with the place that asks for it or the path of that."""
    results: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
    dispositions = dict.fromkeys(Disposition.words(), ("dispositions",))
    reasons: dict[str, Path] = {row.because: ("programme", n, "because") for n, row in enumerate(ruleset.programme)}
    reasons |= {rule.because: ("rules", rule.id, "because") for rule in ruleset.rules.values()}
    units = {it.unit: it.span for it in ruleset.parameters.values() if it.unit}
    units |= {it.unit: it.span for it in ruleset.questions.values() if it.unit}
    # a ruleset may do without names for its findings; once one is written, in any language, every finding needs one
    named = any(texts.of.get("findings") for texts in ruleset.texts.values())
    return {
        "units": units,
        "groups": {key: it.span for key, it in ruleset.groups.items()},
        "questions": {key: it.span for key, it in ruleset.questions.items()},
        "findings": {key: it.span for key, it in ruleset.findings.items() if named},
        "reasons": {**reasons, ruleset.default.because: ("default", "because")},
        "disposition_titles": dispositions,
        "dispositions": dispositions,
        "calls": {it.call.word: it.span for it in results},
        "guidance": {it.guidance.word: it.span for it in ruleset.rules.values() if it.guidance is not None},
        "programmes": dict.fromkeys(Programme.words(), ("programme",)),
        "advice": {key: it.span for key, it in ruleset.advice.items()},
        "safety_net": {key: it.span for key, it in ruleset.safety_net.items()},
        "refuse": {key: it.span for key, it in ruleset.refusals.items()},
    }


def _allowed() -> Mapping[str, frozenset[str]]:
    """What a section may have beside that: the words of a scale that no rule uses yet."""
    return {"calls": frozenset(Call.words()), "guidance": frozenset(Guidance.words())}


def _section(
    ruleset: Ruleset, texts: Texts, section: str, ids: Mapping[str, Span | Path], allowed: frozenset[str]
) -> Iterable[Problem]:
    present = texts.of.get(section, {})
    written = "dispositions" if section == "disposition_titles" else section
    for key, where in ids.items():
        if key not in present:
            span = where if isinstance(where, Span) else ruleset.place(*where)
            close = did_you_mean(key, [other for other in present if other not in ids])
            help = f"add it to `{written}` in texts.{texts.language}.yaml"
            message = f"no text in `{texts.language}` for `{key}` under `{written}`"
            yield error("text-missing", span, message, f"{help}; {close}" if close else help)
    for key in present:
        if key not in ids and key not in allowed:
            span = ruleset.place("texts", texts.language, written, key, KEY)
            help = did_you_mean(key, [other for other in ids if other not in present]) or "take it out"
            yield warning("unknown-text", span, f"nothing shows `{key}` of `{written}`", help)


def _labels(ruleset: Ruleset, texts: Texts) -> Iterable[Problem]:
    """The labels of options: needed for choice and several, and only there."""
    for question in ruleset.questions.values():
        shown = question.options if question.type in (QuestionType.CHOICE, QuestionType.SEVERAL) else ()
        labels = texts.options.get(question.id, {})
        for number, option in enumerate(shown):
            if option not in labels:
                span = ruleset.place("questions", question.id, "options", number)
                message = f"no label in `{texts.language}` for the option `{option}` of `{question.id}`"
                help = f"add it to the `options` of `{question.id}` in texts.{texts.language}.yaml"
                yield error("text-missing", span, message, help)
        no_options_yet = question.type in (QuestionType.CHOICE, QuestionType.SEVERAL) and not shown  # told elsewhere
        for option in () if no_options_yet else labels:
            if option not in shown:
                span = ruleset.place("texts", texts.language, "questions", question.id, "options", option, KEY)
                help = did_you_mean(option, shown) or "take it out"
                yield warning("unknown-text", span, f"`{question.id}` has no option `{option}`", help)

"""How a difference between two versions is told: the fixed words in Dutch and English, all others from the rulesets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.decide.answers import Given, plain_number
from engine.prove.diff import Change, Example, Region, VersionDiff
from engine.prove.outcome import Aspect
from engine.prove.rewritten import Rewritten
from engine.rules.model import NO, NOTHING, Question, QuestionType, Ruleset

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "disposition": "disposition",
        "ceiling": "what it could still become",
        "settled": "whether answers are needed",
        "call": "whom to call",
        "further call": "also to call: {}",
        "within_hours": "hours",
        "guidance": "guidance",
        "valid_days": "days valid, at {}",
        "recheck_days": "days until it is looked at again, at {}",
        "programme": "programme",
        "programme row": "programme row",
        "advice": "advice {}",
        "safety_net": "safety net {}",
        "rule": "rule {}",
        "open rule": "whether rule {} could still hold",
        "refused": "who is refused",
        "everything": "anything at all",
        "value.needs_answers": "answers are needed",
        "value.decided": "a decision",
        "value.does_not_hold": "does not hold",
        "value.open_holds": "it could",
        "value.open_does_not_hold": "it could not",
        "partial": "only while answers are missing",
        "gained": "where {} newly holds",
        "lost": "where {} no longer holds",
        "and": "and",
        "example": "such as patient {}",
        "bounded": "there may be others, with other rules behind it",
        "denied": "{} denied",
        "not_asked": "{} not asked",
        "nothing_else": "nothing that stands out",
        "older_question": "asked by the older version: {}",
        "laxer": "Laxer",
        "safer": "Safer",
        "neither": "Other",
        "decimal_point": ".",
        "patients": "Patients",
        "undecided": "Not decided within the time: may be laxer",
        "whether": "whether more changes in: {}",
        "same": "Proved the same for every patient: whatever is answered, the same is decided and shown, and why.",
        "counts": "{} changes: {} laxer, {} safer, {} other",
        "written": "Written otherwise",
        "added": "added",
        "removed": "removed",
        "changed": "changed",
        "nothing_written": "Nothing is written otherwise.",
    },
    "nl": {
        "disposition": "verwijzing",
        "ceiling": "wat het nog kan worden",
        "settled": "of er antwoorden nodig zijn",
        "call": "wie te bellen",
        "further call": "ook te bellen: {}",
        "within_hours": "uren",
        "guidance": "begeleiding",
        "valid_days": "dagen geldig, bij {}",
        "recheck_days": "dagen tot er opnieuw gekeken wordt, bij {}",
        "programme": "programma",
        "programme row": "regel van de programmatabel",
        "advice": "advies {}",
        "safety_net": "vangnet {}",
        "rule": "regel {}",
        "open rule": "of regel {} nog kan gelden",
        "refused": "wie geweigerd wordt",
        "everything": "wat dan ook",
        "value.settled": "staat vast",
        "value.needs_answers": "antwoorden nodig",
        "value.decided": "een besluit",
        "value.refused": "geweigerd",
        "value.shown": "getoond",
        "value.hidden": "verborgen",
        "value.holds": "geldt",
        "value.does_not_hold": "geldt niet",
        "value.open_holds": "ja",
        "value.open_does_not_hold": "nee",
        "value.none": "geen",
        "partial": "alleen zolang er antwoorden ontbreken",
        "gained": "waar {} nu geldt",
        "lost": "waar {} niet meer geldt",
        "and": "en",
        "example": "zoals patiënt {}",
        "bounded": "er kunnen er meer zijn, met andere regels erachter",
        "denied": "{} ontkend",
        "not_asked": "{} niet gevraagd",
        "nothing_else": "niets opvallends",
        "older_question": "gevraagd door de oudere versie: {}",
        "laxer": "Soepeler",
        "safer": "Veiliger",
        "neither": "Anders",
        "decimal_point": ",",
        "patients": "Patiënten",
        "undecided": "Niet beslist binnen de tijd: kan soepeler zijn",
        "whether": "of er meer verandert in: {}",
        "same": "Bewezen gelijk voor elke patiënt: bij dezelfde antwoorden hetzelfde besluit, met dezelfde redenen.",
        "counts": "{} veranderingen: {} soepeler, {} veiliger, {} anders",
        "written": "Anders geschreven",
        "added": "toegevoegd",
        "removed": "weggehaald",
        "changed": "veranderd",
        "nothing_written": "Er is niets anders geschreven.",
    },
}
"""English where a language has no words. A value without one is told as the ruleset writes it."""

_TEXTS = {"advice": "advice", "safety_net": "safety_net"}


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of one comparison in one language; texts of a ruleset that lacks the language are in its first one."""

    found: VersionDiff
    language: str = ""

    @property
    def spoken(self) -> str:
        return self.language or self.found.new.ruleset.languages[0]

    def __call__(self, key: str, *gaps: object) -> str:
        """Fixed words, with their gaps filled."""
        own = WORDS.get(self.spoken.partition("-")[0].lower(), WORDS["en"])
        return own.get(key, WORDS["en"].get(key, key)).format(*gaps)

    def _text(self, ruleset: Ruleset, section: str, key: str) -> str:
        texts = ruleset.texts.get(self.spoken) or ruleset.texts[ruleset.languages[0]]
        return texts.get(section, key).patient

    def aspect(self, it: Aspect) -> str:
        """What changes."""
        return self(it.kind, it.name)

    def change(self, it: Change) -> str:
        """One change in one sentence; of a text also what it says."""
        said = f"{self.aspect(it.aspect)}: {self._value(it, it.old)} -> {self._value(it, it.new)}"
        if it.aspect.kind in _TEXTS:
            name, section = it.aspect.name, _TEXTS[it.aspect.kind]
            newer = self._text(self.found.new.ruleset, section, name)
            said += f': "{newer or self._text(self.found.old.ruleset, section, name)}"'
        return said if it.complete else f"{said} ({self('partial')})"

    def _value(self, it: Change, value: str) -> str:
        match it.aspect.kind:
            case "disposition" | "ceiling":
                title = self._text(self.found.new.ruleset, "disposition_titles", value)
                return f"{title} ({value})" if title else value
            case "open rule":
                return self(f"value.open_{value}")
            case _:
                return self(f"value.{value}").removeprefix("value.")

    def cause(self, change: Change, it: Region) -> str:
        """The rules behind a change; empty where the same rules hold, or the change says it itself."""
        if change.aspect.kind == "rule" and (*it.gained, *it.lost) == (change.aspect.name,):
            return ""
        parts = [self(key, f" {self('and')} ".join(names)) for key, names in _causes(it) if names]
        return ", ".join(parts)

    def answers(self, it: Example) -> Iterator[str]:
        """What a patient answered: what stands out in full, denials and what was not asked by their number."""
        new, old = self.found.new.ruleset, self.found.old.ruleset
        remarkable = [
            *(
                self._answer(new, new.questions[name], given)
                for name, given in it.answers.items()
                if not _denies(given)
            ),
            *(
                self("older_question", self._answer(old, old.questions[name], given))
                for name, given in it.before.items()
                if it.answers.get(name) != given
            ),
        ]
        yield from remarkable or [self("nothing_else")]
        denied = sum(map(_denies, it.answers.values()))
        for key, number in (("denied", denied), ("not_asked", len(new.questions) - len(it.answers))):
            if number:
                yield self(key, number)

    def _answer(self, ruleset: Ruleset, question: Question, given: Given) -> str:
        asked = self._text(ruleset, "questions", question.id) or question.id
        value = given.value
        if given.kind is None:
            said = self._text(ruleset, "answers", "unknown") or "unknown"
        elif question.type.is_number:
            unit = self._text(ruleset, "units", question.unit) if question.unit else ""
            number = "" if isinstance(value, tuple) else plain_number(value)
            said = f"{number.replace('.', self('decimal_point'))} {unit}".strip()
        else:
            chosen = value if isinstance(value, tuple) else (str(value),)
            said = ", ".join(self._option(ruleset, question, each) for each in chosen)
        return f"{asked} {said}" if asked.endswith("?") else f"{asked}: {said}"

    def _option(self, ruleset: Ruleset, question: Question, option: str) -> str:
        if question.type is QuestionType.YES_NO:
            return self._text(ruleset, "answers", option) or option
        texts = ruleset.texts.get(self.spoken) or ruleset.texts[ruleset.languages[0]]
        return texts.options.get(question.id, {}).get(option, option)

    def rewritten(self, it: Rewritten) -> str:
        """One entry that is written otherwise."""
        where = f"{it.section} {it.id}" + (f" ({it.language})" if it.language else "")
        parts = "; ".join(
            f"{each.key}: {each.old or '-'} -> {each.new or '-'}" if each.old or each.new else each.key
            for each in it.parts
        )
        return f"{where}: {self(it.kind)}" + (f": {parts}" if parts else "")


def _causes(it: Region) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("gained", it.gained), ("lost", it.lost)


def _denies(given: Given) -> bool:
    return given.value in (NO, NOTHING) and given.kind is not None

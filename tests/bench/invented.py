"""An invented ruleset of any size, in the shape of a real one: what large rulesets are measured and tested with.

It is written to a folder as authors write theirs and goes through the real loader. Everything grows with the rules:
questions, groups, findings, reasons and the texts of both languages. Half of the questions stand in groups, some are
asked only when others say so, and a rule has two to six leaves.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from engine.rules.load import MAIN
from engine.rules.scale import Call, Disposition, Guidance, Programme

LANGUAGES = ("nl", "en")
LETTERS = {
    Disposition.EMERGENCY: "E",
    Disposition.SAME_DAY_GP: "S",
    Disposition.GP_WITHIN_DAYS: "G",
    Disposition.PHYSIO: "P",
}
CALLS = {
    Disposition.EMERGENCY: "gp_or_hap_now",
    Disposition.SAME_DAY_GP: "gp_today",
    Disposition.GP_WITHIN_DAYS: "gp_appointment",
    Disposition.PHYSIO: "clinic",
}
EVIDENCE = 20
"""Citations, which the rules share."""


class Writer:
    """Writes the files of one ruleset; the same size and seed give the same bytes."""

    def __init__(self, rules: int, seed: int = 8) -> None:
        self.rng = random.Random(f"{rules} {seed}")
        self.rules = rules
        self.groups = [f"group_{number}" for number in range(max(2, rules // 20))]
        self.questions = [self.question(number) for number in range(max(8, rules // 2))]
        self.findings = [f"finding_{number}" for number in range(max(2, rules // 10))]

    def question(self, number: int) -> tuple[str, str, str]:
        """Its name, its type, and what stands behind it."""
        kind = ("yes_no", "integer", "yes_no", "choice", "yes_no", "yes_no", "several", "yes_no")[number % 8]
        more = {
            "yes_no": "",
            "integer": ", unit: points, range: [0, 100]",
            "choice": ", options: [none, mild, severe]",
            "several": ", options: [left, right, front, back]",
        }[kind]
        if kind == "choice" or (kind == "yes_no" and number % 4 == 0):
            more += f", group: {self.rng.choice(self.groups)}"
        elif number % 10 == 9:
            more += f", asked_when: {{question_{self.rng.randrange(number // 8 + 1) * 8}: yes}}"
        return f"question_{number}", kind, more

    def leaf(self) -> str:
        """One comparison, mostly of a value."""
        name, kind, _ = self.rng.choice(self.questions)
        roll = self.rng.random()
        if roll < 0.05:
            return f"{{unknown: {name}}}"
        if roll < 0.15:
            return f"{{finding: {self.rng.choice(self.findings)}}}"
        match kind:
            case "yes_no":
                return f"{{{name}: yes}}"
            case "integer":
                return f"{{{name}: {{{self.rng.choice(('at_least', 'above', 'below'))}: {self.rng.randint(5, 95)}}}}}"
            case "choice":
                return self.rng.choice((f"{{{name}: severe}}", f"{{{name}: {{in: [mild, severe]}}}}"))
            case _:
                return f"{{{name}: {self.rng.choice(('left', 'right', 'front', 'back'))}}}"

    def condition(self, leaves: int) -> str:
        """Two to six leaves under `all`, `any`, `not`, `unless` or `count`."""
        roll = self.rng.random()
        if leaves == 1:
            around = "unless" if roll < 0.1 else "not" if roll < 0.2 else ""
            return f"{{{around}: {self.leaf()}}}" if around else self.leaf()
        if leaves > 3 and roll < 0.6:
            parts = ", ".join(self.condition(size) for size in (leaves // 2, leaves - leaves // 2))
            return f"{{all: [{parts}]}}"
        parts = ", ".join(self.condition(1) for _ in range(leaves))
        if leaves > 2 and roll > 0.8:
            return f"{{count: {{at_least: 2, of: [{parts}]}}}}"
        return f"{{{'all' if roll < 0.5 else 'any'}: [{parts}]}}"

    def main(self) -> Iterator[str]:
        """The lines of ruleset.yaml."""
        yield "ruleset:\n  id: invented\n  version: 1.0.0\n  languages: [nl, en]\n  effective: {from: 2026-01-01}"
        yield "  authors: [nobody]\n\ngroups:"
        yield from (f"  {name}: {{}}" for name in self.groups)
        yield "\nquestions:"
        yield from (f"  {name}: {{type: {kind}{more}}}" for name, kind, more in self.questions)
        yield "\nfindings:"
        plain = [name for name, kind, _ in self.questions if kind == "yes_no"]
        for name in self.findings:
            yield f"  {name}: {{any: [{{{self.rng.choice(plain)}: yes}}, {{{self.rng.choice(plain)}: yes}}]}}"
        yield "\nrules:"
        for disposition, number in self.numbered():
            yield f"\n  {LETTERS[disposition]}{number:04}:"
            yield f"    when: {self.condition(self.rng.randint(2, 6))}"
            yield (
                f"    then: {{disposition: {disposition.word}, call: {CALLS[disposition]}, "
                f"within_hours: {self.rng.randint(1, 168)}}}"
            )
            yield f"    because: reason_{number}"
            yield f"    evidence: [source_{self.rng.randrange(EVIDENCE)}, source_{self.rng.randrange(EVIDENCE)}]"
        yield "\ndefault:\n  id: D00\n  then: {disposition: self_care, call: none}\n  because: nothing_holds"
        yield "  evidence: [source_0]\n\ndispositions:"
        yield from (f"  {word}: {{valid_days: 7, recheck_days: 7}}" for word in Disposition.words())
        yield "\nprogramme:"
        yield "  - {id: PR0, when: {disposition: {at_least: gp_within_days}}, then: none_yet, when_unknown: applies,"
        yield "     because: doctor_first}"
        yield "  - {id: PR1, then: either, because: own_choice}\n\nadvice:"
        yield "  ADV-0: {kind: information}\n  ADV-1: {kind: referral, when: {disposition: {at_least: same_day_gp}}}"
        yield "\nsafety_net:\n  SN-0: {}\n\nevidence:"
        yield from (
            f'  source_{number}: {{citation: "A source, volume {number}", strength: study}}'
            for number in range(EVIDENCE)
        )

    def numbered(self) -> list[tuple[Disposition, int]]:
        """The rules in the order of their ids: a tenth emergencies, and so on down to half that only want a visit."""
        shares = ((Disposition.EMERGENCY, 0.1), (Disposition.GP_WITHIN_DAYS, 0.3), (Disposition.PHYSIO, 0.4))
        found = [each for each, share in shares for _ in range(int(self.rules * share))]
        found += [Disposition.SAME_DAY_GP] * (self.rules - len(found))
        return [(each, number) for number, each in enumerate(found)]

    def texts(self, language: str) -> Iterator[str]:
        """The lines of the texts of one language."""
        yield f"language: {language}"
        yield "ruleset: {title: Invented, summary: Invented, intended_use: None, disclaimer: None}"
        yield "answers: {yes: yes, no: no, unknown: unknown, missing: missing}\nunits: {points: points}\n\ngroups:"
        yield from (f"  {name}: {{title: About {name}, none_of: None of these}}" for name in self.groups)
        yield "\nquestions:"
        for name, kind, _ in self.questions:
            yield f"  {name}:\n    text: Is there anything about {name} that should be known before you are seen?"
            if kind in ("choice", "several"):
                options = ("none", "mild", "severe") if kind == "choice" else ("left", "right", "front", "back")
                yield f"    options: {{{', '.join(f'{each}: It is {each}' for each in options)}}}"
        yield "\nreasons:"
        yield from (
            f"  reason_{number}: What was answered can fit number {number}. Somebody has to look at this."
            for number in range(self.rules)
        )
        yield "  nothing_holds: Nothing holds\n  doctor_first: The doctor first\n  own_choice: Your choice\n"
        yield "dispositions:"
        yield from (f"  {word}: {{title: Go to {word}, text: Go there}}" for word in Disposition.words())
        for section, words in (("calls", Call), ("guidance", Guidance), ("programmes", Programme)):
            yield f"\n{section}:"
            yield from (f"  {word}: Do {word}" for word in words.words())
        yield "\nadvice: {ADV-0: Keep moving, ADV-1: Go today}\nsafety_net: {SN-0: Call when it gets worse}"


def write_ruleset(folder: Path, rules: int, seed: int = 8) -> None:
    """Writes a valid ruleset of so many rules into a folder."""
    writer = Writer(rules, seed)
    (folder / MAIN).write_text("\n".join(writer.main()) + "\n", encoding="utf-8")
    for language in LANGUAGES:
        text = "\n".join(writer.texts(language)) + "\n"
        (folder / f"texts.{language}.yaml").write_text(text, encoding="utf-8")

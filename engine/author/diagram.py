"""A ruleset as pictures that a clinician can follow with a finger: from the most urgent down, and rule by rule.

`overview_svg` shows which rules lead to each disposition; `rule_svg` shows what one rule asks, as a tree to be read
from top to bottom. Their words are the ruleset's texts, those of the handbook's lists, and diagram_words.json. The same
ruleset gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TypeAlias

from engine.author.diagram_layout import PAD, Box, Drawing, Line, Link, Shape, box, svg
from engine.author.handbook.conditions import OPS
from engine.author.handbook.words import Words, sentences
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Not,
    Operand,
    Operator,
    ProgrammeIn,
    RuleIs,
    Surely,
    Unknown,
    Unless,
    members,
)
from engine.rules.model import CheckedRuleset, Default, Question, Rule, Ruleset
from engine.rules.scale import Disposition

FILE = Path(__file__).with_name("diagram_words.json")
WIDE = 660
"""Pixels that a drawing takes: the width of the text on a sheet of A4."""
STEP, GAP, EDGE = 26, 6, 2
"""Pixels: how far a branch is set in, between two boxes of a tree, and around everything."""
NARROWEST = 260
"""Pixels that a box may always take; a tree with many branches inside each other gets wider instead."""
ASKED, OUTCOME_AT, STAGE_GAP, TRUNK = 420, 484, 30, 40
"""Pixels of the overview: the width of what is asked, where the outcome stands, and the way down between stages."""


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the tree and those below it."""

    shape: Shape
    lines: tuple[Line, ...]
    below: tuple[Node, ...] = ()

    def said(self) -> str:
        """The same in one sentence, for those who hear the drawing."""
        own = " ".join(filter(None, (line.said for line in self.lines)))
        return f"{own} ({'; '.join(each.said() for each in self.below)})" if self.below else own

    def depth(self) -> int:
        return 1 + max((each.depth() for each in self.below), default=0)


@cache
def _languages() -> Mapping[str, Mapping[str, str]]:
    languages: Mapping[str, Mapping[str, str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return languages


def _fixed(words: Words, key: str) -> str:
    """A fixed word of the drawings."""
    return _languages()[words.language][key]


def _listed(words: Words, key: str, **parts: object) -> str:
    """The words that the handbook's lists have for the same part of a condition, without the colon before a list."""
    return sentences(words.language)[f"condition.{key}"].format(**parts).rstrip(":")


def rule_svg(checked: CheckedRuleset, rule_id: str, language: str) -> str:
    """One rule: where it leads, and below it what must hold. Findings are opened once, those inside them are named."""
    ruleset = checked.ruleset
    words, rule = Words(language, ruleset.texts[language]), ruleset.rules[rule_id]
    when = _tree(words, ruleset, rule.when, Opening.ALLOWED)
    then = _bold(f"{rule.id}: {words.text('disposition_titles', rule.disposition.word)}")
    root = Node(Shape.OUTCOME, (then, Line(_how_fast(words, rule)), Line(_fixed(words, "when"))), (when,))
    wide = max(WIDE, root.depth() * STEP + NARROWEST)
    boxes: list[Box] = []
    links: list[Link] = []
    bottom = _place(root, EDGE, EDGE, wide - EDGE, boxes, links)
    drawing = Drawing(wide, bottom + EDGE, tuple(boxes), tuple(links))
    return svg(drawing, f"diagram-rule-{rule.id}", _fixed(words, "rule_named").format(rule.id), root.said())


def _place(node: Node, x: int, y: int, right: int, boxes: list[Box], links: list[Link]) -> int:
    """Puts a node and all below it into the drawing; gives the bottom of the last."""
    own = box(x, y, right - x, node.lines, node.shape)
    boxes.append(own)
    bottom = own.bottom
    trunk, branch = x + STEP // 2, x + STEP
    above = own.bottom
    for child in node.below:
        index = len(boxes)
        bottom = _place(child, branch, bottom + GAP, right, boxes, links)
        middle = boxes[index].middle
        links.append(Link(((trunk, above), (trunk, middle), (branch, middle))))
        above = middle
    return bottom


class Opening(Enum):
    """Whether a finding is drawn with what it consists of, or only named."""

    ALLOWED = "allowed"
    DONE = "done"


def _tree(words: Words, ruleset: Ruleset, condition: Condition, opening: Opening) -> Node:
    match condition:
        case FindingIs(name) if opening is Opening.ALLOWED:
            inside = _tree(words, ruleset, ruleset.findings[name].when, Opening.DONE)
            return Node(Shape.FINDING, (Line(_holds(words, name)),), (inside,))
        case FindingIs(name):
            return Node(Shape.FINDING, (Line(_fixed(words, "finding_elsewhere").format(_holds(words, name))),))
        case Compare(question, operator, operands):
            answer = _compared(words, ruleset.questions[question], operator, operands)
            return Node(Shape.LEAF, (Line(words.text("questions", question), tail=answer),))
        case Unknown(question) | Answered(question):
            state = _listed(words, "unknown" if isinstance(condition, Unknown) else "answered")
            return Node(Shape.LEAF, (Line(words.text("questions", question), tail=state),))
        case RuleIs(name):
            return Node(Shape.LEAF, (_bold(_listed(words, "rule", id=name)),))
        case DispositionIn(dispositions):
            titles = [words.text("disposition_titles", each.word) for each in sorted(dispositions, reverse=True)]
            return Node(Shape.LEAF, (_bold(f" {words.label('or')} ".join(titles)),))
        case ProgrammeIn(programmes):
            named = [words.text("programmes", each.word) for each in sorted(programmes, key=lambda it: it.value)]
            return Node(Shape.LEAF, (_bold(f" {words.label('or')} ".join(named)),))
        case All() | AnyOf() | Count() | Not() | Unless() | Surely():
            below = tuple(_tree(words, ruleset, each, opening) for each in members(condition))
            number = condition.at_least if isinstance(condition, Count) else 0
            return Node(Shape.JOINT, (Line(_listed(words, OPS[type(condition)], n=number)),), below)


def _holds(words: Words, finding: str) -> str:
    """That a finding holds; by its name, or by its id where it has none."""
    name = words.texts.get("findings", finding).patient
    return _listed(words, "finding", name=f'"{name}"' if name else finding)


def _compared(words: Words, question: Question, operator: Operator, operands: Sequence[Operand]) -> str:
    """The values that an answer must have: `yes`, `at least 60 years`, `minor or major`."""
    said = [words.option(question, each) if isinstance(each, str) else _number(words, each) for each in operands]
    values = f" {words.label('or')} ".join(said)
    start = "" if operator is Operator.IN else f"{words.label(operator.value)} "
    return f"{start}{values} {words.unit(question)}".rstrip()


def _number(words: Words, operand: Operand) -> str:
    if isinstance(operand, int | Decimal):
        return words.number(operand)
    raise TypeError(f"`{operand}` compares nothing in a rule or finding of a checked ruleset")


def _bold(text: str) -> Line:
    return Line(text, "bold")


def _how_fast(words: Words, it: Rule | Default) -> str:
    return "" if it.within_hours is None else words.counted("hours", it.within_hours)


def _call(words: Words, it: Rule | Default) -> Line:
    return Line(words.text("calls", it.call.word), tail=_how_fast(words, it))


def overview_svg(checked: CheckedRuleset, language: str) -> str:
    """The whole ruleset: from the most urgent disposition down, which rules lead to it; last, what else holds."""
    ruleset = checked.ruleset
    words = Words(language, ruleset.texts[language])
    start = tuple(Line(_fixed(words, key)) for key in ("start", "missing"))
    above = box(EDGE, EDGE, ASKED, start, Shape.JOINT, ASKED)
    boxes, said = [above], [" ".join(line.text for line in start)]
    links: list[Link] = []
    down, no = above.bottom, ""
    stages = [_stage(words, ruleset, each) for each in sorted(Disposition, reverse=True)]
    for disposition, lines, yes in [*filter(None, stages), _last(words, ruleset.default)]:
        asked = box(EDGE, down + STAGE_GAP, ASKED, lines, Shape.LEAF, ASKED)
        title = words.text("disposition_titles", disposition.word)
        to = box(OUTCOME_AT, asked.y, WIDE - EDGE - OUTCOME_AT, (_bold(title),), Shape.OUTCOME)
        level = min(asked.bottom, to.bottom) - PAD
        links.append(Link(((TRUNK, above.bottom), (TRUNK, asked.y)), "down", no, (TRUNK + PAD, asked.y - PAD)))
        links.append(Link(((asked.right, level), (to.x, level)), "right", yes, (asked.right + PAD, level - PAD)))
        boxes += [asked, to]
        said.append(f"{' '.join([*(line.said for line in lines), yes]).rstrip()}: {title}")
        above, down, no = asked, max(asked.bottom, to.bottom), _fixed(words, "no")
    drawing = Drawing(WIDE, down + EDGE, tuple(boxes), tuple(links))
    return svg(drawing, "diagram-overview", _fixed(words, "overview_title"), "; ".join(said))


Stage: TypeAlias = tuple[Disposition, tuple[Line, ...], str]
"""A disposition, what is asked before it, and the answer that leads to it."""


def _stage(words: Words, ruleset: Ruleset, disposition: Disposition) -> Stage | None:
    """The rules of a disposition, those with the same call and time together; None where there is none."""
    rules = [each for each in ruleset.rules.values() if each.disposition is disposition]
    if not rules:
        return None
    lines = [_bold(_fixed(words, "asked"))]
    alike: dict[tuple[Line, ...], list[str]] = {}
    for rule in sorted(rules, key=lambda it: (-it.call.rank, it.call.word, it.within_hours or 0, it.id)):
        guidance = (Line(words.text("guidance", rule.guidance.word)),) if rule.guidance else ()
        alike.setdefault((_call(words, rule), *guidance), []).append(rule.id)
    for then, ids in alike.items():
        lines += [_bold(", ".join(ids)), *then]
    return disposition, tuple(lines), _fixed(words, "yes")


def _last(words: Words, default: Default) -> Stage:
    """What holds when no rule is true."""
    lines = (_bold(_fixed(words, "otherwise")), _bold(default.id), _call(words, default))
    return default.disposition, lines, ""

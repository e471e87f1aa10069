"""The pages of the interview as HTML: templates, the page's own words, and the ruleset's texts put together.

Whatever comes from a ruleset or a form is escaped by Jinja. A name that a template does not find is an error, never an
empty place. A page is whole: its style stands in it, and it has no script.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.decide.answers import plain_number
from engine.rules.model import Question, QuestionType, Ruleset, Texts
from engine.serve.interview.entries import NOT_KNOWN, Remark
from engine.serve.interview.state import Go, State
from engine.serve.interview.state import Texts as Said
from engine.serve.interview.telling import Told
from engine.serve.interview.walk import Ask
from engine.serve.registry import Served

HERE = Path(__file__).parent
LANGUAGES = ("nl", "en")
"""Those that the page itself has words for."""
WORDS: Mapping[str, Mapping[str, Any]] = {
    language: tomllib.loads((HERE / f"words.{language}.toml").read_text("utf-8")) for language in LANGUAGES
}
STYLE = (HERE / "style.css").read_text("utf-8")
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of every page: its own style, an empty icon, forms to where it came from."""


def _sentence(text: str) -> str:
    """With a capital, for a label that the ruleset writes as a part of a sentence."""
    return text[:1].upper() + text[1:]


_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters["sentence"] = _sentence
_TEMPLATES.globals.update(style=STYLE, Go=Go)


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a question. `chosen`: filled in already."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as a screen shows it. `label` of a number says what is taken; `typed` is what stands in its field."""

    id: str
    text: str
    help: str
    number: bool
    several: bool
    whole: bool
    label: str
    typed: str
    choices: tuple[Choice, ...]
    remark: Remark | None
    fault: str
    """The remark in words."""
    earlier: tuple[tuple[str, str], ...]
    """Questions and answers from before that the answer does not fit."""

    @property
    def first(self) -> str:
        """The id of the first field, to which a remark leads."""
        return f"{self.id}-0"


def home(first: str, offered: Mapping[str, Sequence[Served]]) -> str:
    """Every questionnaire in every language; `first` comes first."""
    languages = [first, *(each for each in LANGUAGES if each != first)]
    lists = {each: [(served.id, _texts(served, each)) for served in offered[each]] for each in languages}
    return _render("home", first, lists=lists, words=WORDS)


def start(served: Served, language: str, recorded: bool) -> str:
    """What a person should know before the first question. `recorded`: whether this server keeps decisions."""
    others = [each for each in LANGUAGES if each != language and each in served.languages]
    return _render(
        "start",
        language,
        texts=_texts(served, language),
        path=_path(language, served),
        others={each: _path(each, served) for each in others},
        hidden=_hidden(State(served.digest)),
        recorded=recorded,
        words=WORDS,
    )


def screen(served: Served, language: str, asked: Ask) -> str:
    """Questions, with remarks where they are asked again."""
    ruleset, texts = served.evaluator.checked.ruleset, _texts(served, language)
    group = asked.screen.group
    whole = {each.id for each in ruleset.questions.values() if each.group == group} <= {*asked.screen.questions}
    words = WORDS[language]
    # The group's own label speaks of all its questions: it is not said of some of them.
    none = (texts.get("group_none_of", group).patient if whole else "") or words["none"]
    answers = asked.state.answers
    questions = [
        _shown(ruleset, texts, words, none, answers, name, asked.entries.get(name, ()), asked.remarks.get(name))
        for name in asked.screen.questions
    ]
    already = ""
    if asked.state.told:
        floor, call = asked.outcome.floor.word, asked.outcome.call.word
        title, whom = texts.get("disposition_titles", floor).patient, texts.get("calls", call).patient
        already = words["already"].format(title=title, call=whom)
    return _render(
        "screen",
        language,
        texts=texts,
        path=_path(language, served),
        hidden=_hidden(asked.state),
        number=len(asked.state.screens) + 1,
        heading=texts.get("groups", group).patient if group else "",
        questions=questions,
        remarked=[each for each in questions if each.remark is not None],
        deny=none if asked.screen.deniable and len(questions) > 1 else "",
        already=already,
    )


def told(served: Served, language: str, state: State, told: Told, over: bool) -> str:
    """The decision; or, where it is not over, what holds already and a way to go on."""
    ruleset, texts = served.evaluator.checked.ruleset, _texts(served, language)
    answers = [
        (texts.get("questions", name).patient, _said(ruleset, texts, name, said))
        for name, said in state.answers.items()
    ]
    return _render(
        "told",
        language,
        texts=texts,
        path=_path(language, served),
        hidden=_hidden(state),
        told=told,
        answers=answers,
        over=over,
    )


def failure(language: str, kind: str) -> str:
    """What to do where there is no page; `kind` names the words for it. Nothing of the request stands in it."""
    return _render("failure", language, kind=kind)


def _render(template: str, language: str, **content: Any) -> str:
    return _TEMPLATES.get_template(f"{template}.html").render(w=WORDS[language], language=language, **content)


def _hidden(state: State) -> list[tuple[str, str]]:
    """The hidden fields of a form; each makes a request of its own, so that only one sent twice is the same."""
    return [*state.fields(str(uuid4()))]


def _path(language: str, served: Served) -> str:
    return f"/{language}/{served.id}"


def _texts(served: Served, language: str) -> Texts:
    return served.evaluator.checked.ruleset.texts[language]


def _shown(
    ruleset: Ruleset,
    texts: Texts,
    words: Mapping[str, Any],
    none: str,
    answers: Said,
    name: str,
    entry: tuple[str, ...],
    remark: Remark | None,
) -> Shown:
    question = ruleset.questions[name]
    low, high = (plain_number(each) if each is not None else "" for each in (question.low, question.high))
    unit = texts.get("units", question.unit).patient
    number = question.type.is_number
    label = words["number_label" if unit else "number_label_bare"].format(low=low, high=high, unit=unit)
    unknown = _sentence(texts.get("answers", NOT_KNOWN).patient)
    fault = "" if remark is None else words["fault"][remark.fault.value]
    options = () if number else question.options
    return Shown(
        id=name,
        text=texts.get("questions", name).patient,
        help=texts.get("question_help", name).patient,
        number=number,
        several=question.type is QuestionType.SEVERAL,
        whole=question.type is QuestionType.INTEGER,
        label=label if number else "",
        typed=next((each for each in entry if each != NOT_KNOWN), "") if number else "",
        choices=tuple(
            Choice(option, _sentence(_label(texts, question, option)), option in entry)
            for option in (*options, NOT_KNOWN)
        ),
        remark=remark,
        fault=(remark.text if remark and remark.text else fault.format(low=low, high=high, none=none, unknown=unknown)),
        earlier=tuple(
            (texts.get("questions", each).patient, _said(ruleset, texts, each, answers[each]))
            for each in (remark.earlier if remark else ())
        ),
    )


def _label(texts: Texts, question: Question, option: str) -> str:
    """An option in words: the question's own, or else what the ruleset calls yes, no and unknown."""
    own = texts.options.get(question.id, {}).get(option, "")
    return own or texts.get("answers", option).patient


def _said(ruleset: Ruleset, texts: Texts, name: str, said: tuple[str, ...]) -> str:
    """An answer in words."""
    question = ruleset.questions[name]
    if question.type.is_number and said != (NOT_KNOWN,):
        return f"{said[0]} {texts.get('units', question.unit).patient}".rstrip()
    return ", ".join(_label(texts, question, each) for each in said)

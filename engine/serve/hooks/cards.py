"""A decision becomes cards: what holds, what is still missing, and the programme to choose.

Whatever is missing is said: a chart without a card could be read as a patient without danger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from engine.pb.v1 import triage_pb2 as pb
from engine.rules.scale import Disposition, Programme
from engine.serve.convert import DISPOSITIONS, PROGRAMMES
from engine.serve.fhir import names
from engine.serve.fhir.guidance import WORDS, Known
from engine.serve.fhir.names import PLAN, Json, canonical, system
from engine.serve.hooks.identity import PROGRAMMES as SUGGESTED
from engine.serve.hooks.identity import Kind, card_id, suggestion_id
from engine.serve.hooks.markdown import bullets, escaped, headed, labelled, lines
from engine.serve.hooks.prefetch import Intake, Lack
from engine.serve.hooks.services import words
from engine.serve.registry import Served

LONGEST = 139
"""Characters of a summary."""
OVERRIDE_REASON = "override-reason"
"""The code system of the reasons that an EHR offers to whoever decides otherwise."""
EXTENSION = "pluis.triage.decision"
"""Under this name a card carries its decision as data."""
INFO, WARNING, CRITICAL = "info", "warning", "critical"
INDICATORS: Mapping[Disposition, str] = {
    Disposition.EMERGENCY: CRITICAL,
    Disposition.SAME_DAY_GP: CRITICAL,
    Disposition.GP_WITHIN_DAYS: WARNING,
    Disposition.PHYSIO: WARNING,
    Disposition.SELF_CARE: INFO,
}
_DISPOSITIONS: Mapping[int, Disposition] = {number: each for each, number in DISPOSITIONS.items()}
_PROGRAMMES: Mapping[int, Programme] = {number: each for each, number in PROGRAMMES.items()}


@dataclass(frozen=True, slots=True)
class Setting:
    """What all cards of an answer have in common.

    `base` is the address of the server's FHIR, `form` that of the questionnaire for people; `patient` is a FHIR id.
    """

    served: Served
    language: str
    base: str
    form: str
    patient: str

    @property
    def words(self) -> Mapping[str, Any]:
        """The fixed words."""
        return words(self.language)

    @property
    def title(self) -> str:
        """What the ruleset is about."""
        return self.text("ruleset", "title")

    def text(self, section: str, name: str) -> str:
        """A text of the ruleset."""
        return self.served.evaluator.checked.ruleset.texts[self.language].get(section, name).patient

    def card(self, summary: str, indicator: str, detail: str, version: str = "") -> Json:
        """The beginning of a card."""
        version = version or self.served.version
        return {
            "summary": shortened(summary),
            "indicator": indicator,
            "detail": detail,
            "source": {
                "label": self.words["source"].format(title=self.title, version=version),
                "url": canonical(self.base, PLAN, self.served.id),
            },
        }


def shortened(summary: str) -> str:
    """A summary as one line that is not too long."""
    line = " ".join(summary.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def lacking_card(setting: Setting, lack: Lack) -> Json:
    """The card that says why nothing was assessed, with the way to the questionnaire."""
    said = setting.words["lack"][lack.value]
    card = setting.card(said["summary"].format(title=setting.title), INFO, escaped(said["detail"]))
    return card | {"links": [{"label": setting.words["form"], "url": setting.form, "type": "absolute"}]}


def decision_cards(setting: Setting, response: pb.EvaluateResponse, letter: str, intake: Intake) -> list[Json]:
    """The cards of a response with its reasons, to what was filled in. `letter` is the referral letter, if any."""
    return [*_Maker(setting, response, letter, intake).cards()]


class _Maker:
    """Makes the cards of one response."""

    def __init__(self, setting: Setting, response: pb.EvaluateResponse, letter: str, intake: Intake) -> None:
        self._setting = setting
        self._words = setting.words
        self._response = response
        self._letter = letter
        self._intake = intake
        self._decision = UUID(response.decision_id)

    def cards(self) -> Iterator[Json]:
        """Every card, the most urgent first."""
        if self._response.WhichOneof("outcome") == "decision":
            decision = self._response.decision
            yield self._settled(decision)
            if decision.programme.choice not in (pb.PROGRAMME_NONE_YET, pb.PROGRAMME_UNSPECIFIED):
                yield self._programme(decision.programme)
            return
        needs = self._response.needs_answers
        if needs.act_now:
            yield self._floor(needs)
        yield self._open(needs)

    def _settled(self, decision: pb.Decision) -> Json:
        summary = self._words["summary_within" if decision.HasField("within_hours") else "summary"].format(
            title=self._setting.title, outcome=decision.disposition_text.title, hours=decision.within_hours
        )
        blocks = [*self._notes(decision), *self._outcome(decision, decision.disposition_text), *self._end(decision)]
        detail = "\n\n".join(blocks)
        return self._card(Kind.DECISION, summary, INDICATORS[_DISPOSITIONS[decision.disposition]], detail, decision)

    def _floor(self, needs: pb.NeedsAnswers) -> Json:
        summary = self._words["floor_summary"].format(title=self._setting.title, outcome=needs.floor_text.title)
        already = f"{escaped(self._words['already'])} {escaped(self._words['act'])}"
        blocks = [already, *self._notes(needs), *self._outcome(needs, needs.floor_text), *self._end(needs)]
        detail = "\n\n".join(blocks)
        return self._card(Kind.FLOOR, summary, INDICATORS[_DISPOSITIONS[needs.floor]], detail, needs)

    def _open(self, needs: pb.NeedsAnswers) -> Json:
        count = len(needs.next_questions)
        summary = self._words["open_summary"].format(title=self._setting.title, count=count)
        ceiling = self._setting.text("disposition_titles", _DISPOSITIONS[needs.ceiling].word)
        blocks = [escaped(self._words["open"].format(ceiling=ceiling)), *self._notes(needs)]
        blocks.extend(headed(self._words["next"], bullets(each.question.text for each in needs.next_questions)))
        if not needs.act_now:  # else the card before this one says it
            if needs.rules:
                blocks.append(escaped(self._words["already"]))
            blocks.extend(self._outcome(needs, needs.floor_text))
            blocks.extend(self._end(needs))
        card = self._card(Kind.OPEN, summary, WARNING, "\n\n".join(blocks), needs)
        form = {"label": self._words["form"], "url": self._setting.form, "type": "absolute"}
        return card | {"links": [form, *card.get("links", ())]}

    def _card(self, kind: Kind, summary: str, indicator: str, detail: str, known: Known) -> Json:
        """A card of this decision, on which an EHR can give feedback."""
        card = self._begun(kind, summary, indicator, detail, "override_reasons")
        sources = {each.url: each.citation for rule in known.rules for each in rule.evidence if each.url}
        links = [{"label": label, "url": url, "type": "absolute"} for url, label in sources.items()]
        return card | {"links": links} if links else card

    def _begun(self, kind: Kind, summary: str, indicator: str, detail: str, reasons: str) -> Json:
        response = self._response
        coded = system(self._setting.base, OVERRIDE_REASON)
        return self._setting.card(summary, indicator, detail, response.ruleset.version) | {
            "uuid": str(card_id(self._decision, kind)),
            "overrideReasons": [
                {"code": code, "system": coded, "display": display} for code, display in self._words[reasons].items()
            ],
            "extension": {EXTENSION: self._data()},
        }

    def _data(self) -> Json:
        """The decision for programs."""
        response = self._response
        if response.WhichOneof("outcome") == "decision":
            outcome = {"disposition": WORDS[names.DISPOSITION][response.decision.disposition]}
        else:
            needs = response.needs_answers
            scale = WORDS[names.DISPOSITION]
            outcome = {"floor": scale[needs.floor], "ceiling": scale[needs.ceiling]}
        data: Json = {"id": response.decision_id, "digest": response.decision_digest, **outcome}
        data["ruleset"] = {name: getattr(response.ruleset, name) for name in ("id", "version", "digest")}
        if response.HasField("receipt"):
            receipt = response.receipt
            data["receipt"] = {
                "writer": receipt.writer,
                "sequence": receipt.sequence,
                "entryHash": receipt.entry_hash,
            }
        return data

    def _notes(self, known: Known) -> Iterator[str]:
        """What to know before anything else: there may be newer answers, or these are old."""
        if not self._intake.whole:
            yield f"**{escaped(self._words['partial'])}**"
        latest, decided = self._intake.latest, self._response.decide_time.ToDatetime(UTC)
        if latest is not None and latest + timedelta(days=known.valid_days) < decided:
            yield f"**{escaped(self._words['stale'].format(days=known.valid_days))}**"

    def _outcome(self, known: Known, wording: pb.Wording) -> Iterator[str]:
        """What holds and why, with what was told to the person; as Markdown, block by block."""
        words = self._words
        hours = words["within_hours"].format(hours=known.within_hours) if known.HasField("within_hours") else ""
        yield from headed(words["what"], escaped(wording.title), escaped(wording.clinician_text or wording.text))
        for label, text in (("call", known.call_text), ("within", hours), ("guidance", known.guidance_text)):
            if said := labelled(words[label], text):
                yield said
        yield from headed(words["reasons"], "\n".join(_reason(rule) for rule in known.rules))
        for heading, texts in (("advice", known.advice), ("safety_net", known.safety_net)):
            yield from headed(words[heading], bullets(each.text for each in texts))

    def _end(self, known: Known) -> Iterator[str]:
        yield from headed(self._words["letter"], lines(self._letter))
        response = self._response
        provenance = self._words["provenance"].format(id=response.decision_id, version=response.ruleset.version)
        answered = self._words["answered"].format(
            authored=self._intake.authored or "?", valid=known.valid_days, recheck=known.recheck_days
        )
        yield lines("\n".join([answered, provenance, self._setting.text("ruleset", "disclaimer")]))

    def _programme(self, choice: pb.ProgrammeChoice) -> Json:
        summary = self._words["programme_summary"].format(title=self._setting.title, programme=choice.title)
        detail = escaped(choice.clinician_text or choice.text)
        card = self._begun(Kind.PROGRAMME, summary, INFO, detail, "programme_reasons")
        suggestions = [self._suggestion(each, choice) for each in SUGGESTED]
        return card | {"suggestions": suggestions, "selectionBehavior": "at-most-one"}

    def _suggestion(self, programme: Programme, choice: pb.ProgrammeChoice) -> Json:
        title = self._setting.text("programmes", programme.word)
        suggestion: Json = {"label": title, "uuid": str(suggestion_id(self._decision, programme))}
        if programme is _PROGRAMMES[choice.choice]:
            suggestion["isRecommended"] = True
        description = self._words["plan"].format(programme=title)
        action = {"type": "create", "description": description, "resource": self._plan(programme, title)}
        return suggestion | {"actions": [action]}

    def _plan(self, programme: Programme, title: str) -> Json:
        """The draft that accepting a suggestion creates."""
        base, ruleset = self._setting.base, self._response.ruleset
        code = {"system": system(base, names.PROGRAMME), "code": programme.word, "display": title}
        return {
            "resourceType": "CarePlan",
            "status": "draft",
            "intent": "proposal",
            "instantiatesCanonical": [f"{canonical(base, PLAN, ruleset.id)}|{ruleset.version}"],
            "title": title,
            "subject": {"reference": f"Patient/{self._setting.patient}"},
            "created": f"{self._response.decide_time.ToDatetime().isoformat(timespec='milliseconds')}Z",
            "activity": [{"detail": {"code": {"coding": [code], "text": title}, "status": "not-started"}}],
        }


def _reason(rule: pb.RuleReason) -> str:
    """A rule that holds, with the answers for which it does."""
    answers = [f"  - {escaped(f'{each.question_text} {each.value_text}')}" for each in rule.answers]
    return "\n".join([f"- {escaped(rule.id)}: {escaped(rule.clinician_text or rule.text)}", *answers])

"""One call of a service without its wire: what came as JSON, checked, decided by the service, out as cards.

The same request goes through the same service as on every other wire, so it gets the same decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import uuid5

from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.record.subject import subject_fault
from engine.serve.config import Config
from engine.serve.fhir.answers import placed, read_response
from engine.serve.fhir.letter import referral_letter
from engine.serve.fhir.names import Json
from engine.serve.hooks.cards import Setting, decision_cards, lacking_card
from engine.serve.hooks.messages import HookCall, read_call
from engine.serve.hooks.prefetch import Intake, Lack, NotObtained, find_intake
from engine.serve.hooks.services import LANGUAGES, Service, find_service
from engine.serve.registry import Snapshot


@dataclass(frozen=True, slots=True)
class Adviser:
    """Where calls of services are answered: the rulesets of the moment, and the service that decides and records.

    `base` is the address of the server's FHIR, `forms` of the questionnaires for people, by ruleset and language.
    """

    snapshot: Snapshot
    answer: Callable[[pb.EvaluateRequest], pb.EvaluateResponse]
    limits: Config
    base: str
    forms: Callable[[str, str], str]
    today: date

    def advise(self, name: str, body: object, accepted: Sequence[str] = ()) -> Json | NotObtained:
        """The cards for a call of the service `name`, in the first language of `accepted` that there is.

        Raises what the one table of errors has a status for: AnswersError where a response does not fit its
        questionnaire, InvalidRequest where the call itself is wrong. The fields of violations are paths in the call.
        """
        service = find_service(self.snapshot, self.today, name)
        call = read_call(body, service.hook.value)
        found = find_intake(call.prefetch, service.served.id, self.base, call.patient)
        if isinstance(found, NotObtained):
            return found
        if isinstance(found, Intake):
            answering = self._version(service, found.version)
            if answering is not None:
                return {"cards": self._decided(answering, call, found, accepted)}
            found = Lack.OTHER_VERSION
        return {"cards": [lacking_card(self._setting(service, call, accepted), found)]}

    def _version(self, service: Service, version: str) -> Service | None:
        """The service by the version that was answered; None where that does not count today, or is not here."""
        for served in self.snapshot.versions[service.served.id]:
            if served.version == version and served.effective(self.today) and set(served.languages) & set(LANGUAGES):
                return replace(service, served=served)
        return None

    def _setting(self, service: Service, call: HookCall, accepted: Sequence[str]) -> Setting:
        language = service.language(accepted)
        form = self.forms(service.served.id, language)
        return Setting(service.served, language, self.base, form, call.patient)

    def _decided(self, service: Service, call: HookCall, intake: Intake, accepted: Sequence[str]) -> list[Json]:
        served, setting = service.served, self._setting(service, call, accepted)
        read = read_response(intake.response, served, setting.language, self.base, self.limits, intake.at)
        request, places = read.request, {**read.places, **CONTEXT}
        context = request.context
        # The same call that comes again gets the same decision; what was answered is not in it, for it is in clear.
        context.request_id = str(uuid5(call.instance, repr((service.id, setting.language, intake.told))))
        context.on_behalf_of = call.on_behalf_of
        if not context.subject_reference and not subject_fault(call.patient):
            context.subject_reference = call.patient
        try:
            response = self.answer(request)
        except AnswersError as error:
            raise type(error)(placed(error.violations, places, intake.at)) from None
        letter = ""
        if response.ruleset.digest == served.digest:  # else it was decided before the rulesets changed
            letter = referral_letter(served, read.answers, response)
        return decision_cards(setting, response, letter, intake)


CONTEXT = {"context.on_behalf_of": "context.userId", "context.subject_reference": "context.patientId"}
"""Where the context of a request comes from."""

"""CDS Hooks over HTTP: which services there are, a call of one, and feedback on its cards.

Cards go as JSON; a failure is an OperationOutcome, which `gateway` writes. Nothing that was prefetched is a 412.
"""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.serve.calls import Call
from engine.serve.fhir.definitions import FHIR_JSON
from engine.serve.fhir.names import QUESTIONNAIRE, Json, fhir_id, system
from engine.serve.fhir.outcomes import Severity, issue, outcome
from engine.serve.fhir.routes import ROOT as FHIR
from engine.serve.gateway.gateway import Gateway, HttpCall
from engine.serve.gateway.media import JSON, check_accept, languages
from engine.serve.gateway.reading import read_json
from engine.serve.hooks.advising import Adviser
from engine.serve.hooks.cards import OVERRIDE_REASON
from engine.serve.hooks.feedback import record_all
from engine.serve.hooks.prefetch import NotObtained
from engine.serve.hooks.services import discovery, find_service

ROOT = "/cds-services"


def routes(gateway: Gateway) -> list[BaseRoute]:
    """Every address of CDS Hooks."""
    hooks = _Hooks(gateway)
    return [
        Route(ROOT, hooks.discover, methods=["GET"]),
        Route(f"{ROOT}/{{service}}", hooks.advise, methods=["POST"]),
        Route(f"{ROOT}/{{service}}/feedback", hooks.feedback, methods=["POST"]),
    ]


class _Hooks:
    """What CDS Hooks answers, on one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._base = f"{gateway.base}{FHIR}"

    async def discover(self, request: Request) -> Response:
        """The services."""
        check_accept(request)
        accepted, registry = languages(request), self._gateway.registry

        def work(call: Call) -> Response:
            return _response(discovery(registry.current(), registry.today(), accepted))

        return await self._gateway.run(request, "ListRulesets", work)

    async def advise(self, request: Request) -> Response:
        """A call of one service: decides, records and answers."""
        check_accept(request)
        gateway = self._gateway
        body = await gateway.body(request, "Evaluate", gateway.config.max_request_size)
        accepted, service = languages(request), request.path_params["service"]

        def work(call: HttpCall) -> Response:
            answer = partial(gateway.evaluate, call)
            snapshot, today = gateway.registry.current(), gateway.registry.today()
            adviser = Adviser(snapshot, answer, gateway.config, self._base, self._form, today)
            advice = adviser.advise(service, read_json(body), accepted)
            return _failed_prefetch(advice) if isinstance(advice, NotObtained) else _response(advice)

        return await gateway.run(request, "Evaluate", work)

    async def feedback(self, request: Request) -> Response:
        """What people did with cards."""
        gateway = self._gateway
        body = await gateway.body(request, "RecordFeedback", gateway.config.max_request_size)
        name = request.path_params["service"]

        def work(call: HttpCall) -> Response:
            find_service(gateway.registry.current(), gateway.registry.today(), name)
            record_all(gateway.service, read_json(body), call, system(self._base, OVERRIDE_REASON))
            return Response()

        return await gateway.run(request, "RecordFeedback", work)

    def _form(self, ruleset: str, language: str) -> str:
        """Where a person can answer the questions; where nobody can here, what the questions are."""
        if self._gateway.interview_open:
            return f"{self._gateway.base}/{language}"
        return f"{self._base}/{QUESTIONNAIRE}/{fhir_id(ruleset)}?_language={language}"


def _failed_prefetch(found: NotObtained) -> Response:
    """Not obtained is not absent: nothing is said of the patient."""
    body = outcome([issue(Severity.ERROR, "incomplete", found.why)])
    return _response(body, HTTPStatus.PRECONDITION_FAILED, FHIR_JSON)


def _response(body: Json, status: HTTPStatus = HTTPStatus.OK, media: str = JSON) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text.encode(), status, {"Vary": "Accept-Language"}, media)

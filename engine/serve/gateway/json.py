"""The contract as plain JSON over HTTP: the same messages, the same rights and the same decisions as over gRPC.

Nothing of a person is ever in a URL: what names a subject is asked by POST.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.config import Config
from engine.serve.errors import InvalidRequest
from engine.serve.gateway.gateway import Gateway, HttpCall
from engine.serve.gateway.media import JSON, check_accept
from engine.serve.gateway.messages import fields_of, read_message, write_message
from engine.serve.gateway.reading import read_json


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to ask. What the path has in braces is a field of the request; by GET the others stand in the query."""

    method: str
    path: str
    rpc: str
    request: type[Message]
    response: type[Message]
    summary: str
    not_in_query: frozenset[str] = frozenset()
    """Fields that no URL may have."""

    @property
    def in_path(self) -> tuple[str, ...]:
        """The fields that the path gives."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    def largest(self, config: Config) -> int:
        """Bytes that a body may have."""
        return config.max_message_size if self.request is pb.EvaluateBatchRequest else config.max_request_size


OPERATIONS = (
    Operation(
        "POST", "/v1/evaluate", "Evaluate", pb.EvaluateRequest, pb.EvaluateResponse,
        "One person's answers in, a decision out: or what is still to be asked.",
    ),
    Operation(
        "POST", "/v1/evaluate-batch", "EvaluateBatch", pb.EvaluateBatchRequest, pb.EvaluateBatchResponse,
        "Many people at once; what fails for one is a status in its place, and stops no other.",
    ),
    Operation(
        "GET", "/v1/rulesets", "ListRulesets", pb.ListRulesetsRequest, pb.ListRulesetsResponse,
        "The rulesets that are served.",
    ),
    Operation(
        "GET", "/v1/rulesets/{ruleset}", "GetRuleset", pb.GetRulesetRequest, pb.GetRulesetResponse,
        "One ruleset with its rules, texts and evidence.",
    ),
    Operation(
        "GET", "/v1/rulesets/{ruleset}/questionnaire", "GetQuestionnaire",
        pb.GetQuestionnaireRequest, pb.GetQuestionnaireResponse,
        "What a ruleset asks.",
    ),
    Operation(
        "GET", "/v1/decisions", "ListDecisions", pb.ListDecisionsRequest, pb.ListDecisionsResponse,
        "Recorded decisions, the newest first. Those about a subject are asked for by POST /v1/decisions/search.",
        frozenset({"subject_reference"}),
    ),
    Operation(
        "POST", "/v1/decisions/search", "ListDecisions", pb.ListDecisionsRequest, pb.ListDecisionsResponse,
        "Recorded decisions, also those about a subject.",
    ),
    Operation(
        "GET", "/v1/decisions/{decision_id}", "GetDecision", pb.GetDecisionRequest, pb.GetDecisionResponse,
        "One recorded decision with its answers and feedback.",
    ),
    Operation(
        "POST", "/v1/decisions/{decision_id}/feedback", "RecordFeedback",
        pb.RecordFeedbackRequest, pb.RecordFeedbackResponse,
        "What became of a decision: accepted, or overridden and why.",
    ),
)  # fmt: skip


def routes(gateway: Gateway) -> list[BaseRoute]:
    """A route for each operation."""
    return [Route(each.path, _endpoint(gateway, each), methods=[each.method]) for each in OPERATIONS]


def _endpoint(gateway: Gateway, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        check_accept(request)
        body = b""
        if operation.method == "POST":
            body = await gateway.body(request, operation.rpc, operation.largest(gateway.config))

        def work(call: HttpCall) -> bytes:
            message = read_message(operation.request, _fields(operation, request, body))
            if isinstance(message, pb.EvaluateRequest):
                return write_message(gateway.evaluate(call, message))
            return write_message(getattr(gateway.service, operation.rpc)(message, call))

        return Response(await gateway.run(request, operation.rpc, work), media_type=JSON)

    return endpoint


def _fields(operation: Operation, request: Request, body: bytes) -> Any:
    """The JSON of the request: from the body or the query, with what the path says."""
    query = fields_of(request.query_params.multi_items())
    given = query
    if operation.method == "POST":
        if query:
            raise InvalidRequest([Violation("", "unknown-field", "nothing of this request can stand in the URL")])
        given = read_json(body)
        if not isinstance(given, dict):
            return given
    fields = operation.request.DESCRIPTOR.fields_by_name
    names = {fields[name].json_name: name for name in (*operation.in_path, *operation.not_in_query)}
    misplaced = [names.get(name, name) for name in given if name in (*names, *names.values())]
    if misplaced:
        raise InvalidRequest(
            Violation(name, "misplaced", "stands in the path" if name in operation.in_path else "cannot be in a URL")
            for name in misplaced
        )
    return given | request.path_params

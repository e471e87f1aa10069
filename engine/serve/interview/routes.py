"""The interview over HTTP: pages that are asked for, and forms that come in; a failure is a page too.

No answer stands in an address, a cookie or a header, and no page may be kept by anybody on the way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from engine.decide.answers import UNKNOWN, Answers, Given
from engine.decide.decision import Outcome
from engine.errors import AnswersError, EvaluatorsDisagree, LogUnavailable, StateUnavailable
from engine.serve.config import LOG_OFF
from engine.serve.errors import MalformedRequest, RetryLater
from engine.serve.gateway.errors import http_headers, http_status
from engine.serve.gateway.gateway import Gateway, HttpCall
from engine.serve.gateway.media import FORM, languages
from engine.serve.interview import pages
from engine.serve.interview.entries import typed
from engine.serve.interview.state import LARGEST, Form, read_form
from engine.serve.interview.telling import Told, ask
from engine.serve.interview.walk import Ask, walk
from engine.serve.registry import NotServed, Served, Snapshot, UnknownVersion

HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": pages.POLICY}


def routes(gateway: Gateway) -> list[BaseRoute]:
    """`/`, and for each language its own list, and start and screens of each questionnaire; none where it is closed."""
    if not gateway.interview_open:
        return []
    desk = _Desk(gateway)
    found: list[BaseRoute] = [Route("/", _page(desk.home, ""), methods=["GET"])]
    for language in pages.LANGUAGES:
        path = f"/{language}/{{ruleset}}"
        found += [
            Route(f"/{language}", _page(desk.home, language), methods=["GET"]),
            Route(path, _page(desk.start, language), methods=["GET"]),
            Route(path, _page(desk.screen, language), methods=["POST"]),
        ]
    return found


class _Desk:
    """Where pages are made, in the threads of the calls."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def home(self, request: Request, language: str) -> str:
        """The questionnaires there are; in the language that the browser prefers first, where the path names none."""
        first = language or _preferred(request)

        def work(call: HttpCall) -> str:
            snapshot, today = self._offered(), self._gateway.registry.today()
            defaults = [snapshot.default(each, today) for each in snapshot.versions]
            return pages.home(
                first,
                {
                    each: [served for served in defaults if served is not None and each in served.languages]
                    for each in pages.LANGUAGES
                },
            )

        return await self._gateway.run_for_person(request, "ListRulesets", work)

    async def start(self, request: Request, language: str) -> str:
        """What a person should know first."""
        ruleset: str = request.path_params["ruleset"]

        def work(call: HttpCall) -> str:
            served = self._offered().find(ruleset, "", self._gateway.registry.today())
            recorded = self._gateway.config.log != LOG_OFF
            return pages.start(served, served.language(language), recorded)

        return await self._gateway.run_for_person(request, "GetRuleset", work)

    async def screen(self, request: Request, language: str) -> str:
        """What comes after a form."""
        ruleset: str = request.path_params["ruleset"]
        body = await self._gateway.body(request, "Evaluate", LARGEST, (FORM,))
        return await self._gateway.run_for_person(
            request, "Evaluate", lambda call: self._answer(call, ruleset, language, read_form(body))
        )

    def _answer(self, call: HttpCall, ruleset: str, language: str, form: Form) -> str:
        served = self._served(ruleset, form.state.ruleset)
        served.language(language)  # raises UnknownLanguage where it has no texts in it

        rules = served.evaluator.checked.ruleset

        def tell(answers: Mapping[str, Given]) -> Told:
            return ask(
                lambda request: self._gateway.evaluate(call, request), served, language, answers, form.request_id
            )

        def decide(answers: Answers) -> Outcome:
            try:
                return served.evaluator.evaluate(answers).outcome
            except EvaluatorsDisagree:
                # The service disagrees on the same answers, and counts it as it counts it for every caller.
                tell(
                    {name: Given(rules.questions[name].type, value) for name, value in answers.values.items()}
                    | dict.fromkeys(answers.unknown, UNKNOWN)
                )
                raise

        step = walk(served.evaluator, decide, language, form)
        if isinstance(step, Ask):
            return pages.screen(served, language, step)
        return pages.told(served, language, step.state, tell(typed(rules, step.state.answers)), step.over)

    def _offered(self) -> Snapshot:
        """The rulesets that people may choose."""
        snapshot, chosen = self._gateway.registry.current(), self._gateway.config.interview_rulesets
        if not chosen:
            return snapshot
        return Snapshot({name: versions for name, versions in snapshot.versions.items() if name in chosen})

    def _served(self, ruleset: str, digest: str) -> Served:
        """The version that the form began with: its questions were asked, so it decides. Raises NotServed."""
        snapshot, today = self._offered(), self._gateway.registry.today()
        snapshot.find(ruleset, "", today)
        versions = [served for served in snapshot.versions[ruleset] if served.effective(today)]
        for served in versions:
            if served.digest == digest:
                return served
        message, asked = f"`{ruleset}` was changed since this form was made", {"ruleset": ruleset, "version": ""}
        raise UnknownVersion(message, asked, [served.version for served in versions])


def _page(make: Callable[[Request, str], Awaitable[str]], language: str) -> Callable[[Request], Awaitable[Response]]:
    """A route of what makes pages. What fails was counted and logged where it failed; a person reads a page."""

    async def endpoint(request: Request) -> Response:
        spoken = language or _preferred(request)
        try:
            content, status, headers = await make(request, language), 200, HEADERS
        except Exception as error:
            content, status = pages.failure(spoken, _kind(error)), http_status(error)
            headers = {**HEADERS, **http_headers(error)}
        return HTMLResponse(content, status, {**headers, "Content-Language": spoken})

    return endpoint


def _kind(error: Exception) -> str:
    """Which words a failure has."""
    match error:
        case NotServed():
            return "gone"
        case MalformedRequest() | AnswersError():
            return "refused"
        case RetryLater() | LogUnavailable() | StateUnavailable():
            return "busy"
        case _:
            return "failed"


def _preferred(request: Request) -> str:
    """The language of the page that the browser likes best; our first where it names none of them."""
    spoken = (tag.partition("-")[0] for tag in languages(request))
    return next((language for language in spoken if language in pages.LANGUAGES), pages.LANGUAGES[0])

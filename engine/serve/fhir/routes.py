"""FHIR over HTTP: which address gives which resource, and `$triage`.

Every resource of a ruleset version has the ruleset as its id and the version as its versionId: a read gives the version
in effect, a versioned read any that is served, and a search finds by canonical `url` and `version`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.decide.answers import shown
from engine.errors import Violation
from engine.serve.calls import Call
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.definitions import (
    FHIR_JSON,
    TRIAGE,
    capability_statement,
    code_systems,
    operation_definition,
    plan_definition,
    question_codes,
    searchset,
)
from engine.serve.fhir.names import PLAN, QUESTIONNAIRE, Json, fhir_id
from engine.serve.fhir.questionnaire import questionnaire
from engine.serve.fhir.triage import Desk, fitting, named
from engine.serve.gateway.errors import NotAcceptable
from engine.serve.gateway.gateway import Gateway, HttpCall
from engine.serve.gateway.media import FORM, JSON, check_accept, languages
from engine.serve.gateway.reading import read_json
from engine.serve.registry import Served, UnknownRuleset

ROOT = "/fhir/R4"
TYPES = (FHIR_JSON, JSON, "application/json+fhir")
"""Media types that are taken and given; the last is of the time before R4, and some clients still send it."""
FORMATS = ("json", *TYPES)
LARGEST_SEARCH = 16 * 1024
"""Bytes of a search that is posted."""
QUESTIONS, RULES = "GetQuestionnaire", "GetRuleset"
"""The rpcs whose right reading takes."""

Describe = Callable[[Served, str, str, date], Json]
VERSIONED: Mapping[str, tuple[Describe, str]] = {
    QUESTIONNAIRE: (questionnaire, QUESTIONS),
    PLAN: (plan_definition, RULES),
}
"""Resources that each ruleset version is, and the rpc that gives the same."""
SEARCHED = ("_id", "url", "version")
COUNT, DIGITS = "_count", re.compile("[0-9]{1,9}")
"""How many resources a search gives at most; clients that look for one ask for one."""


def routes(gateway: Gateway) -> list[BaseRoute]:
    """Every address of FHIR."""
    fhir = _Fhir(gateway)
    found: list[BaseRoute] = [
        Route(f"{ROOT}/metadata", fhir.metadata, methods=["GET"]),
        Route(f"{ROOT}/{PLAN}/{{module}}/${TRIAGE}", fhir.triage, methods=["POST"]),
    ]
    for kind, (describe, method) in VERSIONED.items():
        find = partial(fhir.versions, describe)
        found += fhir.resource_routes(kind, method, find)
        read = partial(fhir.read, kind, method, find)
        found.append(Route(f"{ROOT}/{kind}/{{id}}/_history/{{version}}", read, methods=["GET"]))
    found += fhir.resource_routes("CodeSystem", QUESTIONS, fhir.code_systems)
    found += fhir.resource_routes("OperationDefinition", RULES, fhir.operations)
    return found


Wanted = dict[str, str]
"""What a read or search asks for, by the names of SEARCHED, and `_language`."""
Find = Callable[[Wanted, list[str]], Iterator[Json]]
"""The resources of one type that fit, in the first of the languages that they have."""


class _Fhir:
    """What FHIR answers, on one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._base = f"{gateway.base}{ROOT}"
        self._started = gateway.registry.today()

    def resource_routes(self, kind: str, method: str, find: Find) -> list[BaseRoute]:
        """Read and search, by GET and by POST."""
        search = partial(self.search, kind, method, find)
        return [
            Route(f"{ROOT}/{kind}", search, methods=["GET"]),
            Route(f"{ROOT}/{kind}/_search", search, methods=["POST"]),
            Route(f"{ROOT}/{kind}/{{id}}", partial(self.read, kind, method, find), methods=["GET"]),
        ]

    async def metadata(self, request: Request) -> Response:
        """The CapabilityStatement, for anybody."""
        _check_format(request)
        return _response(capability_statement(self._base, self._started, self._gateway.config.authenticated))

    async def triage(self, request: Request) -> Response:
        """`$triage`: decides, records and answers."""
        _check_format(request)
        gateway = self._gateway
        body = await gateway.body(request, "Evaluate", gateway.config.max_request_size, TYPES)
        accepted, module = languages(request), request.path_params["module"]

        def work(call: HttpCall) -> Response:
            answer = partial(gateway.evaluate, call)
            snapshot, today = gateway.registry.current(), gateway.registry.today()
            desk = Desk(snapshot, answer, gateway.config, self._base, today)
            return _response(desk.triage(read_json(body), module, accepted))

        return await gateway.run(request, "Evaluate", work)

    async def read(self, kind: str, method: str, find: Find, request: Request) -> Response:
        """One resource, or one version of it."""
        _check_format(request)
        asked = _wanted(request.query_params.multi_items(), ("_language",))
        wanted = asked | {"_id": request.path_params["id"]}
        if "version" in request.path_params:
            wanted["version"] = request.path_params["version"]
        accepted = languages(request)

        def work(call: Call) -> Response:
            found = next(find(wanted, accepted), None)
            if found is None:
                name = wanted["_id"]
                raise UnknownRuleset(f"there is no {kind} `{shown(name)}` here", {"ruleset": name}, ())
            return _response(found)

        return await self._gateway.run(request, method, work)

    async def search(self, kind: str, method: str, find: Find, request: Request) -> Response:
        """A Bundle of what fits; parameters that are not understood are refused, for they would find too much."""
        _check_format(request)
        parameters = request.query_params.multi_items()
        if request.method == "POST":
            body = await self._gateway.body(request, method, LARGEST_SEARCH, (FORM,))
            parameters += parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        accepted = languages(request)

        def work(call: Call) -> Response:
            wanted = _wanted(parameters, (*SEARCHED, COUNT, "_language"))
            query = urlencode({name: wanted[name] for name in (*SEARCHED, COUNT) if name in wanted})
            link = f"{self._base}/{kind}" + (f"?{query}" if query else "")
            most = int(wanted[COUNT]) if COUNT in wanted else None
            return _response(searchset(find(wanted, accepted), self._base, link, most))

        return await self._gateway.run(request, method, work)

    def versions(self, describe: Describe, wanted: Wanted, accepted: list[str]) -> Iterator[Json]:
        """A resource for each ruleset version that fits: of a ruleset that is named, the one in effect."""
        for served in self._served(wanted, wanted.get("_id", "")):
            found = describe(served, _language(served, wanted, accepted), self._base, self._gateway.registry.today())
            if wanted.get("url", found["url"]) == found["url"]:
                yield found

    def code_systems(self, wanted: Wanted, accepted: list[str]) -> Iterator[Json]:
        """The code systems of the program, and those of the rulesets' questions."""
        yield from _fitting(code_systems(self._base, self._started), wanted)
        name = wanted.get("_id", "")
        if name and not name.endswith("-questions"):
            return
        for served in self._served(wanted, name.removesuffix("-questions")):
            language = _language(served, wanted, accepted)
            yield from _fitting([question_codes(served, language, self._base, self._gateway.registry.today())], wanted)

    def operations(self, wanted: Wanted, accepted: list[str]) -> Iterator[Json]:
        """`$triage`."""
        return _fitting([operation_definition(self._base, self._started)], wanted)

    def _served(self, wanted: Wanted, name: str) -> Iterator[Served]:
        """The ruleset versions with an id of FHIR, or all; of each the version that is wanted, or the one in effect."""
        snapshot, today = self._gateway.registry.current(), self._gateway.registry.today()
        version = wanted.get("version", "")
        for served in snapshot:
            if name and fhir_id(served.id) != name:
                continue
            if served.version == version if version else served is snapshot.default(served.id, today):
                yield served


def _fitting(resources: Iterable[Json], wanted: Wanted) -> Iterator[Json]:
    keys = {"_id": "id", "url": "url", "version": "version"}
    for each in resources:
        if all(wanted.get(name, each[key]) == each[key] for name, key in keys.items()):
            yield each


def _language(served: Served, wanted: Wanted, accepted: list[str]) -> str:
    """The language that is asked for by name, or else the first that fits. Raises UnknownLanguage."""
    if name := wanted.get("_language", ""):
        return served.language(named(name, served.languages))
    return fitting(accepted, served.languages)


def _wanted(parameters: Iterable[tuple[str, str]], known: tuple[str, ...]) -> Wanted:
    """The parameters of a read or search. Raises InvalidRequest for what is not understood, or stands there twice."""
    wanted: Wanted = {}
    violations = []
    for name, value in parameters:
        if name == "_format":
            continue
        if name not in known:
            message = f"parameter `{shown(name)}` is not understood; there is {', '.join(known)}"
            violations.append(Violation("", "unknown-parameter", message))
        elif name in wanted:
            violations.append(Violation("", "duplicate", f"parameter `{name}` stands there twice"))
        elif name == COUNT and not DIGITS.fullmatch(value):
            violations.append(Violation("", "out-of-range", f"`{COUNT}` is a number of at most nine digits"))
        wanted[name] = value
    url, _, version = wanted.get("url", "").partition("|")
    if version and wanted.setdefault("version", version) != version:
        violations.append(Violation("", "duplicate", "`url` and `version` name two versions"))
    if violations:
        raise InvalidRequest(violations)
    return wanted | {"url": url} if url else wanted


def _check_format(request: Request) -> None:
    """Raises NotAcceptable unless JSON may be given. `_format` counts before the header."""
    wanted = request.query_params.get("_format")
    if wanted is None:
        check_accept(request, TYPES)
    elif wanted.partition(";")[0].replace(" ", "+") not in FORMATS:
        raise NotAcceptable(f"the answer is {FHIR_JSON}")


def _response(resource: Json) -> Response:
    headers = {"Content-Type": f"{FHIR_JSON}; charset=utf-8", "Vary": "Accept-Language"}
    if version := resource.get("meta", {}).get("versionId"):
        headers["ETag"] = f'W/"{version}"'
    body = json.dumps(resource, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body.encode(), headers=headers)

"""Commands that answer: evaluate patients, show a questionnaire."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.terminal import INVALID, RULESETS, AsJson, Rulesets, complain, opened, show, width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.author.render import Json
    from engine.author.results import Ask
    from engine.client import Client
    from engine.serve.registry import Registry
    from engine.serve.service import TriageService


def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Patients as JSON, JSON Lines or YAML; `-`: from stdin.")],
    as_json: AsJson = False,
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="Ask this server, not the same code here.")] = "",
    tls_authority: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TLS: the authority of the server's certificate (PEM).")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TLS: our own certificate, where the server wants one (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="TLS: the key of our certificate (PEM).")] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TLS: a bearer token; read again for each call.")
    ] = None,
    rulesets: Rulesets = RULESETS,
    language: Annotated[str, typer.Option(help="For those who name none, such as nl.")] = "",
) -> None:
    """Decide for each patient of a file: 0 decided, 3 answers needed, 2 refused, 1 anything else; the worst counts."""
    from engine.author.patients import read_patients
    from engine.author.results import DECIDED, results, worst

    code = DECIDED
    client = _client(server, tls_authority, certificate, key, token_file)
    with opened(file) as stream, _answering(client, rulesets) as (ask, served):
        for number, result in enumerate(results(read_patients(stream, file), ask, served, language)):
            code = worst(code, result.exit_code)
            if as_json:
                typer.echo(json.dumps(result.content))
                continue
            if number:
                typer.echo(f"\n{'-' * 8} {result.place}\n")
            show(result.page(width()))
    raise typer.Exit(code)


def questionnaire(
    ruleset: Annotated[
        str, typer.Argument(metavar="[RULESET]", help="Its id; may be left out when there is one.")
    ] = "",
    as_json: AsJson = False,
    rulesets: Rulesets = RULESETS,
    language: Annotated[str, typer.Option(help="Its first language when left out.")] = "",
) -> None:
    """Show every question of a ruleset: what it takes and when it is asked."""
    from google.protobuf.json_format import MessageToDict

    from engine.author.questionnaire import render_questionnaire
    from engine.serve.describe import describe_questionnaire
    from engine.serve.registry import NotServed
    from engine.serve.service import now

    snapshot = _registry(rulesets).current()
    if not ruleset and len(snapshot.versions) == 1:
        (ruleset,) = snapshot.versions
    try:
        served = snapshot.find(ruleset, "", now().date())
        content = MessageToDict(describe_questionnaire(served, served.language(language)))
    except NotServed as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    if as_json:
        typer.echo(json.dumps(content))
    else:
        show(render_questionnaire(content, width()))


def _client(
    server: str, authority: Path | None, certificate: Path | None, key: Path | None, token_file: Path | None
) -> Client | None:
    """The client of a server, over TLS where anything of TLS is given; None without a server."""
    from engine.channel import tls
    from engine.client import Client

    if authority is certificate is key is token_file is None:
        return Client(server) if server else None
    if not server:
        raise typer.BadParameter("`--tls-authority`, `--certificate`, `--key` and `--token-file` need `--server`")
    if (certificate is None) != (key is None):
        raise typer.BadParameter("`--certificate` and `--key` belong together")
    token = None if token_file is None else partial(_token, token_file)
    if token is not None:
        token()  # that there is no token is told now; later it would be a call that failed
    return Client(server, credentials=tls(authority, certificate, key), token=token)


def _token(file: Path) -> str:
    token = file.read_text(encoding="ascii", errors="replace").strip()
    if not token or not token.isascii():
        raise OSError(0, "has no token", str(file))
    return token


@contextmanager
def _answering(client: Client | None, root: Path) -> Iterator[tuple[Ask, Callable[[], Sequence[str]]]]:
    """Who decides: a server, or the same code in this process; and which rulesets there are."""
    if client is not None:
        with client:
            yield partial(_ask_server, client), partial(_rulesets_of, client)
    else:
        from engine.serve.config import Config
        from engine.serve.service import TriageService

        registry = _registry(root)
        yield (
            partial(_ask_service, TriageService(Config(rulesets=root), registry)),
            lambda: sorted(registry.current().versions),
        )


def _registry(root: Path) -> Registry:
    """The rulesets of a folder; what is not served is told once, here and not in the log."""
    from engine.serve.registry import Registry

    logging.getLogger("pluis.registry").addHandler(logging.NullHandler())
    registry = Registry(root)
    for problem in registry.current().problems:
        complain(f"{problem.source} is not served: {problem.message}")
    return registry


def _ask_service(service: TriageService, asked: Mapping[str, Any]) -> Json:
    from google.protobuf.json_format import MessageToDict

    from engine.author.results import failure, violations_of
    from engine.client import to_request
    from engine.serve.errors import row_of, status_of
    from engine.serve.interceptors import new_request_id
    from engine.serve.observing import log_failure

    request_id = asked["request_id"] or new_request_id()
    request = to_request(**{**asked, "request_id": request_id})
    try:
        return MessageToDict(service.answer(request))
    except Exception as error:  # as on the server, its status table decides what is told
        log_failure(error, request_id)
        row, status = row_of(error), MessageToDict(status_of(error, request_id))
        return failure(row.code.name, row.reason, status["message"], violations_of(status))


def _ask_server(client: Client, asked: Mapping[str, Any]) -> Json:
    from google.protobuf.json_format import MessageToDict

    from engine.author.results import failure
    from engine.client import TriageError

    try:
        return MessageToDict(client.evaluate(**asked).message)
    except TriageError as error:
        if not error.reason and error.code.name == "UNAVAILABLE":
            raise  # there is no server: nobody else can be asked either
        return failure(error.code.name, error.reason, str(error).partition(": ")[2], error.violations)


def _rulesets_of(client: Client) -> Sequence[str]:
    """The ids that a server has: it tells them to whoever asks for one that it has not."""
    from engine.client import TriageError

    try:
        client.evaluate({}, ruleset="")
    except TriageError as error:
        if error.reason == "RULESET_NOT_FOUND":
            return error.metadata.get("available", "").split(", ")
        raise
    return ()

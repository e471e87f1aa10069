"""The `pluis` command: reads what was typed, calls, prints, and ends with an exit code that a script can rely on.

Exit codes: 0 done, 1 anything that went wrong, 2 refused or invalid, 3 answers are needed, 4 cases failed. Each command
imports what it needs when it runs, so that `pluis --help` answers at once.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer

import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.author.layout import Page
    from engine.author.render import Json
    from engine.author.results import Ask
    from engine.client import Client
    from engine.serve.registry import Registry
    from engine.serve.service import TriageService

FAILED, INVALID, CASES_FAILED = 1, 2, 4
RULESETS = Path(__file__).resolve().parent.parent / "rulesets"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Rulesets = Annotated[
    Path, typer.Option(envvar="PLUIS_RULESETS", metavar="DIR", help="The folder with the rulesets.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON each, as the contract prints it.")]
Paths = Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Folders of rulesets; all by default.")]


def main() -> None:
    """Runs the command and ends the process. Whatever happens, there is a message and no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = app(standalone_mode=False) or 0  # ends the process itself when nobody reads its output any more
    except Exception as error:
        code = _explain(error)
    sys.exit(code)


def _explain(error: Exception) -> int:
    from engine.errors import PluisError

    show = getattr(error, "show", None)
    if callable(show):  # what was typed cannot be understood
        show()
    elif isinstance(error, PluisError):
        _complain(str(error))
    elif isinstance(error, OSError):
        _complain(": ".join(str(each) for each in (error.filename, error.strerror or error) if each))
    else:
        *_, (place, line) = walk_tb(error.__traceback__)
        _complain(f"an error of the program: {type(error).__name__} ({Path(place.f_code.co_filename).name}:{line})")
    return FAILED


def _complain(message: str) -> None:
    typer.echo(f"pluis: {message}", err=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pluis {engine.__version__}")
        raise typer.Exit


@app.callback()
def _pluis(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version and stop.")
    ] = False,
) -> None:
    """Pluis: a patient's answers in, a referral decision out."""


@app.command()
def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Patients as JSON, JSON Lines or YAML; `-`: from stdin.")],
    as_json: AsJson = False,
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="Ask this server, not the same code here.")] = "",
    rulesets: Rulesets = RULESETS,
    language: Annotated[str, typer.Option(help="For those who name none, such as nl.")] = "",
) -> None:
    """Decide for each patient of a file: 0 decided, 3 answers needed, 2 refused, 1 anything else; the worst counts."""
    from engine.author.patients import read_patients
    from engine.author.results import DECIDED, results, worst

    code = DECIDED
    with _opened(file) as stream, _answering(server, rulesets) as (ask, served):
        for number, result in enumerate(results(read_patients(stream, file), ask, served, language)):
            code = worst(code, result.exit_code)
            if as_json:
                typer.echo(json.dumps(result.content))
                continue
            if number:
                typer.echo(f"\n{'-' * 8} {result.place}\n")
            _print(result.page(_width()))
    raise typer.Exit(code)


@app.command()
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
        _complain(str(error))
        raise typer.Exit(INVALID) from None
    if as_json:
        typer.echo(json.dumps(content))
    else:
        _print(render_questionnaire(content, _width()))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free port.")] = 50051,
    rulesets: Rulesets = RULESETS,
    threads: Annotated[int, typer.Option(min=2, help="Calls that are worked on at once; half may be streams.")] = 16,
) -> None:
    """Serve the rulesets over gRPC until the process is told to stop."""
    from engine.serve.config import Config
    from engine.serve.registry import Registry
    from engine.serve.server import build_server

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = Config(rulesets, host, port, threads, max_streams=threads // 2)
    build_server(config, Registry(rulesets)).run()


@app.command()
def lint(
    paths: Paths = None,
    rulesets: Rulesets = RULESETS,
    format: Annotated[
        Literal["text", "json", "github"], typer.Option(help="For a person, a program, or a pull request.")
    ] = "text",
) -> None:
    """Show every problem of rulesets, their cases and texts, with its place: 0 without errors, 2 with errors."""
    from engine.author.cases_report import find_rulesets
    from engine.author.lint_report import Format, lint_folder, render_lint

    results = [(folder, lint_folder(folder)) for folder in find_rulesets(paths or [rulesets])]
    text = render_lint(results, Format(format))
    if text:
        typer.echo(text)
    raise typer.Exit(INVALID if any(problems for _, problems in results) else 0)


@app.command()
def fmt(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Folders of rulesets, or files; all by default.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; name the files that would change.")] = False,
    rulesets: Rulesets = RULESETS,
) -> None:
    """Lay out rulesets, texts and cases: 0 done, 2 a file has problems and stays, 1 with --check: some would change."""
    from engine.author.format import find_files, format_file, write_text

    code = 0
    for file in find_files(paths or [rulesets]):
        text, complaint = format_file(file)
        if complaint:
            typer.echo(complaint)
            code = INVALID
        elif text is not None and check:
            typer.echo(f"would change {file}")
            code = max(code, FAILED)
        elif text is not None:
            write_text(file, text)
            typer.echo(f"laid out {file}")
    raise typer.Exit(code)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="[CODE]", help="As lint shows it; all when left out.")] = "",
) -> None:
    """Tell what a problem means, why it matters, and how it is put right."""
    from engine.author.explanations import NoSuchCode, list_codes, render_explanation

    try:
        _print(render_explanation(code, _width()) if code else list_codes(_width()))
    except NoSuchCode as error:
        _complain(str(error))
        raise typer.Exit(FAILED) from None


@app.command()
def schema(
    write: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write them to.")],
) -> None:
    """Write the JSON Schemas with which an editor completes and checks what an author types."""
    from engine.author.schema import schema_files

    write.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (write / name).write_text(text, encoding="utf-8")
        typer.echo(str(write / name))


@app.command()
def test(
    paths: Paths = None,
    rulesets: Rulesets = RULESETS,
    case: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only cases with an id like this.")] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only cases with one of these tags; '!TAG' leaves cases out."),
    ] = None,
    language: Annotated[str, typer.Option(help="Leave out cases in other languages; give reasons in this one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The whole run as one JSON document.")] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML for CI systems too.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell the outcome of cases that passed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell only of cases that failed.")] = False,
) -> None:
    """Run the authors' cases on both evaluators: 0 all passed, 4 some failed, 2 invalid, or none selected."""
    from engine.author.case_formats import as_json as json_of
    from engine.author.case_formats import as_junit
    from engine.author.cases_report import Detail, find_rulesets, render_suite, render_total
    from engine.author.cases_run import NothingSelected, Selection, run_suites

    detail = Detail.QUIET if quiet else Detail.VERBOSE if verbose else Detail.NORMAL
    selection = Selection(tuple(case or ()), tuple(tag or ()), language)
    suites = []
    try:
        for suite in run_suites(find_rulesets(paths or [rulesets]), selection):
            suites.append(suite)
            page = render_suite(suite, _width(), detail, language)
            if page.lines and not as_json:
                _print(page)
    except NothingSelected as error:
        _complain(str(error))
        raise typer.Exit(INVALID) from None
    if junit is not None:
        junit.write_text(as_junit(suites, language), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(json_of(suites, language)))
    else:
        _print(render_total(suites, _width()))
    invalid, failed = any(suite.problems for suite in suites), any(suite.failed for suite in suites)
    raise typer.Exit(INVALID if invalid else CASES_FAILED if failed else 0)


@contextmanager
def _answering(server: str, root: Path) -> Iterator[tuple[Ask, Callable[[], Sequence[str]]]]:
    """Who decides: a server, or the same code in this process; and which rulesets there are."""
    if server:
        from engine.client import Client

        with Client(server) as client:
            yield partial(_ask_server, client), partial(_rulesets_of, client)
    else:
        from engine.serve.config import Config
        from engine.serve.service import TriageService

        registry = _registry(root)
        yield partial(_ask_service, TriageService(Config(root), registry)), lambda: sorted(registry.current().versions)


def _registry(root: Path) -> Registry:
    """The rulesets of a folder; what is not served is told once, here and not in the log."""
    from engine.serve.registry import Registry

    logging.getLogger("pluis.registry").addHandler(logging.NullHandler())
    registry = Registry(root)
    for problem in registry.current().problems:
        _complain(f"{problem.source} is not served: {problem.message}")
    return registry


def _ask_service(service: TriageService, asked: Mapping[str, Any]) -> Json:
    from google.protobuf.json_format import MessageToDict

    from engine.author.results import failure, violations_of
    from engine.client import to_request
    from engine.serve.errors import row_of, status_of
    from engine.serve.interceptors import log_failure, new_request_id

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


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-" and sys.stdin is None:
        raise OSError("standard input is closed")
    with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as stream:
        yield stream


_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "underline": True},
    "alarm": {"bold": True, "fg": "red"},
    "heading": {"bold": True},
    "aside": {"dim": True},
}


def _print(page: Page) -> None:
    """A page at once; with colour only where a person reads it."""
    plain = sys.stdout is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    styles = {} if plain else _STYLES
    typer.echo(
        "\n".join(
            typer.style(line.text, **style) if (style := styles.get(line.role.value)) else line.text for line in page
        )
    )


def _width() -> int:
    return shutil.get_terminal_size().columns

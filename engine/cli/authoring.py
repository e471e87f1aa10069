"""Commands for those who write rulesets: lint, fmt, explain, schema, test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.cli.terminal import CASES_FAILED, FAILED, INVALID, RULESETS, Paths, Rulesets, complain, show, width


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


def explain(
    code: Annotated[str, typer.Argument(metavar="[CODE]", help="As lint shows it; all when left out.")] = "",
) -> None:
    """Tell what a problem means, why it matters, and how it is put right."""
    from engine.author.explanations import NoSuchCode, list_codes, render_explanation

    try:
        show(render_explanation(code, width()) if code else list_codes(width()))
    except NoSuchCode as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None


def schema(
    write: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write them to.")],
) -> None:
    """Write the JSON Schemas with which an editor completes and checks what an author types."""
    from engine.author.schema import schema_files

    write.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (write / name).write_text(text, encoding="utf-8")
        typer.echo(str(write / name))


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
            page = render_suite(suite, width(), detail, language)
            if page.lines and not as_json:
                show(page)
    except NothingSelected as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    if junit is not None:
        junit.write_text(as_junit(suites, language), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(json_of(suites, language)))
    else:
        show(render_total(suites, width()))
    invalid, failed = any(suite.problems for suite in suites), any(suite.failed for suite in suites)
    raise typer.Exit(INVALID if invalid else CASES_FAILED if failed else 0)

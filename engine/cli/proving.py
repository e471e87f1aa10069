"""The command that proves what a ruleset claims of all patients: prove."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import CASES_FAILED, FAILED, INVALID, RULESETS, Paths, Rulesets, complain, show, width

if TYPE_CHECKING:
    from engine.rules.model import CheckedRuleset


def prove(
    paths: Paths = None,
    rulesets: Rulesets = RULESETS,
    claim: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these claims.")] = None,
    budget: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="For all claims of a ruleset together.")
    ] = 60.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.", show_default="one a core")] = os.cpu_count() or 1,
    certificate: Annotated[
        bool, typer.Option("--certificate", help="Write the verdicts beside the ruleset, for `serve` and others.")
    ] = False,
    exact: Annotated[
        int, typer.Option(min=0, metavar="N", help="Also look at N sampled records: how exact is `settled`?")
    ] = 0,
    seed: Annotated[int, typer.Option(help="For --exact.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each ruleset.")] = False,
) -> None:
    """Prove every claim of rulesets for all patients: 0 all are proved, 4 some are not, 2 invalid."""
    if not installed():
        raise typer.Exit(FAILED)
    from engine.author.cases_report import find_rulesets
    from engine.author.proof_report import as_json as json_of
    from engine.author.proof_report import render_exact, render_result, render_total
    from engine.decide.evaluate import Evaluator
    from engine.prove.exact import measure
    from engine.prove.prover import certificate as certify
    from engine.prove.solving import version
    from engine.prove.verdict import Proved
    from engine.prove.workers import prove_on
    from engine.rules.certificate import CERTIFICATE, render_certificate
    from engine.rules.load import load

    proved = True
    for folder in find_rulesets(paths or [rulesets]):
        checked = load(folder)
        claims = [each for each in checked.ruleset.claims.values() if not claim or each.id in claim]
        unknown = sorted(set(claim or ()) - {each.id for each in claims})
        if unknown or (certificate and claim):
            complain(f"{folder}: no claim `{unknown[0]}`" if unknown else "a certificate is for all claims")
            raise typer.Exit(INVALID)
        results = []
        if not as_json:
            typer.echo(f"{checked.ruleset.id} {checked.ruleset.version} ({folder}), {checked.digest[:12]}")
        evaluator = Evaluator(checked)
        for result in prove_on(workers, checked, claims, _versions(folder, checked), budget):
            results.append(result)
            if not as_json:
                show(render_result(checked, result, evaluator, width()))
        if as_json:
            typer.echo(json.dumps(json_of(checked, results)))
        else:
            show(render_total(results, version(), width()))
        if exact and not as_json:
            show(render_exact(measure(checked, exact, seed), width()))
        if certificate:
            text = render_certificate(certify(checked, results))
            (folder / CERTIFICATE).write_text(text, encoding="utf-8")
        proved = proved and all(isinstance(each.verdict, Proved) for each in results)
    raise typer.Exit(0 if proved else CASES_FAILED)


def installed() -> bool:
    """Whether the prover is there; tells how to get it where it is not."""
    from importlib.util import find_spec

    if find_spec("z3") is not None:
        return True
    complain("the prover is not installed: pip install 'pluis[prove]'")
    return False


def _versions(folder: Path, checked: CheckedRuleset) -> Mapping[str, CheckedRuleset]:
    """Other versions of the same ruleset with which claims compare; looked for only where one does."""
    from engine.rules.load import discover, find_root, read_ruleset

    wanted = {claim.than for claim in checked.ruleset.claims.values() if claim.than}
    found: dict[str, CheckedRuleset] = {}
    for other in discover(find_root(folder)) if wanted else ():
        each, _ = read_ruleset(other)
        if each is not None and each.ruleset.id == checked.ruleset.id and each.ruleset.version in wanted:
            found[each.ruleset.version] = each
    return found

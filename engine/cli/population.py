"""Commands for a whole population: every row of an input decided, on this machine or on a cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.opening import OUR_LOG, Where, contents, new_private_file, opened_log
from engine.cli.terminal import FAILED, INVALID, LAXER, RULESETS, Rulesets, complain

if TYPE_CHECKING:
    from engine.population.running import Local, Ray


class Engine(Enum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


Input = Annotated[
    str,
    typer.Argument(
        metavar="IN",
        help="Parquet, CSV, NDJSON of FHIR, or a folder of one of them; a decision log; or simulated:SEED:ROWS.",
    ),
]
RulesetFolder = Annotated[Path, typer.Option("--ruleset", metavar="FOLDER", help="The ruleset that decides.")]
LogKeys = Annotated[
    Path | None,
    typer.Option("--log-keys", envvar="PLUIS_LOG_KEYS", metavar="FILE", help="The keys, where IN is a decision log."),
]
On = Annotated[Engine, typer.Option("--engine", help="This machine, or a Ray cluster.")]
Address = Annotated[str, typer.Option(metavar="HOST:PORT", help="The head of the Ray cluster.")]
Workers = Annotated[int, typer.Option(min=0, metavar="N", help="Processes on this machine; 0: one for each core.")]
Partitions = Annotated[
    int, typer.Option(min=0, metavar="N", help="Parcels of work for a cluster; 0: one for each 20,000 rows.")
]


def batch(
    where: Input,
    out: Annotated[str, typer.Argument(metavar="OUT", help="A new folder or URL, or that of a run to go on with.")],
    ruleset: RulesetFolder,
    log_keys: LogKeys = None,
    engine: On = Engine.LOCAL,
    address: Address = "",
    workers: Workers = 0,
    partitions: Partitions = 0,
) -> None:
    """Decide every row of an input: 0 all were decided, 2 some were rejected, each with every reason.

    Writes Parquet: part-*.parquet with the decisions, rejects-*.parquet with what was rejected, and summary.json. A
    run that was broken off goes on where it stopped when it is started again. Nothing is recorded in a decision log.
    """
    on = engine_of(engine, address, workers)
    from engine.errors import RulesetError
    from engine.population.deciding import Batch, Decider
    from engine.population.running import run
    from engine.population.sources import open_source
    from engine.rules.load import load_texts

    try:
        _, texts = load_texts(ruleset)
    except RulesetError as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    with progress("decided") as tell:
        summary = run(open_source(where, ruleset, log_keys), Batch(Decider(texts)), out, on, partitions, tell)
    typer.echo(f"{summary.rows} rows: {summary.records} decided, {summary.rejected} rejected")
    for name, count in summary.tally.items():
        typer.echo(f"{count:>12}  {name.partition('/')[2]}")
    if summary.resumed:
        typer.echo(f"{summary.resumed} of {summary.chunks} parts had been written before")
    raise typer.Exit(INVALID if summary.rejected else 0)


def impact(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The folder or digest of the version to compare with.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The folder or digest of the version that is new.")],
    where: Input,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with tables and plots (HTML).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same numbers as one JSON document.")] = False,
    changed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write each row that changes (Parquet): health data.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of what is told: nl or en.")] = "nl",
    rulesets: Rulesets = RULESETS,
    log: Where = OUR_LOG,
    log_keys: LogKeys = None,
    work: Annotated[
        str, typer.Option(metavar="PLACE", help="A folder or URL to keep what is between in; a cluster needs one.")
    ] = "",
    engine: On = Engine.LOCAL,
    address: Address = "",
    workers: Workers = 0,
    partitions: Partitions = 0,
) -> None:
    """Tell what a new version would change for the patients of an input: 0 nothing is laxer, 5 something is.

    Each row is decided by both versions. Counts below 10 are not told, nor what they could be subtracted from; what
    only one version asks is left out for the other, and counted. Laxer is less urgent, later, less to watch for, or no
    decision any more. A digest is one of the rulesets in `--rulesets`, or of the decision log.
    """
    on = engine_of(engine, address, workers)
    if engine is Engine.RAY and not work:
        complain("`--engine ray` needs a place that all its nodes reach: name one with --work")
        raise typer.Exit(INVALID)
    from engine.errors import RulesetError
    from engine.population.impact import Listing
    from engine.population.impact_page import LANGUAGES, in_short, render_page
    from engine.population.impact_run import Versions, open_for_both, run_impact, write_changed
    from engine.population.impact_told import as_json as json_of
    from engine.population.impact_told import tell
    from engine.rules.load import load

    if language not in LANGUAGES:
        complain(f"there are words in {' and '.join(LANGUAGES)}, not in `{language}`")
        raise typer.Exit(INVALID)
    with TemporaryDirectory() as folder, ExitStack() as files:
        try:
            of = [_folder_of(said, rulesets, log, Path(folder)) for said in (old, new)]
            before, after = (load(each) for each in of)
        except RulesetError as error:
            complain(str(error))
            raise typer.Exit(INVALID) from None
        versions = Versions(*of)
        listed = files.enter_context(new_private_file(changed)) if changed else None
        place = work or str(Path(folder) / "work")
        with progress("compared") as show:
            source = open_for_both(where, versions, log_keys)
            listing = Listing.CHANGES if listed else Listing.NUMBERS
            sums = run_impact(source, versions, listing, place, on, partitions, show)
        if listed:
            write_changed(place, listed)
    told = tell(sums)
    if page:
        page.write_text(render_page(told, before, after, language), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(json_of(told, before, after), ensure_ascii=False))
    else:
        typer.echo(in_short(told, before, after, language))
    raise typer.Exit(LAXER if sums.laxer else 0)


def simulate(
    out: Annotated[str, typer.Argument(metavar="OUT", help="A new folder or URL, or that of a run to go on with.")],
    ruleset: RulesetFolder,
    patients: Annotated[int, typer.Option(min=1, max=10**9, metavar="N", help="How many.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same number gives the same patients.")] = 1,
    interviews: Annotated[int, typer.Option(min=0, metavar="N", help="Interviews to hold, to see how long.")] = 500,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with tables and plots (HTML).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The numbers as one JSON document.")] = False,
    language: Annotated[str, typer.Option(help="Of the page: nl or en.")] = "nl",
    engine: On = Engine.LOCAL,
    address: Address = "",
    workers: Workers = 0,
    partitions: Partitions = 0,
) -> None:
    """Simulate patients and tell where a ruleset sends them: 0 done, 2 some contradict themselves or it is invalid.

    The patients are those of the ruleset's population.yaml. Nobody of them exists: the numbers show what the rules do
    with such people, not how good they are for real ones.
    """
    on = engine_of(engine, address, workers)
    from engine.errors import RulesetError
    from engine.population.deciding import Decider
    from engine.population.model import POPULATION, load_model
    from engine.population.outcome import Figures, Simulation
    from engine.population.outcome import interviews as held_interviews
    from engine.population.running import run
    from engine.population.simulate_page import LANGUAGES, Page, as_numbers, in_short, render_simulation
    from engine.population.simulated import People, Simulated
    from engine.rules.load import load_texts

    if language not in LANGUAGES:
        complain(f"there are words in {' and '.join(LANGUAGES)}, not in `{language}`")
        raise typer.Exit(INVALID)
    try:
        checked, texts = load_texts(ruleset)
        model = load_model(ruleset / POPULATION, checked.ruleset)
    except RulesetError as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    with progress("simulated") as tell:
        summary = run(Simulated(model, seed, patients), Simulation(Decider(texts)), out, on, partitions, tell)
    figures = Figures.of(model, summary.rows, summary.rejected, summary.tally)
    held = [*held_interviews(People(model), checked, seed, interviews)]
    found = Page(checked, model, seed, figures, held)
    if page:
        page.write_text(render_simulation(found, language), encoding="utf-8")
    typer.echo(json.dumps(as_numbers(found)) if as_json else in_short(found, language))
    raise typer.Exit(INVALID if summary.rejected else 0)


_DIGEST = re.compile(r"[0-9a-f]{12,64}")


def _folder_of(said: str, rulesets: Path, log: str, into: Path) -> Path:
    """The folder of a version: as it was named, or by its digest, out of the decision log where it must be."""
    from engine.rules.load import discover, read_ruleset

    if Path(said).exists() or not _DIGEST.fullmatch(said):
        return Path(said)
    for folder in discover(rulesets):
        checked, _ = read_ruleset(folder)
        if checked is not None and checked.digest.startswith(said):
            return folder
    texts = _recorded(said, log)
    if texts is None:
        complain(f"no ruleset of digest `{said}` in `{rulesets}`, and none in a decision log")
        raise typer.Exit(INVALID)
    folder = into / said
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _recorded(said: str, log: str) -> Mapping[str, str] | None:
    """The texts of a ruleset in the decision log, by the beginning of its digest; None where there is no such."""
    from engine.errors import LogRefused

    try:
        _, store, _ = opened_log(log, None)
    except LogRefused:
        return None
    with store:
        found = [each for each in store.rulesets() if each.startswith(said)]
        return contents(store)(found[0]) if len(found) == 1 else None


def engine_of(engine: Engine, address: str, workers: int) -> Local | Ray:
    """What the options say. Ends the command where they do not go together, or a library is not there."""
    missing = [each for each in ("daft", "pyarrow") if find_spec(each) is None]
    if missing:
        complain(f"there is no {' and no '.join(missing)}: pip install 'pluis[population]'")
        raise typer.Exit(FAILED)
    from engine.population.running import Local, Ray

    if engine is Engine.LOCAL:
        if address:
            complain("an address is for `--engine ray`")
            raise typer.Exit(INVALID)
        return Local(workers)
    if find_spec("ray") is None:
        complain("there is no ray: pip install 'pluis[population,cluster]'")
        raise typer.Exit(FAILED)
    if not address or workers:
        complain("`--engine ray` takes the address of the cluster, and a process for each of its cores")
        raise typer.Exit(INVALID)
    return Ray(address)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of rows, where a person looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"rows {what}", total=None)
        yield lambda done, rows: bar.update(task, completed=done, total=rows)

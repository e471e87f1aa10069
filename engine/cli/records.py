"""Commands for whoever keeps the decision log: log verify, show, list, export, erase, purge and more; and replay."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.opening import (
    OUR_LOG,
    LogKeys,
    Since,
    Until,
    Where,
    asked_subject,
    contents,
    counted,
    entries,
    evidence,
    found_keys,
    keys_of,
    needed,
    new_private_file,
    opened_log,
    progress,
    read_receipts,
    selection,
)
from engine.cli.terminal import FAILED, FAULTS, INVALID, LAXER, complain, show, width

log = typer.Typer(no_args_is_help=True, help="Verify, read, export and keep up the decision log.")

Checkpoints = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its checkpoints, or a copy that was kept elsewhere.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


class Kind(Enum):
    """What `list` can be narrowed to."""

    DECISION = "decision"
    FEEDBACK = "feedback"
    ERASURE = "erasure"
    PURGE = "purge"


class Format(Enum):
    """What `export` writes."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    OPA = "opa"


@log.command()
def verify(
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    checkpoints: Checkpoints = None,
    receipts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Receipts or responses that callers kept, a JSON line each.")
    ] = None,
    public_key: Annotated[
        str, typer.Option(metavar="TEXT", help="The key that signs checkpoints, for whoever has no key file.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Look for every change to the log: 0 it is whole, 6 faults were found. Needs no key that opens answers."""
    from engine.author.record_report import render_report, report_json
    from engine.record.checkpoint import snapshot
    from engine.record.verify import verify_store

    place, store, keys = opened_log(where, log_keys)
    with store:
        known = evidence(snapshot(checkpoints or place.checkpoints), keys, public_key, read_receipts(receipts))
        report = verify_store(store, known, progress("verified"))
    if as_json:
        typer.echo(json.dumps(report_json(report)))
    else:
        show(render_report(report, width()))
    raise typer.Exit(0 if report.whole else FAULTS)


@log.command("show")
def show_(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION_ID", help="As the response and `list` have it.")],
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    as_json: AsJson = False,
) -> None:
    """Show one decision, with answers and outcome, and the feedback on it."""
    from engine.author.record_report import render_entry
    from engine.record.exporting import line
    from engine.record.reading import open_entry, unsealing

    _, store, keys = opened_log(where, log_keys)
    with store:
        decision = store.decision(decision_id)
        if decision is None:
            complain("the log has no decision with this id")
            raise typer.Exit(FAILED)
        for entry in (decision, *store.about(decision_id)):
            it = open_entry(entry, unsealing(store, keys))
            if as_json:
                typer.echo(json.dumps(line(it), ensure_ascii=False))
            else:
                show(render_entry(it, width()))


@log.command("list")
def list_(
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    kind: Annotated[Kind | None, typer.Option(help="Only these entries.")] = None,
    since: Since = None,
    until: Until = None,
    ruleset: Annotated[str, typer.Option(metavar="ID", help="Only decisions by this ruleset.")] = "",
    caller: Annotated[str, typer.Option(metavar="NAME", help="Only what this caller asked.")] = "",
    of_subject: Annotated[
        bool, typer.Option("--of-subject", help="Only what is about one person, whose reference is asked for.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="No more than these; 0 means all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List entries, the newest first: no answer, no outcome, no subject."""
    from engine.author.record_report import in_short, listed_json

    place, store, keys = opened_log(where, log_keys)
    with store:
        of = keys_of(asked_subject("-"), store, needed(keys, place)) if of_subject else frozenset()
        if of_subject and not of:
            return
        chosen = selection(kind.value if kind else "", since, until, ruleset, caller, of)
        found = entries(store, keys, chosen)
        for it in islice(found, limit or None):
            typer.echo(json.dumps(listed_json(it), ensure_ascii=False) if as_json else in_short(it))
        if limit and next(found, None) is not None:
            complain(f"these are the newest {limit}: `--limit 0` lists all")


@log.command()
def export(
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    format: Annotated[
        Format, typer.Option(help="JSON Lines, Parquet, or events of OPA's decision log.")
    ] = Format.JSONL,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="A new file; Parquet needs one.")] = None,
    since: Since = None,
    until: Until = None,
    ruleset: Annotated[str, typer.Option(metavar="ID", help="Only decisions by this ruleset.")] = "",
) -> None:
    """Write the log for other programs, the newest entry first, with answers and outcomes: health data."""
    from engine.record.exporting import export_json, export_opa, export_parquet

    if format is Format.PARQUET and out is None:
        complain("Parquet is no text: name a file with --out")
        raise typer.Exit(INVALID)
    write = {Format.JSONL: export_json, Format.PARQUET: export_parquet, Format.OPA: export_opa}[format]
    _, store, keys = opened_log(where, log_keys)
    with store, new_private_file(out) if out else nullcontext(sys.stdout.buffer) as opened:
        chosen = selection("", since, until, ruleset)
        told = write(counted(entries(store, keys, chosen), "written"), opened)
    notes = (
        (told.erased, "without answers and outcome, as they were erased"),
        (told.sealed, "without answers and outcome, as they are sealed with a master key that is not in the key file"),
        (told.left_out, "left out, for they are no decisions, and the format has no place for them"),
    )
    complain(f"{told.written} entries written")
    for count, note in notes:
        if count:
            complain(f"{count} {note}")


@log.command()
def erase(
    subject: Annotated[
        str, typer.Argument(metavar="[SUBJECT]", help="Asked for when left out, or read from standard input.")
    ] = "-",
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
) -> None:
    """Destroy the keys of all that is recorded about a person, for good; the log still verifies."""
    from engine.record.upkeep import Upkeep
    from engine.record.upkeep import erase as erase_subject

    said = asked_subject(subject)
    place, store, keys = opened_log(where, log_keys)
    with store:
        count = erase_subject(Upkeep(store, needed(keys, place), place.checkpoints), said)
    if not count:
        complain("nothing that can be read is recorded about this subject")
        raise typer.Exit(FAILED)
    typer.echo(f"erased: {count} keys destroyed. Backups from before still have them.")


@log.command()
def purge(
    older_than: Annotated[str, typer.Option(metavar="SPAN", help="Such as 5y or 2000d.")],
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    force: Annotated[bool, typer.Option("--force", help="Also what is younger than 5 years.")] = False,
) -> None:
    """Delete entries of an age, and say so in the log, which still verifies. NEN 7513 wants 5 years kept."""
    from engine.record.upkeep import Upkeep, moment_before, too_young
    from engine.record.upkeep import purge as purge_entries

    now = datetime.now(UTC)
    before = moment_before(now, older_than)
    if too_young(now, before) and not force:
        complain("NEN 7513 wants a log kept for at least 5 years: --force deletes what is younger all the same")
        raise typer.Exit(INVALID)
    place, store, keys = opened_log(where, log_keys)
    with store:
        count = 0
        upkeep = Upkeep(store, needed(keys, place), place.checkpoints)
        for each in purge_entries(upkeep, before, progress("looked at")):
            typer.echo(f"{each.writer}: {each.entries} entries deleted, up to {each.through}")
            count += each.entries
    typer.echo(f"{count} entries deleted")


@log.command()
def rotate(where: Where = OUR_LOG, log_keys: LogKeys = None) -> None:
    """Make a new master key and wrap all data keys with it; the first one is what encrypts the log at rest.

    Stop the service first: it reads the key file when it starts.
    """
    from engine.record.upkeep import rotate as rotate_keys

    place, store, keys = opened_log(where, log_keys)
    with store:
        needed(keys, place)
        count = rotate_keys(store, place.keys, progress("wrapped"))
    typer.echo(f"{count} data keys are wrapped with a new master key, in {place.keys}")


@log.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, for you alone.")],
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
) -> None:
    """Write the whole log to one file, also while it is in use, and verify what was written: 6 faults were found.

    The key file is not in it: keep a copy of that elsewhere.
    """
    from engine.author.record_report import render_report
    from engine.record.backup import Backup
    from engine.record.backup import backup as write_backup
    from engine.record.verify import verify as look

    place, store, keys = opened_log(where, log_keys)
    with store:
        write_backup(store, place.checkpoints, file, progress("written"))
    written = Backup(file)
    report = look(written.chains(), evidence(written.checkpoints, keys), progress("verified"))
    show(render_report(report, width()))
    raise typer.Exit(0 if report.whole else FAULTS)


@log.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    force: Annotated[bool, typer.Option("--force", help="Also a backup with faults.")] = False,
) -> None:
    """Put a backup into an empty place; it is verified before and after: 0 it is whole, 6 faults were found."""
    from engine.author.record_report import render_report
    from engine.record.backup import Backup
    from engine.record.checkpoint import snapshot
    from engine.record.place import place_of
    from engine.record.store import open_store
    from engine.record.verify import verify as look
    from engine.record.verify import verify_store

    place = place_of(where, log_keys)
    keys = found_keys(place, log_keys)
    written = Backup(file)
    report = look(written.chains(), evidence(written.checkpoints, keys), progress("verified"))
    if not report.whole and not force:
        show(render_report(report, width()))
        complain("nothing was restored")
        raise typer.Exit(FAULTS)
    with open_store(where) as store:
        written.restore(store, place.checkpoints, progress("restored"))
        report = verify_store(store, evidence(snapshot(place.checkpoints), keys), progress("verified"))
    show(render_report(report, width()))
    if keys is None:
        complain(f"there is no key file `{place.keys}`: put the log's own there before it is used")
    raise typer.Exit(0 if report.whole else FAULTS)


def replay(
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    candidate: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Decide by this version of a ruleset instead.")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each decision.")] = False,
) -> None:
    """Decide everything in the log again: 0 the same bytes, 6 a difference; with a candidate 5 where one is laxer.

    A candidate tells which decisions it changes and whom a recall concerns. What is erased cannot be decided again.
    """
    from engine.author.record_report import (
        CandidateTally,
        ReplayTally,
        reconsidered_json,
        render_candidate,
        render_replay,
        replayed_json,
    )
    from engine.errors import RulesetError
    from engine.record.replay import Verdict, reconsider
    from engine.record.replay import replay as decide_again
    from engine.rules.load import load

    try:
        checked = load(candidate) if candidate is not None else None
    except RulesetError as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    _, store, keys = opened_log(where, log_keys)
    with store:
        chosen = selection(Kind.DECISION.value, since, until, checked.ruleset.id if checked else "")
        decisions = counted(entries(store, keys, chosen), "decided again")
        if checked is not None:
            whole = CandidateTally()
            for reconsidered in reconsider(decisions, checked):
                whole.add(reconsidered)
                if as_json:
                    typer.echo(json.dumps(reconsidered_json(reconsidered)))
                    whole.different.clear()  # told already; only the page needs them together
            page, code, sealed = render_candidate(whole, checked, width()), LAXER if whole.laxer else 0, whole.verdicts
        else:
            tally = ReplayTally()
            for replayed in decide_again(decisions, contents(store)):
                tally.add(replayed)
                if as_json:
                    typer.echo(json.dumps(replayed_json(replayed)))
                    tally.different.clear()
            page, code, sealed = (
                render_replay(tally, width()),
                FAULTS if tally.verdicts[Verdict.DIFFERENT] else 0,
                tally.verdicts,
            )
    if not as_json:
        show(page)
    if sealed[Verdict.SEALED]:
        complain("some are sealed with a master key that is not in the key file")
        code = code or FAILED
    raise typer.Exit(code)

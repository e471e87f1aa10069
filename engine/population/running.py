"""Runs a task over all chunks of a source: on this machine, or on a Ray cluster, by the same lines of Daft.

    summary = run(source, task, out, Local(workers=2))

`source` and `task` are as `engine.population.rows` has them. `out` is a folder or a URL of one; it gets

    manifest.json          what is run, written first; a run that is taken up again must be the same
    part-00042.parquet     the records of chunk 42, in the task's columns; always there, it may have no rows
    rejects-00042.parquet  number, id, reasons, raw; only where a row of the chunk was rejected
    summary.json           written last: rows = records + rejected, and the task's tally

A chunk whose part is there is not done again. Every file follows from input, task and version of Pluis alone, so that
workers, partitions and accidents do not show.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

import engine
from engine.errors import PluisError
from engine.population.rows import CHUNK_ROWS, Chunk, PopulationError, Source, Task
from engine.population.writing import MANIFEST, SUMMARY, Counts, Place
from engine.rules.canonical import canonical_json

if TYPE_CHECKING:
    from daft import DataFrame, Series

_FIELDS = ("number", "place", "start", "rows")


@dataclass(frozen=True, slots=True)
class Local:
    """This machine, with so many processes; 0 for one for each core."""

    workers: int = 0


@dataclass(frozen=True, slots=True)
class Ray:
    """A Ray cluster, by the address of its head such as `192.0.2.7:6379`, with a process for each of its cores.

    Every node must have Pluis, and reach input and output under the same names.
    """

    address: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to. `resumed` is how many of the chunks had been done before."""

    chunks: int
    resumed: int
    rows: int
    records: int
    rejected: int
    tally: dict[str, int]


def run(
    source: Source,
    task: Task,
    out: str,
    on: Local | Ray,
    partitions: int = 0,
    progress: Callable[[int, int], None] = lambda done, rows: None,
) -> Summary:
    """Does the task with all chunks that are not done yet.

    `partitions` are how many parcels a cluster gets the chunks in, 0 for one for each chunk; this machine needs none.
    `progress` is told rows done and rows in all. Raises PopulationError where `out` has something else, a worker ended,
    or a chunk could not be done: then the same run can be started again, and goes on where it stopped.
    """
    place = Place(out)
    chunks = source.chunks()
    rows = sum(chunk.rows for chunk in chunks)
    _claim(place, source, task, len(chunks), rows)
    done = {chunk.number: counts for chunk in chunks if (counts := place.counts(chunk)) is not None}
    resumed, told = len(done), sum(counts.rows for counts in done.values())
    progress(told, rows)
    to_do = [chunk for chunk in chunks if chunk.number not in done]
    for chunk in _results(to_do, Work(source, task, place), on, partitions):
        told += chunk.rows
        progress(told, rows)
    for chunk in to_do:
        counts = place.counts(chunk)
        if counts is None:
            raise PopulationError(f"chunk {chunk.number} was not done: start the same run again")
        done[chunk.number] = counts
    place.tidy()
    summary = _summed(resumed, done.values())
    if (summary.chunks, summary.rows) != (len(chunks), rows) or rows != summary.records + summary.rejected:
        raise PopulationError("the counts do not add up: rows, records and rejects of the chunks")
    content = asdict(summary)
    del content["resumed"]
    place.write(SUMMARY, canonical_json(content))
    return summary


def _claim(place: Place, source: Source, task: Task, chunks: int, rows: int) -> None:
    """Writes the manifest; where there is one already, it must be the same."""
    manifest = {
        "pluis": engine.__version__,
        "task": task.name,
        "task_fingerprint": task.fingerprint,
        "source_fingerprint": source.fingerprint(),
        "chunk_rows": CHUNK_ROWS,
        "chunks": chunks,
        "rows": rows,
    }
    content = canonical_json(manifest)
    there = place.made()
    if MANIFEST in there:
        if place.read(MANIFEST) != content:
            raise PopulationError(f"`{place.where}` has another run, or its input or rules changed: name another place")
    elif there:
        raise PopulationError(f"`{place.where}` is not empty, and has no {MANIFEST}: name another place")
    else:
        place.write(MANIFEST, content)


def _summed(resumed: int, counts: Iterable[Counts]) -> Summary:
    tally: Counter[str] = Counter()
    told = [*counts]
    for each in told:
        tally.update(each.tally)
    rows, records, rejected = (sum(getattr(each, name) for each in told) for name in ("rows", "records", "rejected"))
    return Summary(len(told), resumed, rows, records, rejected, dict(sorted(tally.items())))


class Work:
    """What a worker does, one chunk at a time; Daft sends it to each."""

    def __init__(self, source: Source, task: Task, place: Place) -> None:
        self.source, self.task, self.place = source, task, place

    def do(self, number: Series, place: Series, start: Series, rows: Series) -> list[str]:
        """What went wrong with each of some chunks, as columns of Daft."""
        columns = (each.to_pylist() for each in (number, place, start, rows))
        return [self.fault(Chunk(*fields)) for fields in zip(*columns, strict=True)]

    def fault(self, chunk: Chunk) -> str:
        """Reads, does and writes one chunk; what went wrong, empty where nothing did. No answer stands in it."""
        try:
            # A cluster gives the chunks of a node that went away to another: some of them may be done.
            if self.place.counts(chunk) is None:
                self.place.write_chunk(chunk, self.task, self.task.do(self.source.read(chunk)))
        except PluisError as error:
            return str(error) or type(error).__name__
        except Exception as error:  # its text could hold answers
            *_, (frame, line) = walk_tb(error.__traceback__)
            return f"{type(error).__name__} ({Path(frame.f_code.co_filename).name}:{line})"
        return ""


def _results(chunks: Sequence[Chunk], work: Work, on: Local | Ray, partitions: int) -> Iterator[Chunk]:
    """The chunks, as they are done. PopulationError at the first that cannot be."""
    if not chunks:
        return
    by_number = {chunk.number: chunk for chunk in chunks}
    try:
        for row in _frame(chunks, work, on, partitions).iter_rows(results_buffer_size=1):
            if row["fault"]:
                raise PopulationError(f"chunk {row['number']}: {row['fault']}")
            yield by_number[row["number"]]
    except PluisError:
        raise
    except Exception as error:  # its text has what workers printed
        reason = f"a worker ended, or could not be reached ({type(error).__name__})"
        raise PopulationError(f"{reason}: start the same run again, and it goes on where it stopped") from None


def _frame(chunks: Sequence[Chunk], work: Work, on: Local | Ray, partitions: int) -> DataFrame:
    os.environ["DO_NOT_TRACK"] = "1"  # before its import, for Daft tells its makers of every run
    import daft

    wanted = "ray" if isinstance(on, Ray) else "native"
    if isinstance(on, Ray):
        _join(on)
    if daft.get_or_infer_runner_type() != wanted:  # Daft keeps its first engine
        raise PopulationError(f"another engine than `{wanted}` is in use in this process: start another one")
    frame = daft.from_pydict({name: [getattr(chunk, name) for chunk in chunks] for name in _FIELDS})
    if isinstance(on, Ray):
        frame = frame.into_partitions(min(partitions or len(chunks), len(chunks)))
        wrap = daft.cls(use_process=True)
    else:
        wrap = daft.cls(use_process=True, max_concurrency=min(on.workers or os.cpu_count() or 1, len(chunks)))
    # One chunk at a time, for otherwise a worker takes many while another has none.
    daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)(Work.do)
    working = wrap(Work)(work.source, work.task, work.place)
    return frame.select(daft.col("number"), working.do(*(daft.col(name) for name in _FIELDS)).alias("fault"))


def _join(on: Ray) -> None:
    import daft
    import ray

    if not ray.is_initialized():
        ray.init(address=on.address, log_to_driver=False, runtime_env={"env_vars": {"DO_NOT_TRACK": "1"}})
    daft.set_runner_ray(noop_if_initialized=True)

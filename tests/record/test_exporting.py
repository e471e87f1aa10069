"""The log for other programs: what is erased is exported as erased, and nothing is left out silently."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest
from pyarrow import parquet

from engine.record.entry import Entry, chain
from engine.record.exporting import Exported, ParquetMissing, export_json, export_opa, export_parquet
from engine.record.reading import Opened, State, Unsealed, open_entries
from engine.rules.canonical import canonical_json
from tests.record.decided import FINE, MAC_KEY, STOPS, SUBJECT, bicycle, draft, entries, read

ERASURE = canonical_json({"kind": "erasure", "time": "2026-11-22T10:00:00.000Z", "payload_keys": ["k1"]})


def mixed() -> Iterator[Opened]:
    """One that can be read, one that is erased, one that is sealed, and an erasure."""
    states = iter([State.OPEN, State.ERASED, State.SEALED])

    def unseal(entry: Entry) -> Unsealed:
        state = next(states)
        return Unsealed(state, entry.payload if state is State.OPEN else b"")

    yield from open_entries(entries([draft(1, STOPS), draft(2, FINE), draft(3, FINE)]), unseal)
    yield from open_entries([chain("operator", 1, ERASURE, b"", "0" * 64, MAC_KEY)], unseal)


def lines(out: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_lines_have_every_entry() -> None:
    out = io.BytesIO()
    assert export_json(mixed(), out) == Exported(written=4, erased=1, sealed=1, left_out=0)
    readable, erased, sealed, erasure = lines(out)
    assert readable["answers"] == {**json.loads(draft(1, STOPS).answers), "loose_parts": ["chain", "light"]}
    assert readable["outcome"] == json.loads(draft(1, STOPS).outcome)
    assert (readable["subject"], readable["state"], readable["sequence"]) == (SUBJECT, "open", 1)
    assert readable["ruleset"] == {"id": "bicycle", "version": "1.0.0", "digest": bicycle().checked.digest}
    for closed, state in ((erased, "erased"), (sealed, "sealed")):
        assert closed["state"] == state
        assert not {"answers", "outcome", "subject"} & closed.keys()
        assert closed["decision_id"] and closed["hash"]
    assert (erasure["kind"], erasure["state"], erasure["payload_keys"]) == ("erasure", "empty", ["k1"])


def test_opa_events_have_the_shape_of_its_decision_log() -> None:
    out = io.BytesIO()
    assert export_opa(mixed(), out) == Exported(written=3, erased=1, sealed=1, left_out=1)
    readable, erased, sealed = lines(out)
    it = draft(1, STOPS)
    (entry,) = entries([it])
    assert readable == {
        "labels": {
            "id": "w1",
            "version": "0.1.0",
            "receipt": f"w1/1/{entry.hash}",
            "ruleset_version": "1.0.0",
            "decision_digest": it.decision_digest,
            "request_id": "request-1",
            "respondent": "patient",
            "language": "nl",
        },
        "decision_id": it.decision_id,
        "bundles": {"bicycle": {"revision": it.ruleset.digest}},
        "path": "bicycle/decision",
        "requested_by": "front desk",
        "timestamp": "2026-11-22T09:30:01.000Z",
        "metrics": {},
        "input": {**json.loads(it.answers), "loose_parts": ["chain", "light"]},
        "result": json.loads(it.outcome),
    }
    for closed in (erased, sealed):
        assert closed["erased"] == ["/input", "/result"]
        assert not {"input", "result"} & closed.keys()


def test_parquet_has_a_row_for_every_entry() -> None:
    out = io.BytesIO()
    assert export_parquet(mixed(), out) == Exported(written=4, erased=1, sealed=1, left_out=0)
    out.seek(0)
    rows = parquet.read_table(out).to_pylist()
    first = rows[0]
    assert (first["sequence"], first["settled"], first["floor"], first["call"]) == (
        1,
        True,
        "emergency",
        "gp_or_hap_now",
    )
    assert json.loads(first["answers"])["brakes_fail"] == "yes"
    assert first["outcome"] == draft(1, STOPS).outcome.decode()
    assert first["ruleset_digest"] == bicycle().checked.digest
    assert [row["state"] for row in rows] == ["open", "erased", "sealed", "empty"]
    for row in rows[1:]:
        assert {row[name] for name in ("answers", "outcome", "subject", "settled", "floor")} == {None}
    assert json.loads(rows[3]["rest"]) == {"payload_keys": ["k1"]}


def test_parquet_comes_in_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.record.exporting.ROWS", 2)
    out = io.BytesIO()
    export_parquet(open_entries(entries(draft(number, FINE) for number in range(1, 6)), read), out)
    out.seek(0)
    file = parquet.ParquetFile(out)
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [2, 2, 1]
    assert file.read().column("sequence").to_pylist() == [1, 2, 3, 4, 5]


def test_an_empty_log_is_an_empty_file() -> None:
    for export in (export_json, export_opa):
        out = io.BytesIO()
        assert export((), out) == Exported()
        assert out.getvalue() == b""
    out = io.BytesIO()
    export_parquet((), out)
    out.seek(0)
    assert parquet.read_table(out).num_rows == 0


def test_without_the_extra_it_is_said_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetMissing, match=r"pip install 'pluis\[parquet\]'"):
        export_parquet((), io.BytesIO())


def test_no_answers_are_not_the_same_as_answers_that_cannot_be_read() -> None:
    out = io.BytesIO()
    export_parquet(open_entries(entries([draft(1, {})]), read), out)
    out.seek(0)
    (row,) = parquet.read_table(out).to_pylist()
    assert row["answers"] == "{}"

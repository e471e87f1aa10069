"""The names that alerts rely on, what processes count together, and what a restart of one of them does."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.decide.answers import given
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.rules.load import load
from engine.serve.telemetry import metrics as module
from engine.serve.telemetry.metrics import Metrics, Restart, clear_metrics, forget_process, shared_app
from tests.serve.conftest import SMALL
from tests.serve.telemetry.pages import page, samples, value

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = """
    from tests.serve.telemetry.test_metrics import Restart, Version, an_outcome
    metrics.supervising()
    metrics.foresee(["INTERNAL"])
    metrics.call_began()
    metrics.call("Evaluate", "OK", 0.003, "ehr")
    metrics.decided("small", "1.0.0", an_outcome(), ("fever",))
    metrics.refused("INVALID_ANSWERS")
    metrics.unauthenticated("expired")
    metrics.disagreed("small", "1.0.0")
    metrics.feedback("small", "overridden", ("E01",))
    metrics.log_waiting(1)
    metrics.log_written(0.01, 1)
    metrics.log_trouble(True)
    metrics.serving("abc", [Version("small", "1.0.0", "f" * 64)])
    metrics.reloaded(False)
    metrics.shadowed("small", "milder")
    metrics.shadow_off(True)
    metrics.worker_restarted(Restart.HUNG)
    metrics.workers(1, 2)
    metrics.certificate("server", 2e9)
"""
PROGRAM = """
import sys
from pathlib import Path
from engine.serve.telemetry.metrics import shared_metrics
metrics = shared_metrics(Path(sys.argv[1]), sys.argv[2])
"""


@dataclass(frozen=True)
class Version:
    id: str
    version: str
    digest: str


def an_outcome(numb: str = "yes") -> Outcome:
    evaluator = Evaluator(load(SMALL / "small"))
    return evaluator.evaluate(evaluator.read({"numb": given(numb)})).outcome


def in_process(folder: Path, name: str, program: str) -> None:
    """Runs a program in a process of its own, with metrics of this name."""
    program = PROGRAM + "\n".join(line.strip() for line in program.splitlines())
    command = [sys.executable, "-c", program, str(folder), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clear_metrics(tmp_path / "metrics")
    return tmp_path / "metrics"


def test_the_table_is_what_is_there(folder: Path) -> None:
    in_process(folder, "w1", EVERYTHING)
    found = {}
    for family in text_string_to_metric_families(page(shared_app(folder))):
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, labels)
    rows = re.findall(r"^    (pluis_\w+) +(\w+) +((?:[a-z]+ )+|-) ", module.__doc__ or "", re.MULTILINE)
    assert found == {name: (kind, set(labels.split()) - {"-"}) for name, kind, labels in rows}


def test_a_decision_is_counted_by_what_it_is() -> None:
    metrics = Metrics()
    metrics.decided("small", "1.0.0", an_outcome("yes"), ())
    metrics.decided("small", "1.0.0", an_outcome("no"), ("fever", "weeks"))
    settled = {"ruleset": "small", "version": "1.0.0", "outcome": "settled", "disposition": "emergency"}
    assert value(metrics, "pluis_decisions_total", **settled) == 1
    is_open = {"ruleset": "small", "version": "1.0.0", "outcome": "open", "disposition": "self_care"}
    assert value(metrics, "pluis_decisions_total", **is_open) == 1
    asked = {"ruleset": "small", "programme": "none_yet"}
    assert value(metrics, "pluis_programmes_total", **asked, outcome="settled") == 1
    assert value(metrics, "pluis_programmes_total", **asked, outcome="open") == 1
    for question in ("fever", "weeks"):
        assert value(metrics, "pluis_unknown_answers_total", ruleset="small", question=question) == 1


def test_calls_under_way_come_back_to_none() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.call_began()
    assert value(metrics, "pluis_calls_in_flight") == 3
    for code in ("OK", "OK", "INTERNAL"):
        metrics.call("Evaluate", code, 0.0004, "")
    assert value(metrics, "pluis_calls_in_flight") == 0
    assert value(metrics, "pluis_calls_total", method="Evaluate", code="OK", caller="") == 2
    fast = {"method": "Evaluate", "code": "OK", "le": "0.0005"}
    assert value(metrics, "pluis_call_duration_seconds_bucket", **fast) == 2


def test_what_an_alert_waits_for_is_there_before_it_happens() -> None:
    metrics = Metrics()
    metrics.supervising()
    metrics.foresee(["INTERNAL"])
    metrics.serving("abc", [Version("small", "1.0.0", "f" * 64)])
    assert value(metrics, "pluis_disagreements_total", ruleset="small", version="1.0.0") == 0
    assert value(metrics, "pluis_refusals_total", reason="INTERNAL") == 0
    assert value(metrics, "pluis_reloads_total", result="refused") == 0
    assert [value(metrics, "pluis_worker_restarts_total", reason=each.value) for each in Restart] == [0, 0]


def test_what_is_not_served_any_more_is_at_zero() -> None:
    metrics = Metrics()
    for number in ("1", "2"):
        metrics.serving(f"release{number}", [Version("small", f"{number}.0.0", number * 64)])
    served = {
        (each.labels["release"], each.labels["version"], each.labels["digest"]): each.value
        for each in samples(metrics.app())
        if each.name == "pluis_ruleset_info"
    }
    assert served == {("release1", "1.0.0", "1" * 12): 0, ("release2", "2.0.0", "2" * 12): 1}


def test_two_objects_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.refused("INTERNAL")
    assert value(other, "pluis_refusals_total", reason="INTERNAL") is None


def test_processes_count_together(folder: Path) -> None:
    for name in ("w1", "w2"):
        in_process(folder, name, "metrics.refused('INTERNAL')\nmetrics.call_began()\nmetrics.log_written(0.01, 4)")
    app = shared_app(folder)
    assert value(app, "pluis_refusals_total", reason="INTERNAL") == 2
    assert value(app, "pluis_calls_in_flight") == 2
    assert value(app, "pluis_log_entries_total") == 8
    assert value(app, "pluis_log_write_duration_seconds_count") == 2


def test_a_dead_process_leaves_its_counts_and_not_its_state(folder: Path) -> None:
    in_process(folder, "w1", "metrics.refused('INTERNAL')\nmetrics.call_began()\nmetrics.log_trouble(True)")
    app = shared_app(folder)
    assert (value(app, "pluis_calls_in_flight"), value(app, "pluis_log_trouble")) == (1, 1)
    forget_process(folder, "w1")
    assert value(app, "pluis_calls_in_flight") is None
    assert value(app, "pluis_refusals_total", reason="INTERNAL") == 1


def test_a_process_that_takes_its_place_goes_on(folder: Path) -> None:
    for _ in range(2):  # the second time without `forget_process`: whoever starts has no calls under way
        in_process(folder, "w1", "metrics.refused('INTERNAL')\nmetrics.call_began()")
    app = shared_app(folder)
    assert value(app, "pluis_refusals_total", reason="INTERNAL") == 2
    assert value(app, "pluis_calls_in_flight") == 1
    assert {each.name.split("_")[-1] for each in folder.iterdir()} == {"w1.db"}


def test_a_new_server_starts_at_nothing(folder: Path) -> None:
    in_process(folder, "w1", "metrics.refused('INTERNAL')")
    clear_metrics(folder)
    assert list(samples(shared_app(folder))) == []

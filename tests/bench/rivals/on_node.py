"""The rivals on Node: one process that compiles both engines' rules once, and times its own runs.

Only what happens inside Node is on the clock; handing patients over as JSON lines is not.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.rivals.contestants import Form, Timed
from tests.bench.rivals.json_logic import ruleset_logic
from tests.bench.rivals.json_rules import PATIENT, ruleset_rules
from tests.bench.rivals.tree import Logic
from tests.clients.run import find_node, run

HERE: Final = Path(__file__).parent / "node"
ENGINES: Final = ("json-logic-engine", "json-rules-engine")


def install() -> None:
    """Puts the packages in place, locked by hash; ends the run where that cannot be done."""
    find_node("the comparison with rule engines on Node")
    if code := run(["npm", "ci", "--loglevel=error"], HERE, os.environ):
        raise SystemExit(f"the rivals' packages could not be installed: `npm` ended with {code}")


def versions() -> dict[str, str]:
    """The version of each engine that is locked."""
    packages = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {engine: packages[f"node_modules/{engine}"]["version"] for engine in ENGINES}


@dataclass(frozen=True, slots=True)
class OnNode:
    """One of the engines in the process."""

    name: str
    process: subprocess.Popen[str]

    def run(self, form: Form, patients: Sequence[str], warm_up: Sequence[str]) -> Timed:
        request = {"engine": self.name, "form": form.value, "patients": patients, "warmUp": warm_up}
        _send(self.process, request)
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"node ended with {self.process.wait()} while `{self.name}` ran")
        told = json.loads(answer)
        return Timed(told["seconds"], tuple(told["dispositions"]))


@contextmanager
def on_node(logic: Logic) -> Iterator[tuple[OnNode, ...]]:
    """Both engines with the ruleset compiled; their packages must be in place."""
    rules = {
        "logic": ruleset_logic(logic),
        "rules": ruleset_rules(logic),
        "fact": PATIENT,
        "fallback": logic.default,
    }
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    command = ["node", "rivals.mjs"]
    with subprocess.Popen(
        command, cwd=HERE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            _send(process, rules)
            yield tuple(OnNode(engine, process) for engine in ENGINES)
        finally:
            process.kill()


def _send(process: subprocess.Popen[str], message: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()

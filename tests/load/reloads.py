"""Bad rulesets are put in front of a server that works: it refuses each, and its callers notice nothing.

    python -m tests.load.reloads

Two workers serve the small ruleset, and clients ask without a pause. Every kind of bad candidate is put into the
folder, a reload is asked for, and the candidate is taken away again. No call may fail, and none may be answered by
anything but the version that was served before; at the end a good version is taken up: the refusals were not deafness.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from engine.client import Client
from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.rules.certificate import CERTIFICATE
from engine.rules.document import Sequence, plain, read
from engine.rules.problem import Severity
from engine.rules.signed_files import APPROVALS
from engine.rules.source import Source
from tests.demo.demo import LISTENING, PLUIS, wait_until_healthy
from tests.faults.load import ROOT
from tests.faults.served import small_ruleset
from tests.rules.wrong import WHOLE, lint
from tests.serve.conftest import changed
from tests.serve.releases.test_gate import BAD, KINDS

ASKING = 4
"""Threads that ask, each over a connection of its own."""
PATIENCE = 120.0
Plant = Callable[[Path], object]


def plants() -> dict[str, Plant]:
    """Every kind of bad candidate by its name: what it does to a folder of rulesets that has the small one."""
    found: dict[str, Plant] = {name: _beside(plant) for name, (plant, _) in BAD.items()}
    for file in KINDS:
        node, _ = read(Source(file.name, file.read_text(encoding="utf-8")))
        assert isinstance(node, Sequence)
        listed: Any = plain(node)
        changes = [(it["file"], it.get("replace", WHOLE), it.get("with", "")) for it in listed]
        if {name for name, _, _ in changes} <= {APPROVALS, CERTIFICATE}:
            continue  # signatures that do not count make a draft, which is taken up
        with tempfile.TemporaryDirectory() as place:
            problems = lint(Path(place) / "bicycle", changes)
        if any(problem.severity is Severity.ERROR for problem in problems):
            found[file.stem] = lambda root, changes=changes: lint(root / "bicycle", changes)  # type: ignore[misc]
    return found


def _beside(plant: Plant) -> Plant:
    """Does it to a second version of the small ruleset."""

    def planted(root: Path) -> None:
        plant(second(root))

    return planted


def second(root: Path) -> Path:
    """A good version 2.0.0 beside the first."""
    target = root / "small" / "2"
    shutil.copytree(root / "small" / "1", target)
    changed(target, ("version: 1.0.0", "version: 2.0.0"))
    return target


class Asking:
    """Clients that ask without a pause, and count by which version they were answered."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(ASKING)]
        self.versions: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Asking:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for each in self._threads:
            each.join()

    def _ask(self) -> None:
        with Client(self._address, timeout=PATIENCE) as client:
            while not self._ends.is_set():
                try:
                    reply = client.evaluate({"numb": True}, ruleset="small")
                except Exception as fault:  # whatever it is, it is a failed call
                    self.failures.append(f"{type(fault).__name__}: {fault}")
                else:
                    self.versions[reply.ruleset_version] += 1


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, Path]]:
    """A server with two workers that looks at its folder only when it is asked to: its address, and that folder."""
    root = small_ruleset(folder / "rulesets")
    (root / "small").rename(folder / "1")
    (root / "small").mkdir()
    (folder / "1").rename(root / "small" / "1")
    settings = folder / "pluis.toml"
    settings.write_text('rulesets = "rulesets"\nstate = "state"\nlog = "log"\nport = 0\nworkers = 2\nwatch = 0\n')
    told = folder / "told"
    with told.open("w") as lines:
        process = subprocess.Popen([*PLUIS, "serve", "--config", str(settings)], cwd=ROOT, stderr=lines)
    try:
        end = time.monotonic() + PATIENCE
        while " supervisor pluis.server: pluis serving" not in told.read_text():
            assert process.poll() is None and time.monotonic() < end, told.read_text()
            time.sleep(0.05)
        found = LISTENING.search(told.read_text())
        assert found
        wait_until_healthy(found[1])
        yield found[1], root
    finally:
        process.terminate()
        process.wait(PATIENCE)


def reloads(kinds: dict[str, Plant], say: Callable[[str], None]) -> int:
    """Tries every kind; how many calls were answered meanwhile. AssertionError where anybody noticed."""
    with tempfile.TemporaryDirectory() as place, served(Path(place)) as (address, root), Asking(address) as asking:
        with grpc.insecure_channel(address) as channel:
            admin: Any = triage_pb2_grpc.AdminServiceStub(channel)  # type: ignore[no-untyped-call]
            before = admin.GetServerStatus(pb.GetServerStatusRequest(), timeout=PATIENCE).release.id
            for name, plant in kinds.items():
                plant(root)
                answer = admin.ReloadRulesets(pb.ReloadRulesetsRequest(), timeout=PATIENCE)
                assert answer.problems, f"`{name}` was taken up"
                assert answer.release.id == before, f"`{name}` changed what is served"
                say(f"{name}: refused; {asking.versions.total():,} calls answered")
                for each in (root / "small" / "2", root / "bicycle"):
                    each.unlink() if each.is_symlink() else shutil.rmtree(each, ignore_errors=True)
            assert set(asking.versions) == {"1.0.0"}, asking.versions
            second(root)
            assert not admin.ReloadRulesets(pb.ReloadRulesetsRequest(), timeout=PATIENCE).problems
            with Client(address, timeout=PATIENCE) as client:
                assert client.evaluate({"numb": True}, ruleset="small").ruleset_version == "2.0.0"
        assert asking.failures == [], asking.failures[:3]
        return asking.versions.total()


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    kinds = plants()
    calls = reloads(kinds, lambda told: print(told, flush=True))
    print(
        f"{len(kinds)} kinds of bad ruleset refused under load; {calls:,} calls answered, none failed, by one version"
    )


if __name__ == "__main__":
    main()

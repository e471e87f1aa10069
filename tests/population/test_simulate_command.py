"""`pluis simulate` runs the shipped population, gives the same figures for the same seed, and refuses what is wrong."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.population import running
from engine.population.model import POPULATION
from tests.population.running import COMMAND, ROOT
from tests.population.test_impact_command import here

FOLDER = Path(__file__).parents[2] / "rulesets" / "low_back_pain"


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk by chunk instead of by Daft."""
    monkeypatch.setattr(running, "run", here)


def simulate(out: Path, *options: str, folder: Path = FOLDER) -> tuple[int, str, str]:
    asked = ["simulate", str(out), "--ruleset", str(folder), "--patients", "30", "--interviews", "2", "--workers", "1"]
    done = CliRunner().invoke(app, [*asked, *options])
    return done.exit_code, done.stdout, done.stderr


def test_the_same_seed_gives_the_same_figures_and_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, first, _ = simulate(tmp_path / "first", "--json", "--page", str(page), "--language", "en")
    found = json.loads(first)
    assert code == 0 and found["simulation"] and found["patients"] == 30 and found["rejected"] == 0
    assert sum(found["sent"].values()) == 30 and found["interviews"]["number"] == 2
    assert "This is a simulation." in page.read_text(encoding="utf-8")
    assert simulate(tmp_path / "again", "--json")[1] == first
    assert json.loads(simulate(tmp_path / "other", "--json", "--seed", "2")[1])["sent"] != found["sent"]


def test_the_terminal_says_first_that_it_is_a_simulation(tmp_path: Path) -> None:
    code, told, _ = simulate(tmp_path / "out")
    assert code == 0 and told.startswith("Dit is een simulatie.")


@pytest.mark.slow
def test_the_figures_are_the_same_from_processes_of_daft(tmp_path: Path) -> None:
    asked = [*COMMAND[:-1], "simulate", str(tmp_path / "daft"), "--ruleset", str(FOLDER), "--patients", "30", "--json"]
    done = subprocess.run([*asked, "--interviews", "2"], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == simulate(tmp_path / "here", "--json")[1]


def test_a_population_that_is_wrong_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "low_back_pain"
    folder.mkdir()
    for file in FOLDER.glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())
    text = (folder / POPULATION).read_text(encoding="utf-8")
    (folder / POPULATION).write_text(text.replace("[[16, 17, 0.02]", "[[16, 17, 0.03]"), encoding="utf-8")
    code, told, wrong = simulate(tmp_path / "out", folder=folder)
    assert code == 2 and not told and "the weights add up to `1.01`" in wrong and f"{POPULATION}:" in wrong


def test_a_language_without_words_is_refused(tmp_path: Path) -> None:
    code, _, wrong = simulate(tmp_path / "out", "--language", "xx")
    assert code == 2 and "not in `xx`" in wrong

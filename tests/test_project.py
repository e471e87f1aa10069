"""The project around the program: what the README promises is there, and nothing names one machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).resolve().parent.parent

TARGETS = (
    "demo",
    "test",
    "test-clients",
    "test-browser",
    "check",
    "serve",
    "bench",
    "proto",
    "lint",
    "types",
    "accept",
    "lock",
    "clean",
    "help",
)
TOP = {
    ".ci", ".dockerignore", ".gitattributes", ".gitignore", "BENCHMARKS.md", "CHANGELOG.md", "COMPATIBILITY.md",
    "CONFIGURATION.md", "CONTRIBUTING.md", "DECISIONS.md", "Dockerfile", "LICENSE", "LOG.md", "Makefile",
    "OPERATIONS.md", "README.md", "RUNBOOK.md", "THREATS.md", "alerts.yaml", "buf.yaml", "dashboard.json",
    "engine", "kubernetes.yaml", "protos", "pyproject.toml", "requirements-build.in", "requirements-build.lock",
    "requirements.lock", "rulesets", "tests",
}  # fmt: skip

# Put together here, so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join(
        [
            r"(?<![\w.~/-])/(?:work|root|home|Users|opt|mnt|srv|builds)/[\w.]",
            r"(?<![\w.~/-])/tmp/[\w.]",
            r"file:/" + r"//",
            r"(?<!no-emit-)(?:index" + r"-url|find" + r"-links|trusted" + r"-host)",
            r"https?://(?:[\w.-]*\.)?(?:pypi|pythonhosted|npmjs|debian|ubuntu|docker|ghcr|quay|gcr|proxy\.golang)\.\w+",
        ]
    )
)


def tracked() -> Iterator[Path]:
    """Every file that a clone would have: those git knows or would add; without git, all but what is made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        made = {
            ".git",
            ".venv",
            "__pycache__",
            ".mypy_cache",
            ".ruff_cache",
            ".pytest_cache",
            ".hypothesis",
            "build",
            "node_modules",
        }
        paths = [path for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts)]
        paths = [path for path in paths if "egg-info" not in path.as_posix()]
    yield from (path for path in paths if path.is_file())


def texts() -> Iterator[tuple[str, str]]:
    for path in tracked():
        if path.suffix != ".binpb":
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The names by which a page's headings are linked to."""
    headings = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_nothing_lies_about_at_the_top() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert top == TOP


def test_makefile_has_its_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    documented = set(re.findall(r"^([\w-]+):.*## ", makefile, re.MULTILINE))
    assert set(TARGETS) <= documented
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony and documented == set(phony[1].split())


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock", "tests/clients/requirements.lock"])
def test_lock_pins_by_hash_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text and "@ " not in text and not re.search(r"^-", text, re.MULTILINE)
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert pins
    for pin in pins:
        assert re.match(r"[a-z0-9-]+==\S+ \\\n +--hash=sha256:[0-9a-f]{64}", pin), pin.splitlines()[0]


def test_lock_holds_every_dependency() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert len(lists) == 2
    wanted = re.findall(r'^    "([\w.-]+)', "".join(lists), re.MULTILINE)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert [name for name in wanted if re.sub("[._]", "-", name.lower()) not in pinned] == []


def test_one_version() -> None:
    assert f'\nversion = "{engine.__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"## [{engine.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name}:{number}: {match[0]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        for match in MACHINE.finditer(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "/wo" + "rk/main/x",
        "see /ro" + "ot/.cache",
        "(/ho" + "me/ann/pluis)",
        "/tm" + "p/x",
        "fi" + "le:///x",
        "--index-" + "url x",
        "--extra-index-" + "url x",
        "htt" + "ps://files.pythonhosted.org/x",
    ],
)
def test_a_machine_is_noticed(text: str) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize("text", ["engine/work/x", "../root/x", "https://www.bmj.com/home/x", "a /tmp folder"])
def test_an_ordinary_path_is_no_machine(text: str) -> None:
    assert not MACHINE.search(text)


def test_readme_shows_both_commands_on_its_first_screen() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    assert any("make demo" in line for line in first)
    assert any("make test" in line for line in first)


def test_readme_names_only_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md", "rulesets/README.md"):
        for target in re.findall(r"`make ([\w-]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name}: make {target}"


def test_links_lead_somewhere() -> None:
    broken = []
    pages = {name: text for name, text in texts() if name.endswith(".md")}
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            page = os.path.normpath(Path(name).parent / path) if path else name
            if not (ROOT / page).exists() or (anchor and anchor not in anchors(pages.get(page, ""))):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_needs_are_said_clearly(tmp_path: Path) -> None:
    """A machine without anything is told everything it lacks, at once."""
    done = subprocess.run(
        ["/bin/sh", str(ROOT / ".ci" / "needs")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "python3, 3.11 or newer" in done.stderr and "a C compiler" in done.stderr


def test_needs_are_met_here() -> None:
    done = subprocess.run(["/bin/sh", str(ROOT / ".ci" / "needs")], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

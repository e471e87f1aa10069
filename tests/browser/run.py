"""`make test-browser`: the pages that Pluis makes for people are opened in headless Chromium, and each check must pass.

Nothing is skipped: what cannot be installed, made or opened fails the run. Pages are opened as files, and the interview
at a server on this machine, by a browser that has no other way to a network. Pictures and prints stay in
tests/browser/screenshots/.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.rules.load import load
from engine.rules.scale import Disposition
from tests.browser.patients import write_patients
from tests.clients.run import LONGEST, find_node, run, say, serving
from tests.demo.demo import PLUIS, ROOT
from tests.serve.interview.patients import PATIENTS

HERE = Path(__file__).parent
RULESET = "rulesets/low_back_pain"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is made for people: the language it must be in, and the command that writes it to a file.

    What is signed is printed whole; another page may fold long lists away.
    """

    name: str
    language: str
    command: tuple[str, ...]
    signed: bool = False


PAGES = (
    Page("handbook-nl", "nl", ("render", RULESET, "--language", "nl", "--out"), signed=True),
    Page("handbook-en", "en", ("render", RULESET, "--language", "en", "--out"), signed=True),
    Page("coverage", "en", ("coverage", RULESET, "--html")),
)
TESTS = ("faults.test.js", "pages.test.js", "interviews.test.js", "forms.test.js")
PATIENCE = 900
"""Seconds for all checks on all pages; past that something hangs."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")
INSTALL = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    browser = find_browser()
    find_node("the program that drives the browser")
    if code := run(["npm", "ci", "--loglevel=error"], HERE, os.environ):
        sys.exit(f"the browser tests' packages could not be installed: `npm` ended with {code}")
    with TemporaryDirectory(prefix="pluis-pages-") as name:
        folder = Path(name)
        pages = folder / "pages.json"
        pages.write_text(json.dumps(make_pages(folder)), "utf-8")
        with serving(folder) as (_, site):
            interviews = folder / "interviews.json"
            interviews.write_text(json.dumps({"site": site, "patients": PATIENTS, "titles": titles()}), "utf-8")
            patients = folder / "patients.json"
            write_patients(patients)
            # One file after the other: two browsers at once would fight for a small machine.
            command = ["node", "--test", "--test-concurrency=1", "--test-reporter=spec", *TESTS]
            environment = {
                **os.environ,
                "PLUIS_BROWSER": browser,
                "PLUIS_PAGES": str(pages),
                "PLUIS_INTERVIEWS": str(interviews),
                "PLUIS_HTTP": site,
                "PLUIS_PATIENTS": str(patients),
            }
            environment.pop("NODE_OPTIONS", None)
            return 1 if run(command, HERE, environment, PATIENCE) else 0


def titles() -> dict[str, dict[str, str]]:
    """What a person reads first at the end of an interview, by language and disposition."""
    return {
        language: {each.word: texts.get("disposition_titles", each.word).patient for each in Disposition}
        for language, texts in load(ROOT / RULESET).ruleset.texts.items()
    }


def find_browser() -> str:
    """The path of a Chromium; installed where this is a machine on which that may be done, else the run ends."""
    if found := on_path():
        return found
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"no browser is there: {INSTALL}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "-qq", "update"], [*INSTALL.split(), "-qq", "-y"]):
            if code := run(command, ROOT, quiet):
                sys.exit(f"no browser could be installed: `{' '.join(command)}` ended with {code}")
        if found := on_path():
            return found
    sys.exit(f"no browser is there ({', '.join(BROWSERS)}): install Chromium, on Debian by `{INSTALL}`")


def on_path() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def make_pages(folder: Path) -> list[dict[str, str | bool]]:
    """Every page, written by the command that people use; one that fails ends the run."""
    made: list[dict[str, str | bool]] = []
    for page in PAGES:
        path = folder / f"{page.name}.html"
        say(f"pluis {' '.join(page.command)} {path.name}")
        command = [*PLUIS, *page.command, str(path)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=LONGEST)
        if done.returncode or not path.is_file():
            sys.exit(
                f"{page.name} could not be made: `pluis {page.command[0]}` ended with {done.returncode}\n{done.stdout}"
            )
        made.append({"name": page.name, "path": str(path), "lang": page.language, "signed": page.signed})
    return made


if __name__ == "__main__":
    sys.exit(main())

"""`make test-clients`: programs in other languages ask a real server over the wire, and each of their tests must pass.

Nothing is skipped: what cannot be installed or started fails the run. The server gets any free port and is stopped
whatever happens; it must not have failed inside in the meantime.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.demo.demo import PLUIS, ROOT, wait_until_healthy

HERE = Path(__file__).parent
NODE = HERE / "node"
FHIR = HERE / "fhir"
SMALL = ROOT / "tests" / "serve" / "rulesets" / "small"
OLDEST_NODE = 20
LISTENING = re.compile(r" on (127\.0\.0\.1:\d+)")
HTTP = re.compile(r"http on (http://127\.0\.0\.1:\d+)")
PATIENCE = 90
"""Seconds for the server to be ready: it runs every case of its rulesets first."""
LONGEST = 300
"""Seconds for one installation or one client's tests; past that something hangs."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    install()
    with TemporaryDirectory(prefix="pluis-clients-") as folder, serving(Path(folder)) as (address, http):
        environment = {**os.environ, "PLUIS_ADDRESS": address, "PLUIS_HTTP": http}
        for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NODE_OPTIONS"):
            environment.pop(name, None)
        failed = [name for name, code in ask_all(environment) if code]
    if failed:
        print(f"clients: {' and '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


def ask_all(environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Runs every client's tests, also after one that failed; pytest is last, so that its closing line is."""
    for folder in (NODE, FHIR):
        tests = sorted(path.name for path in folder.glob("*.test.js"))
        say(f"{folder.name}: {', '.join(tests)}")
        yield folder.name, run(["node", "--test", "--test-reporter=spec", *tests], folder, environment)
    for what, file in (
        ("every resource, by all judges of fhir/", "fhir_resources.py"),
        ("fhirclient", "fhirclient_calls.py"),
        ("grpcurl (grpc-go)", "grpcurl_calls.py"),
    ):
        say(f"{what}: {file}")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/clients/{file}"]
        yield file, run(command, ROOT, environment)


def install() -> None:
    """Puts in place what the clients need, locked by hash; ends the run where that cannot be done."""
    find_node("the Node client")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-build-isolation"]
    for what, command, folder in (
        ("the Node client's packages", ["npm", "ci", "--loglevel=error"], NODE),
        ("the FHIR clients' packages", ["npm", "ci", "--loglevel=error"], FHIR),
        ("grpcurl", [*pip, "-r", str(HERE / "requirements.lock")], ROOT),
    ):
        if code := run(command, folder, os.environ):
            sys.exit(f"{what} could not be installed: `{command[0]}` ended with {code}")


def find_node(who: str) -> None:
    """Ends the run where Node or npm is not there, or too old."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            sys.exit(f"`{program}` is not there, and {who} needs it: install Node {OLDEST_NODE} or newer, with npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        sys.exit(f"`node` is {version}, and {who} needs {OLDEST_NODE} or newer")


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str]]:
    """A real `pluis serve` with two rulesets, ready to answer; gives its addresses for gRPC and HTTP."""
    shutil.copytree(ROOT / "rulesets" / "low_back_pain", folder / "rulesets" / "low_back_pain")
    shutil.copytree(SMALL, folder / "rulesets" / "small")
    text = folder / "rulesets" / "small" / "ruleset.yaml"
    text.write_text(re.sub(r", until: [\d-]+", "", text.read_text("utf-8")), "utf-8")  # this server has today's date
    log = folder / "serve.log"
    command = [*PLUIS, "serve", "--port", "0", "--http-port", "0", "--reflection"]
    command += ["--rulesets", str(folder / "rulesets")]
    command += ["--log", str(folder / "log"), "--state", str(folder / "state")]
    # A log that is a file never fills up, as a pipe that nobody reads would.
    with log.open("wb") as stream, subprocess.Popen(command, cwd=ROOT, stderr=stream) as process:
        try:
            address, http = listening(process, log, LISTENING), listening(process, log, HTTP)
            wait_until_healthy(address)
            say(f"pluis serve is ready on {address} and {http}")
            yield address, http
            if '"event": "failure"' in log.read_text("utf-8"):
                sys.exit(f"the server failed inside:\n{log.read_text('utf-8')}")
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def listening(process: subprocess.Popen[bytes], log: Path, where: re.Pattern[str]) -> str:
    """An address that the server says it listens on."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if found := where.search(log.read_text("utf-8")):
            return found[1]
        time.sleep(0.1)
    sys.exit(f"the server did not start:\n{log.read_text('utf-8')}")


def run(command: list[str], folder: Path, environment: Mapping[str, str], longest: float = LONGEST) -> int:
    """A program's exit code. It and all that it started are ended when it takes too long, or when this one ends."""
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as process:
        try:
            return process.wait(longest)
        except subprocess.TimeoutExpired:
            say(f"{command[0]} did not end in {longest} seconds")
            return 1
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

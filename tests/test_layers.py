"""Keeps the plan of the house true: which room may import which, and the one door that each library has.

Every rule is a function from a source tree to the places that break it, so that each can be shown to fail on a small
tree that breaks it (`test_each_rule_can_fail`).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ROOMS = {
    "errors": set(),
    "rules": {"errors"},
    "decide": {"errors", "rules"},
    "prove": {"errors", "rules", "decide"},
    "record": {"errors", "rules", "decide"},
    "author": {"errors", "rules", "decide", "prove", "record", "population"},  # the schema of its file is published
    "serve": {"errors", "rules", "decide", "record", "pb"},  # production needs no solver
    "population": {"errors", "rules", "decide", "record", "serve"},  # serve: the FHIR input is read as a request is
    "channel": set(),
    "client": {"errors", "rules", "decide", "pb", "channel"},  # what it may not pull in: see HEAVY
    "cli": {"errors", "rules", "decide", "prove", "record", "author", "serve", "population", "channel", "client"},
    "__init__": {"rules", "decide"},
    "pb": set(),
}
"""What each room may import besides itself."""

TYPES_ONLY = {("engine/errors.py", "engine.rules.problem")}
"""Imports for the type checker alone that go against the table: RulesetError carries Problems."""

NETWORK = {f"engine.decide.{name}" for name in ("literals", "inputs", "compile", "rete")}
NEVER = {
    **{f"engine/decide/{name}.py": NETWORK for name in ("direct", "writing", "written", "targets")},
    **{
        f"engine/decide/{name}.py": {f"engine.decide.{other}" for other in ("direct", "writing", "written")}
        for name in ("literals", "inputs", "compile", "rete")
    },
    **{
        f"engine/prove/{name}.py": NETWORK
        | {f"engine.decide.{other}" for other in ("direct", "writing", "written", "targets", "decision")}
        for name in ("logic", "patient", "conditions", "outcome")
    },
}
"""The direct evaluator, the network and the prover share no code: their agreement would prove nothing otherwise."""

DOORS = {
    "durable_rules_engine": ("decide/rete.py",),
    "yaml": ("rules/document.py",),
    "z3": ("prove/conditions.py", "prove/logic.py", "prove/patient.py", "prove/solving.py"),
    "cryptography": ("record/sealing.py", "rules/ed25519.py", "serve/access/tls.py"),
    "joserfc": ("serve/access/jwks.py", "serve/access/tokens.py"),
    "pydantic": (
        "author/schema.py",
        "population/model_shape.py",
        "rules/shape.py",
        "serve/config.py",
        "serve/releases/release.py",
    ),  # the published schemas are made out of the shapes
    "fhirkit": ("serve/fhir/shape.py",),
    "h11": ("serve/gateway/running.py",),
    "jinja2": ("population/impact_page.py", "population/simulate_page.py", "serve/interview/pages.py"),
    "starlette": (
        "serve/fhir/routes.py",
        "serve/gateway/app.py",
        "serve/gateway/gateway.py",
        "serve/gateway/json.py",
        "serve/gateway/media.py",
        "serve/gateway/openapi.py",
        "serve/hooks/routes.py",
        "serve/interview/routes.py",
    ),
    "uvicorn": ("serve/gateway/running.py",),
    "daft": ("population/running.py",),
    "ray": ("population/running.py",),
    "pyarrow": (
        "population/files.py",
        "population/impact_run.py",
        "population/recorded.py",
        "population/tables.py",
        "population/writing.py",
        "record/exporting.py",
    ),
    "rich": ("cli/population.py",),
    "opentelemetry": ("serve/telemetry/otlp.py",),
    "prometheus_client": ("serve/telemetry/metrics.py",),
    "psycopg": ("record/postgres.py",),
    "sqlalchemy": (
        "record/databases.py",
        "record/postgres.py",
        "record/queries.py",
        "record/sqlite.py",
        "record/store.py",
        "record/tables.py",
    ),
    "pyphen": ("author/readability.py",),
    "typer": (
        "cli/__init__.py",
        "cli/asking.py",
        "cli/authoring.py",
        "cli/comparing.py",
        "cli/configuring.py",
        "cli/measuring.py",
        "cli/mutating.py",
        "cli/opening.py",
        "cli/operating.py",
        "cli/overriding.py",
        "cli/population.py",
        "cli/records.py",
        "cli/rendering.py",
        "cli/serving.py",
        "cli/signing.py",
        "cli/proving.py",
        "cli/terminal.py",
    ),
    "engine.pb": (
        "client.py",
        "serve/administration.py",
        "serve/answering.py",
        "serve/asked.py",
        "serve/convert.py",
        "serve/describe.py",
        "serve/fhir/answers.py",
        "serve/fhir/guidance.py",
        "serve/fhir/letter.py",
        "serve/fhir/questionnaire.py",
        "serve/fhir/triage.py",
        "serve/gateway/gateway.py",
        "serve/gateway/json.py",
        "serve/hooks/advising.py",
        "serve/hooks/cards.py",
        "serve/hooks/feedback.py",
        "serve/hooks/messages.py",
        "serve/interceptors.py",
        "serve/interview/telling.py",
        "serve/kit.py",
        "serve/lookup.py",
        "serve/respond.py",
        "serve/server.py",
        "serve/service.py",
        "serve/shadow/comparing.py",
        "serve/shadow/feeding.py",
    ),
    "grpc": (
        "channel.py",
        "client.py",
        "serve/access/tls.py",
        "serve/errors.py",
        "serve/gateway/errors.py",
        "serve/interceptors.py",
        "serve/server.py",
    ),
    "grpc_health": ("serve/server.py",),
    "grpc_reflection": ("serve/server.py",),
    "grpc_status": ("client.py", "serve/interceptors.py"),
    "google.rpc": (
        "client.py",
        "serve/errors.py",
        "serve/gateway/openapi.py",
        "serve/interceptors.py",
        "serve/observing.py",
    ),
    "google.protobuf": (
        "cli/asking.py",
        "serve/asked.py",
        "serve/descriptors.py",
        "serve/errors.py",
        "serve/gateway/json.py",
        "serve/gateway/messages.py",
        "serve/gateway/openapi.py",
        "serve/interceptors.py",
        "serve/wire.py",
    ),
}
"""The files of the engine that may import a library. A library that is not here may not be imported at all."""

PURE = ("engine/rules/", "engine/decide/")
WORLD = {
    "asyncio", "http", "io", "logging", "os", "pathlib", "random", "secrets", "select", "shutil", "signal",
    "socket", "subprocess", "tempfile", "time", "urllib", "uuid",
}  # fmt: skip
WORLD_DOORS = {
    ("engine/rules/load.py", "pathlib"),  # the one file that reads rulesets from disk
    ("engine/decide/rete.py", "os"),  # the engine's handles do not survive fork: it asks for the process id
}

HEAVY = ("durable_rules_engine", "durable", "yaml", "pydantic", "sqlalchemy", "typer", "rich", "z3")
"""What `engine.client` may not pull in."""

LONGEST, SHORTEST = 400, 60
SHORT = {
    "engine/cli/comparing.py": "one command",
    "engine/cli/configuring.py": "one command",
    "engine/cli/overriding.py": "one command",
    "engine/cli/rendering.py": "one command",
    "engine/decide/usual.py": "a guess on which only speed hangs, apart from what decides",
    "engine/rules/canonical.py": "the bytes that are digested and signed, for two rooms",
    "engine/serve/access/files.py": "has a file changed? for keys and for certificates",
    "engine/serve/access/rights.py": "one table",
    "engine/serve/fleet/holding.py": "what a supervisor may hold alone, and nothing else of it",
    "engine/serve/calls.py": "a call as every wire knows it",
    "engine/serve/fhir/shape.py": "the door of one library",
    "engine/serve/ids.py": "one word for every id that is made",
    "engine/serve/kept.py": "one bound for all that is kept between calls",
    "engine/serve/wire.py": "bytes of messages, without knowing any",
    "engine/serve/telemetry/later.py": "one way of being late, for lines and for numbers",
    "engine/serve/descriptors.py": "one gap of generated code, closed",
    "engine/serve/hooks/identity.py": "a card's id out of its decision's, and back",
    "engine/serve/hooks/markdown.py": "text into Markdown, for nothing else",
    "engine/prove/verdict.py": "the three verdicts, without the solver",
    "engine/serve/releases/loading.py": "the part of its room that needs the engine",
    "engine/serve/releases/watching.py": "one question, put every few seconds",
    "engine/record/place.py": "where a log's files are, for two rooms",
    "engine/rules/source.py": "a text and a place in it: everybody's smallest word",
    "engine/rules/suggest.py": "did you mean",
}
"""Files under 60 lines, each with the reason why it stands alone (a room's `__init__.py` may be short)."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "tools"}


def sources(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every hand-written Python file of the engine: its path from the root, and its tree."""
    for path in sorted((root / "engine").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith("engine/pb/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"), name)


def imports(name: str, tree: ast.Module) -> Iterator[str]:
    """The dotted names that a file imports; of `from a import b` both `a` and `a.b`. Those in functions count too."""
    package = name.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def room(dotted: str) -> str:
    """The room of `engine.rules.load` is `rules`."""
    return dotted.split(".")[1]


def rooms_point_one_way(root: Path) -> Iterator[str]:
    for name, tree in sources(root):
        own = Path(name).with_suffix("").parts[1]
        if own not in ROOMS:
            yield f"{name}: the plan has no room `{own}`"
            continue
        for imported in imports(name, tree):
            if imported.split(".")[0] != "engine" or imported in ("engine", "engine.__version__"):
                continue
            if room(imported) in (own, *ROOMS[own]) or any(
                name == file and (imported + ".").startswith(module + ".") for file, module in TYPES_ONLY
            ):
                continue
            yield f"{name}: {own} may not import {imported}"


def evaluators_share_nothing(root: Path) -> Iterator[str]:
    for name, tree in sources(root):
        for imported in set(imports(name, tree)) & NEVER.get(name, set()):
            yield f"{name}: may never import {imported}"


def library(imported: str) -> str | None:
    """The name in DOORS under which an import falls; the import itself where none is; None for our own and Python's."""
    for name in DOORS:
        if (imported + ".").startswith(name + "."):
            return name
    top = imported.partition(".")[0]
    return None if imported in ("engine", "google") or top == "engine" or top in sys.stdlib_module_names else imported


def libraries_have_one_door(root: Path) -> Iterator[str]:
    for name, tree in sources(root):
        for imported in imports(name, tree):
            found = library(imported)
            if found is not None and name.removeprefix("engine/") not in DOORS.get(found, ()):
                yield f"{name}: {imported} has another door: {', '.join(DOORS.get(found, ('none is named',)))}"


def core_is_pure(root: Path) -> Iterator[str]:
    for name, tree in sources(root):
        if not name.startswith(PURE):
            continue
        for imported in imports(name, tree):
            top = imported.split(".")[0]
            if top in WORLD and (name, top) not in WORLD_DOORS:
                yield f"{name}: the pure core may not import {imported}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "open", "print", "input", "date.today", "datetime.now", "datetime.date.today", "datetime.datetime.now",
            ):  # fmt: skip
                yield f"{name}:{node.lineno}: the pure core may not call {ast.unparse(node.func)}"


def stages_have_one_maker(root: Path) -> Iterator[str]:
    makers = {"CheckedRuleset": "engine/rules/check.py", "CompiledRuleset": "engine/decide/compile.py"}
    for name, tree in sources(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if called in makers and name != makers[called]:
                    yield f"{name}:{node.lineno}: only {makers[called]} makes a {called}"


def files_have_a_size(root: Path) -> Iterator[str]:
    for name, _ in sources(root):
        lines = len((root / name).read_text(encoding="utf-8").splitlines())
        if lines > LONGEST:
            yield f"{name}: {lines} lines, more than {LONGEST}"
        if lines < SHORTEST and name not in SHORT and Path(name).name != "__init__.py":
            yield f"{name}: {lines} lines, fewer than {SHORTEST}: does it stand alone?"


def files_say_why_they_exist(root: Path) -> Iterator[str]:
    for name, tree in sources(root):
        if not ast.get_docstring(tree) and (root / name).read_text(encoding="utf-8").strip():
            yield f"{name}: no docstring"
        if set(Path(name).with_suffix("").parts) & VAGUE:
            yield f"{name}: a name that says nothing"


Rule = Callable[[Path], Iterator[str]]

BROKEN: dict[Rule, dict[str, str]] = {
    rooms_point_one_way: {
        "engine/rules/a.py": "from engine.decide.direct import Direct",
        "engine/decide/b.py": "import engine.serve.server",
        "engine/serve/c.py": "def f():\n    from engine.prove import encode",
        "engine/serve/d.py": "from ..author import report",
        "engine/author/e.py": "from engine.serve import convert",
        "engine/errors.py": "from engine.rules.model import Ruleset",
        "engine/extra/f.py": "",
    },
    evaluators_share_nothing: {
        "engine/decide/direct.py": "from engine.decide import literals",
        "engine/decide/targets.py": "from engine.decide.compile import compile_ruleset",
    },
    libraries_have_one_door: {
        "engine/decide/a.py": "import durable_rules_engine",
        "engine/serve/b.py": "def f():\n    import yaml",
        "engine/rules/c.py": "import requests",
        "engine/decide/d.py": "from engine.pb.v1 import triage_pb2",
        "engine/serve/e.py": "from google.protobuf import json_format",
        "engine/client.py": "from importlib import import_module\nimport_module('rich')",
    },
    core_is_pure: {
        "engine/rules/a.py": "import time",
        "engine/decide/b.py": "from datetime import datetime\ndatetime.now()",
        "engine/decide/c.py": "open('x')",
        "engine/decide/d.py": "from pathlib import Path",
    },
    stages_have_one_maker: {"engine/serve/a.py": "CheckedRuleset()", "engine/decide/b.py": "model.CheckedRuleset()"},
    files_have_a_size: {"engine/a.py": "x = 1\n" * 401, "engine/b.py": "x = 1\n" * 59},
    files_say_why_they_exist: {"engine/a.py": "x = 1", "engine/rules/helpers.py": '"""Helps."""'},
}
"""For each rule a tree in which every file breaks it."""


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_the_engine_keeps(rule: Rule) -> None:
    assert list(rule(ROOT)) == []


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_each_rule_can_fail(rule: Rule, tmp_path: Path) -> None:
    for name, text in BROKEN[rule].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = {problem.split(":")[0] for problem in rule(tmp_path)}
    assert found == set(BROKEN[rule])


def test_exceptions_are_still_needed() -> None:
    """A name on a list of exceptions that is no exception any more leaves the list."""
    lines = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name, _ in sources(ROOT)}
    assert [name for name in SHORT if lines.get(name, SHORTEST) >= SHORTEST] == []
    imported = {(name, each) for name, tree in sources(ROOT) for each in imports(name, tree)}
    assert imported >= TYPES_ONLY
    assert imported >= WORLD_DOORS
    used = {(library(each), name.removeprefix("engine/")) for name, each in imported}
    assert sorted({(name, file) for name, files in DOORS.items() for file in files} - used) == []


def test_the_client_is_light() -> None:
    """In a fresh process, `import engine.client` loads neither the inference engine, nor YAML, nor SQL."""
    program = "import sys, engine.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert "grpc" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_public_names_come_when_they_are_used() -> None:
    program = """
import sys, engine
assert not {"yaml", "durable_rules_engine"} & set(sys.modules)
for name in engine.__all__:
    assert getattr(engine, name).__module__.startswith("engine."), name
    assert name in dir(engine)
assert {"yaml", "durable_rules_engine"} <= set(sys.modules)
try:
    engine.nonsense
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "module `engine` has no `nonsense`\n"), done.stderr

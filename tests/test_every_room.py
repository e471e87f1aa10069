"""An invented domain goes through every room: whatever belongs to one complaint and hides in the program shows up here.

The bicycle of `tests/data/minimal` has other questions, other texts and another meaning of every step of the scale. It
is linted, loaded, decided, served, asked for and printed; everything that comes out is collected, and must hold all of
its own words and none that a shipped ruleset has.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from engine.author.cases_report import find_rulesets
from engine.cli import main
from engine.client import TriageError, to_request
from engine.decide.answers import Given, given
from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.rules import document
from engine.rules.load import load
from engine.rules.scale import Disposition
from engine.rules.source import Source
from tests.serve.conftest import Running, running

ROOT = Path(__file__).resolve().parent.parent
INVENTED = ROOT / "tests" / "data" / "minimal"
SHIPPED = sorted(path.parent for path in (ROOT / "rulesets").rglob("ruleset.yaml"))

# One patient for each thing that can be shown; together they reach every text of the bicycle.
PATIENTS: Mapping[str, Mapping[str, Any]] = {
    "stops": {
        "bike_age": 12, "years_owned": 3.5, "brakes_fail": True, "noise": "grind", "tyre_bar": 2.0,
        "loose_parts": ["chain", "light"], "rides_better": "unknown",
    },
    "unknown": {
        "bike_age": 12, "years_owned": "unknown", "brakes_fail": "unknown", "noise": "click", "tyre_bar": 4,
        "loose_parts": ["saddle"],
    },
    "grinds": {
        "bike_age": 3, "years_owned": 1, "brakes_fail": False, "noise": "grind", "tyre_bar": 3,
        "loose_parts": ["saddle"],
    },
    "worn": {
        "bike_age": 11, "years_owned": 1, "brakes_fail": False, "noise": "click", "tyre_bar": 3,
        "loose_parts": ["light"],
    },
    "fine": {
        "bike_age": 2, "years_owned": 2, "brakes_fail": False, "noise": "none", "tyre_bar": 4,
        "loose_parts": ["saddle"],
    },
    "unasked": {"bike_age": 12, "brakes_fail": False},
    "untold": {"bike_age": 12, "brakes_fail": False, "noise": "none", "loose_parts": ["saddle"]},
}  # fmt: skip
IMPOSSIBLE = {"bike_age": 1, "years_owned": 9}
DISPOSITIONS = {
    "stops": "emergency", "unknown": "emergency", "grinds": "same_day_gp", "worn": "physio", "fine": "self_care",
    "unasked": None, "untold": "self_care",
}  # fmt: skip

UNSAID = {
    "Werkplaats": "title of a disposition that no rule of the bicycle gives",
    "Ga deze week": "text of that disposition",
    "Zelf sleutelen": "a programme that no row of the bicycle gives",
    "nog niet gevraagd": "an answer that is missing is asked, not shown as a reason",
}
"""Every text of the bicycle that no output holds, with the reason; a test keeps the list exact."""


def read(folder: Path, pattern: str) -> list[Any]:
    """The content of a ruleset's files, every scalar as text."""
    nodes = [document.read(Source(path.name, path.read_text(encoding="utf-8")))[0] for path in folder.glob(pattern)]
    found = [document.plain(node) for node in nodes if node is not None]
    assert found
    assert len(found) == len(nodes)
    return found


def ids(folder: Path) -> set[str]:
    """Every name that a ruleset gives to something, and its options."""
    (content,) = read(folder, "ruleset.yaml")
    sections = ("parameters", "groups", "questions", "findings", "rules", "refuse", "advice", "safety_net", "evidence")
    named = {name for section in sections for name in content.get(section) or {}}
    options = {option for each in content["questions"].values() for option in each.get("options", ())}
    rows = {row["id"] for row in content["programme"]} | {row["because"] for row in content["programme"]}
    because = {each["because"] for each in (*content["rules"].values(), content["default"])}
    citations = {each["citation"] for each in content["evidence"].values()}
    return named | options | rows | because | citations | {content["ruleset"]["id"]}


def texts(folder: Path) -> set[str]:
    """Every text that people read, in all languages."""
    found: set[str] = set()
    for content in read(folder, "texts.*.yaml"):
        found |= {each for section, below in content.items() if section != "language" for each in values(below)}
    return found


def values(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for value in content.values():
            yield from values(value)
    elif isinstance(content, str):
        yield " ".join(content.split())


@cache
def foreign() -> frozenset[str]:
    """What only shipped rulesets say: names of two words or more, rule numbers that the bicycle lacks, all texts."""
    own, own_texts = ids(INVENTED), texts(INVENTED)
    words = {
        each for folder in SHIPPED for each in ids(folder) if "_" in each or re.fullmatch(r"[A-Z]+-?\w*\d\w*", each)
    }
    scale = {each.word for each in Disposition} | {"medical_fitness", "none_yet"}
    sentences = {
        each for folder in SHIPPED for each in texts(folder) if " " in each and len(each) > len("weet ik niet")
    }
    standing = {"nog niet gevraagd", "not asked yet", "I do not know"}  # how a page says missing and unknown
    return frozenset((words - own - scale) | (sentences - own_texts - standing))


def found_in(text: str) -> list[str]:
    """Foreign names as whole words, and foreign texts wherever they stand."""
    flat = " ".join(text.split())
    tokens = set(re.findall(r"[\w-]+", flat))
    return sorted(each for each in foreign() if (each in tokens if " " not in each else each in flat))


def typed(answers: Mapping[str, Any]) -> dict[str, Given]:
    """The answers as a person would write them."""
    written = {True: "yes", False: "no"}
    return {
        name: given(tuple(said) if isinstance(said, list) else written[said] if isinstance(said, bool) else str(said))
        for name, said in answers.items()
    }


def whole(text: str, said: str) -> bool:
    """Whether the text stands there by itself: `Les` does not stand in `Lees`."""
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said) is not None


class Heard:
    """Collects what the rooms say, with the room that said it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def add(self, room: str, content: object) -> None:
        if isinstance(content, Message):
            content = MessageToJson(content, ensure_ascii=False)
        self.said.append((room, content if isinstance(content, str) else repr(content)))

    @property
    def everything(self) -> str:
        return " ".join(" ".join(text.split()) for _, text in self.said)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("invented")
    shutil.copytree(INVENTED, root / "bicycle")
    main_file = root / "bicycle" / "ruleset.yaml"
    main_file.write_text(
        re.sub("effective: .*", "effective: {from: 2020-01-01}", main_file.read_text(encoding="utf-8"))
    )
    with running(root) as started:
        assert started.registry.current().problems == ()
        yield started


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `pluis` in a terminal that is too wide to break a text, and gives what it printed."""

    def _command(*arguments: object, stdin: str = "") -> str:
        monkeypatch.setenv("COLUMNS", "4000")
        monkeypatch.setattr(sys, "argv", ["pluis", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return printed.out + printed.err

    return _command


def in_process(heard: Heard) -> None:
    """rules and decide: load, digest, evaluate, explain."""
    checked = load(INVENTED)
    assert re.fullmatch("[0-9a-f]{64}", checked.digest)
    evaluator = Evaluator(checked)
    for name, answers in PATIENTS.items():
        evaluated = evaluator.evaluate(evaluator.read(typed(answers)))
        outcome = evaluated.outcome
        assert (outcome.disposition.word if outcome.disposition else None) == DISPOSITIONS[name], name
        heard.add(f"decide {name}", outcome)
        heard.add(f"explain {name}", evaluated.explain())


def over_the_wire(heard: Heard, served: Running) -> None:
    """serve and client: every rpc."""
    stub = served.stub
    requests = {name: to_request(answers, ruleset="bicycle") for name, answers in PATIENTS.items()}
    for name, request in requests.items():
        heard.add(f"Evaluate {name}", stub.Evaluate(request, timeout=20))
        reply = served.client.evaluate(PATIENTS[name], ruleset="bicycle")
        assert reply.disposition == DISPOSITIONS[name]
        heard.add(f"client {name}", reply)
    batch = stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=list(requests.values())), timeout=20)
    assert len(batch.results) == len(requests)
    heard.add("EvaluateBatch", batch)
    stream = list(
        stub.EvaluateStream((pb.EvaluateStreamRequest(request=each) for each in requests.values()), timeout=20)
    )
    assert len(stream) == len(requests)
    for response in stream:
        heard.add("EvaluateStream", response)
    heard.add("ListRulesets", stub.ListRulesets(pb.ListRulesetsRequest(page_size=9), timeout=20))
    heard.add("GetRuleset", stub.GetRuleset(pb.GetRulesetRequest(ruleset="bicycle"), timeout=20))
    heard.add("GetQuestionnaire", stub.GetQuestionnaire(pb.GetQuestionnaireRequest(ruleset="bicycle"), timeout=20))
    for answers in (IMPOSSIBLE, {"bike_age": 500}, {"brakes": True}):
        with pytest.raises(TriageError) as refused:
            served.client.evaluate(answers, ruleset="bicycle")
        heard.add("refusal", f"{refused.value} {refused.value.violations}")


def at_the_terminal(heard: Heard, served: Running, command: Callable[..., str]) -> None:
    """author and cli: lint, test, questionnaire, evaluate, as a page and as JSON, in process and with a server."""
    root = served.registry.root
    assert [each.name for each in find_rulesets([root])] == ["bicycle"]
    patients = json.dumps([{"ruleset": "bicycle", "answers": each} for each in (*PATIENTS.values(), IMPOSSIBLE)])
    for arguments in (("lint", root), ("test", root), ("questionnaire", "--rulesets", root)):
        heard.add(f"pluis {arguments[0]}", command(*arguments))
    heard.add("pluis questionnaire --json", command("questionnaire", "--json", "--rulesets", root))
    for where in (("--rulesets", root), ("--server", served.server.address)):
        for options in ((), ("--json",)):
            heard.add("pluis evaluate", command("evaluate", "-", *where, *options, stdin=patients))


def test_nothing_of_a_shipped_ruleset_is_said_and_everything_of_its_own_is(
    served: Running, command: Callable[..., str]
) -> None:
    heard = Heard()
    in_process(heard)
    over_the_wire(heard, served)
    at_the_terminal(heard, served, command)
    assert {room: found for room, text in heard.said if (found := found_in(text))} == {}
    said = heard.everything
    assert {each for each in texts(INVENTED) if not whole(each, said)} == set(UNSAID)
    (content,) = read(INVENTED, "ruleset.yaml")
    assert {each for each in ids(INVENTED) if not whole(each, said)} == set(content["findings"])  # authors' own words


def test_foreign_words_would_be_found() -> None:
    assert len(foreign()) > 500
    assert found_in('{"id": "saddle_numbness"}') == ["saddle_numbness"]
    assert found_in("the red flag chest_pressure of E11") == ["E11", "chest_pressure"]
    assert found_in("Nekpijn komt veel voor. Meestal is er\n geen ernstige oorzaak.")
    assert not found_in("Remt de fiets niet meer? E01 S01 physio")

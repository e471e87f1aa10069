"""No clinical word and no clinical threshold stands in the program: they are the rulesets' alone.

Words are looked for in names and in text that the program can act on (not in docstrings and comments, which may give
examples). Thresholds act by comparison, or as a number in the rooms that give a ruleset its meaning; so there every
number of 3 or more needs a place on a list, with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent

LANGUAGE = {
    "yes": "a value of every yes_no question",
    "no": "a value of every yes_no question",
    "none": "the option that denying a group gives to a choice, and a word of the contract's scale",
    "programme": "a word of the format and the contract",
    "strength": "a word of the format and the contract: how strong a citation is",
    "medical_fitness": "a word of the contract's scale",
    "pilates": "a word of the contract's scale",
    "E01": "in the message that says what an id looks like",
    "f": "a letter: also the outcome false, or a file",
    "m": "a letter: also the engine's name for a message",
    "x": "a letter",
}
"""Words of rulesets that belong to the format or the contract as well, each with its reason."""

ORDINARY = {"active", "both", "high", "low", "one", "other", "past"}
"""Options that are everyday English: they may be names and stand in messages; a text of this one word is clinical."""

MEANING = ("engine/rules/", "engine/decide/")
SMALL = 2
"""Numbers up to this one are counting."""

NUMBERS: dict[str, dict[int | float, str]] = {
    "engine/decide/answers.py": {
        40: "digits of a number that is read at all",
        12: "options that a message names",
        60: "characters of a caller's text that a message shows",
        61: "one more, to see that there were more",
        57: "60 less the three dots",
    },
    "engine/decide/compile.py": {
        60: "literals in a shard: the engine refuses facts with 64 pending tests",
        200: "rules in a shard, and conjunctions that a condition may become",
        40: "literals in a conjunction",
    },
    "engine/decide/direct.py": {4: "the third bit of a set of outcomes", 8: "the sets of outcomes, 0 to 7"},
    "engine/decide/inputs.py": {1000: "whole numbers of one question that are looked up one by one"},
    "engine/decide/interview.py": {6: "questions on one screen of an interview"},
    "engine/decide/rete.py": {
        8: "shards that are looked at one by one",
        2166136261: "FNV-1a, its offset",
        16777619: "FNV-1a, its prime",
        0xFFFFFFFF: "FNV-1a, its 32 bits",
    },
    "engine/decide/written.py": {64: "conditions that are written into one function"},
    "engine/rules/alternatives.py": {
        300: "alternatives that are written out",
        20: "pairs that are looked at for each of them",
        6: "options of which the sets are told apart: 64 sets",
        4: "the third bit of a set of outcomes",
    },
    "engine/rules/ed25519.py": {32: "bytes of a key, and digits of its id", 64: "bytes of a signature"},
    "engine/rules/document.py": {60: "depth of a document", 20: "a mebibyte is 1 << 20", 22: "four of them"},
    "engine/rules/problem.py": {100: "problems that are told", 400: "characters of an excerpt", 3: "the three dots"},
    "engine/rules/scale.py": {
        3: "place in a scale of the contract",
        4: "place in a scale of the contract",
        5: "place in a scale of the contract",
        6: "place in a scale of the contract",
    },
    "engine/rules/suggest.py": {
        12: "names that a message lists",
        100: "characters of a name for which another is suggested",
        2000: "names among which one is looked for",
    },
    "engine/rules/remainder.py": {3: "rounds", 30: "a line that no text reaches is 1 << 30"},
}
"""Every number above SMALL in the rooms that give a ruleset its meaning."""

COMPARED: dict[tuple[str, int | float], str] = {}
"""In the other rooms: every number above SMALL that something is compared with."""


def clinical_words(root: Path) -> dict[str, str]:
    """Every id and option of every ruleset, with what it is."""
    words: dict[str, str] = {}
    for path in sorted((root / "rulesets").rglob("ruleset.yaml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        for what in ("parameters", "groups", "findings", "refuse", "evidence", "rules", "advice", "safety_net"):
            words |= dict.fromkeys(content.get(what) or {}, what)
        for name, question in content["questions"].items():
            words |= dict.fromkeys(question.get("options", ()), "option")
            words[name] = "question"
    return {word: what for word, what in words.items() if word not in LANGUAGE}


def documentation(tree: ast.Module) -> set[int]:
    """The ids of string nodes that stand alone as statements: docstrings, and notes below a constant."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def sources(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((root / "engine").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith("engine/pb/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"), name)


def names_in(node: ast.AST) -> Iterator[str]:
    """The identifiers that a node itself writes."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.keyword(arg=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name


def words_found(root: Path, words: dict[str, str]) -> Iterator[str]:
    """Where a clinical word stands: as a name, as a whole text, or (unless it is an ordinary word) inside a text."""
    for file, tree in sources(root):
        documents = documentation(tree)
        for node in ast.walk(tree):
            line = getattr(node, "lineno", 0)
            for name in names_in(node):
                word = name.strip("_").lower()
                if word in words and word not in ORDINARY:
                    yield f"{file}:{line}: `{name}` is a name here and a {words[word]} of a ruleset"
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
                found = {node.value} | (set(re.findall(r"[\w-]+", node.value)) - ORDINARY)
                for word in sorted(found & set(words)):
                    yield f"{file}:{line}: `{word}` is a {words[word]} of a ruleset"


def number(node: ast.AST) -> int | float | None:
    """The number that a node writes, above SMALL; also in a text, as in Decimal("45")."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value) if abs(value) > SMALL:
            return value
        case ast.Call(args=[ast.Constant(value=str(text))]) if re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text) if abs(float(text)) > SMALL else None
    return None


def numbers_found(root: Path) -> Iterator[tuple[str, int, int | float]]:
    """File, line and number: all of them in the rooms of meaning, those that are compared with in the others."""
    for file, tree in sources(root):
        for node in ast.walk(tree):
            inside = ast.walk(node) if isinstance(node, ast.Compare) else ()
            for each in (node,) if file.startswith(MEANING) else inside:
                value = number(each)
                if value is not None:
                    yield file, getattr(each, "lineno", 0), value


def allowed(file: str, value: int | float) -> bool:
    return value in NUMBERS.get(file, {}) if file.startswith(MEANING) else (file, value) in COMPARED


def test_there_are_words_to_look_for() -> None:
    assert len(clinical_words(ROOT)) > 100
    assert sum(1 for _ in sources(ROOT)) > 30


def test_no_clinical_word_in_the_program() -> None:
    assert sorted(set(words_found(ROOT, clinical_words(ROOT)))) == []


def test_no_threshold_in_the_program() -> None:
    found = [f"{file}:{line}: {value}" for file, line, value in numbers_found(ROOT) if not allowed(file, value)]
    assert found == []


def test_every_exception_is_still_needed() -> None:
    found = {(file, value) for file, _, value in numbers_found(ROOT)}
    listed = {(file, value) for file, values in NUMBERS.items() for value in values} | set(COMPARED)
    assert sorted(listed - found) == []
    assert set(clinical_words(ROOT)) >= ORDINARY


@pytest.mark.parametrize(
    "text",
    [
        "fever = 1",
        "x.fever",
        "f(fever=1)",
        "x = 'fever'",
        "f('the fever is high')",
        "f'{a} fever'",
        "{'mild': 1}",
        "FEVER = 'x'",
    ],
)
def test_a_word_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "a.py").write_text(text, encoding="utf-8")
    assert list(words_found(tmp_path, {"fever": "question", "mild": "option"}))


@pytest.mark.parametrize("text", ['"""About fever."""', "x = 1  # fever", "feverish = 1", "'feverish'"])
def test_an_example_is_no_word(text: str, tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "a.py").write_text(text, encoding="utf-8")
    assert not list(words_found(tmp_path, {"fever": "question"}))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("engine/decide/a.py", "LIMIT = 45"),
        ("engine/rules/a.py", "Decimal('45')"),
        ("engine/serve/a.py", "if answers['x'] >= 45: ..."),
        ("engine/author/a.py", "ok = 3 < years < limit"),
        ("engine/cli.py", "ok = value > Decimal('0.5') * 12"),
    ],
)
def test_a_threshold_is_found(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert [each for each in numbers_found(tmp_path) if not allowed(each[0], each[2])]

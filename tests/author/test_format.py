"""`pluis fmt`: the meaning and every comment stay, twice is once, a file with problems is left alone.

Golden files: `golden/fmt/<name>.in.yaml` becomes `<name>.out.yaml`; `make accept` writes those anew.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from engine.author import format as layout
from engine.author.comments import Outline
from engine.author.format import ORDER, WIDTH, find_files, format_file, format_text
from engine.cli import app
from engine.rules import document, shape
from engine.rules.load import build, load, load_cases
from engine.rules.source import Source
from tests.decide import generate
from tests.rules import bicycle

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "rulesets" / "low_back_pain"
GOLDEN = Path(__file__).parent / "golden" / "fmt"
VALID = [*find_files([SHIPPED, bicycle.FOLDER]), *sorted(GOLDEN.glob("*.in.yaml"))]


def formatted(text: str) -> str:
    """The text in its layout, which a second time changes nothing."""
    result, complaint = format_text(Source("a.yaml", text))
    assert complaint == ""
    assert format_text(Source("a.yaml", result)) == (result, "")
    return result


def comments(text: str) -> Counter[str]:
    source = Source("a.yaml", text)
    node, problems = document.read(source)
    assert node is not None and not problems
    return Counter(Outline(source, node).comments)


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.in.yaml")), ids=lambda file: file.name)
def test_layout(file: Path) -> None:
    golden = file.with_name(file.name.replace(".in.", ".out."))
    found = formatted(file.read_text(encoding="utf-8"))
    if os.environ.get("ACCEPT"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "folder", [pytest.param(SHIPPED, marks=pytest.mark.slow), bicycle.FOLDER], ids=lambda folder: folder.name
)
def test_the_meaning_stays(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    for file in find_files([copy]):
        text = formatted(file.read_text(encoding="utf-8"))
        assert comments(text) == comments(file.read_text(encoding="utf-8"))
        assert [line for line in text.splitlines() if len(line) > WIDTH and not re.search(r"url: \S+$", line)] == []
        file.write_text(text, encoding="utf-8")
    before, after = load(folder), load(copy)
    assert after.digest == before.digest
    stripped = [[(case.id, case.answers, case.expect, case.none_of) for case in load_cases(place, it)]
                for place, it in ((folder, before), (copy, after))]  # fmt: skip
    assert stripped[0] == stripped[1] != []


@pytest.mark.slow
def test_the_shipped_files_hardly_change() -> None:
    for file in find_files([SHIPPED]):
        before = file.read_text(encoding="utf-8").splitlines()
        after = formatted(file.read_text(encoding="utf-8")).splitlines()
        assert (Counter(after) - Counter(before)).total() < len(before) / 20, file.name


def dumped(rng: random.Random, content: Any) -> str:
    """The content as JSON on one line or on many, with its keys in any order where they are no ids."""
    return json.dumps(content, indent=rng.choice([None, 1, 3]), ensure_ascii=rng.random() < 0.5)


@pytest.mark.parametrize("seed", range(20))
def test_the_meaning_of_random_rulesets_stays(seed: int) -> None:
    rng = random.Random(seed)
    content = generate.ruleset_content(rng)
    texts = {"ruleset.yaml": content, "texts.nl.yaml": generate.texts_content(content)}
    before = {name: dumped(rng, each) for name, each in texts.items()}
    after = {name: formatted(text) for name, text in before.items()}
    assert after != before
    first, second = (build({name: Source(name, text) for name, text in each.items()})[0] for each in (before, after))
    assert first is not None and second is not None
    assert first.digest == second.digest


def test_entries_are_never_reordered() -> None:
    text = "rules:\n  B: {then: {call: none}, when: {q: yes}}\n  A: {when: {q: yes}}\nquestions:\n  z: {}\n  a: {}\n"
    found = formatted(text)
    assert re.findall(r"(?m)^ *(\w+):", found) == ["rules", "B", "A", "questions", "z", "a"]
    assert "B: {when: {q: yes}, then: {call: none}}" in found


@pytest.mark.parametrize("text", [
    "a: [1, 2  # c\n  ]\n", "a:\n  # c\n  b\n", "a: {  # c\n  }\n", "- # c\n  a: 1\n", "# c\n{a: 1}\n",
    "--- # c\na: 1\n", "a:\n      # c\n  b: 1\n",
    "a: |  # c\n  x\nb: 1\n", "a:\n- 1\n# c\nb: 1\n", "a:\n  - 1\n  # c\nb: 1\n", "a: 1\n# c", "a: # c\n\n  - b\n",
    'a: "x # y"  # c\n', "a: {b:  # c\n  [1]}\n", "a: [\n  # c\n]\n", "? a # c\n: 1\n", "a: 'x\n  # y'  # c\n",
])  # fmt: skip
def test_no_comment_is_lost(text: str) -> None:
    assert comments(formatted(text)) == comments(text) == Counter(["# c"])


def test_line_endings_and_the_mark_of_the_beginning() -> None:
    assert formatted("\ufeffa:  1\r\n\r\n\r\nb: 2") == "a: 1\n\nb: 2\n"
    assert formatted('\ufeff"1":  "2"') == '"1": "2"\n'


def test_quotes_stay_where_another_tool_needs_them() -> None:
    texts = ("no", "012", "1:30", "x: y", "#x", "", "2026-01-01", "~", " x", "- x")
    kept = "".join(f'"{number}": "{text}"\n' for number, text in enumerate(texts)) + 'a: ["b, c"]\n'
    assert formatted(kept) == kept
    assert formatted('a: "word"\nb: \'two words\'\n"c": ["d"]\n') == "a: word\nb: two words\nc: [d]\n"
    assert formatted("a: no\nb: 012\n") == "a: no\nb: 012\n"


def test_a_layout_that_loses_something_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "b:   1  # c\na: [x,   y]\n"
    for broken in ("b: 2  # c\na: [x, y]\n", "b: 1\na: [x, y]\n", "a: [x, y]\nb: 1  # c\n", "b: [\n"):
        with monkeypatch.context() as patch:
            patch.setattr(layout._Printer, "text", lambda self, broken=broken: broken)
            found, complaint = format_text(Source("a.yaml", text))
        assert found == text
        assert complaint.startswith("a.yaml: error: ")


def keys_of(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Every mapping with fixed keys below a file: its path and its keys."""
    if isinstance(model, type) and issubclass(model, shape.Shape):
        if path:
            yield path, [field.alias or name for name, field in model.model_fields.items()]
        for name, field in model.model_fields.items():
            yield from keys_of(field.annotation, (*path, field.alias or name))
    elif get_args(model):
        inner = [each for each in get_args(model) if each is not type(None)]
        below = path if len(inner) == 1 and type(None) in get_args(model) else (*path, "*")
        yield from keys_of(inner[-1], below)


def test_every_key_of_an_entry_has_its_place() -> None:
    files = (shape.RulesetFile, shape.TextsFile, shape.CasesFile)
    for path, keys in (each for file in files for each in keys_of(file)):
        assert set(keys) <= set(ORDER[path]), path
    assert ORDER["cases", "*", "expect"]


Mutation = tuple[int, str, int]
INSERTED = (
    "  # c\n", "\n# c\n", "\n    # c\n", "\n\n\n", " ", "\n      ", "{", "}", "[", "]", ", ", ": ", "- ", '"', "'", "|",
    ">", "|+\n", "#", "\t", "? ", "\\", "---\n", "%", "\U0001f600", "&a", "*a", "!t", "[]", "{}", "\r\n", "\u00a0",
    "\x00", "",
)  # fmt: skip


@settings(max_examples=150)
@given(
    st.sampled_from(VALID),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(INSERTED), st.integers(0, 3)), min_size=1, max_size=4),
)
def test_nothing_raises(file: Path, begin: int, mutations: list[Mutation]) -> None:
    """Pieces of valid files with things put in and taken out: laid out without loss, or told to the author."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    begin %= len(lines)
    text = "".join(lines[:1] + lines[begin : begin + 40])
    for number, inserted, dropped in mutations:
        place = number % (len(text) + 1)
        text = text[:place] + inserted + text[place + dropped :]
    source = Source("a.yaml", text)
    found, complaint = format_text(source)
    node, problems = document.read(source)
    if node is None or problems:
        assert (found, bool(complaint)) == (text, True)
    else:
        assert formatted(text) == found
        after, _ = document.read(Source("a.yaml", found))
        assert after is not None and document.plain(after) == document.plain(node)


@given(st.text(alphabet="ab:#-[]{},\"'|>\n ?&%!\\"))
def test_no_text_raises(text: str) -> None:
    found, complaint = format_text(Source("a.yaml", text))
    assert complaint or format_text(Source("a.yaml", found)) == (found, "")


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def fmt() -> Command:
    def _fmt(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["fmt", *map(str, arguments)])
        return done.exit_code, done.output

    return _fmt


def test_the_command(tmp_path: Path, fmt: Command) -> None:
    folder = tmp_path / "bicycle"
    shutil.copytree(bicycle.FOLDER, folder)
    file = folder / "cases.yaml"
    file.write_text("cases:\n    A: {}\n", encoding="utf-8")
    file.chmod(0o640)
    code, told = fmt("--check", folder)
    assert code == 1 and f"would change {file}\n" in told
    assert file.read_text(encoding="utf-8") == "cases:\n    A: {}\n"
    code, told = fmt(tmp_path)
    assert code == 0 and f"laid out {file}\n" in told
    assert file.read_bytes() == b"cases:\n  A: {}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(each.name for each in folder.iterdir()) == sorted(bicycle.FILES)
    assert fmt("--check", folder) == (0, "")


def test_a_file_with_problems_is_left_alone(tmp_path: Path, fmt: Command) -> None:
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    for data in (b"a:   1\na: 2\n", b"a: [\n", b"\xff", b"", b"a: &x 1\n"):
        bad.write_bytes(data)
        good.write_text("a:   1\n", encoding="utf-8")
        code, told = fmt(bad, good)
        assert code == 2 and f"{bad}:" in told and "error[" in told
        assert bad.read_bytes() == data
        assert good.read_text(encoding="utf-8") == "a: 1\n"
        assert fmt("--check", bad, good)[0] == 2


def test_a_link_stays_a_link(tmp_path: Path, fmt: Command) -> None:
    target, link = tmp_path / "target.yaml", tmp_path / "link.yaml"
    target.write_text("a:   1\n", encoding="utf-8")
    link.symlink_to(target)
    assert fmt(link)[0] == 0
    assert link.is_symlink() and target.read_text(encoding="utf-8") == "a: 1\n"
    assert format_file(link) == (None, "")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a:   1\n", encoding="utf-8")
    monkeypatch.setattr(layout.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        layout.write_text(file, "a: 1\n")
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]
    assert file.read_text(encoding="utf-8") == "a:   1\n"

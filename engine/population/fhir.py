"""FHIR Bulk Data as input: NDJSON of QuestionnaireResponse, a line for each person.

A line is read as strictly as a response that a caller sends, by the same code; but where a caller is refused, a line
becomes a row with every fault. Responses may come from several servers: the addresses of their forms and codes begin as
the address of the Questionnaire that each names does. Any version of the ruleset's form will do: its items and options
are held against those of the ruleset that decides. No more than a line is in memory at a time, and of a line that is
too long not even that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.decide.answers import UNKNOWN, Answers, Given, shown
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, RulesetError, Violation
from engine.population.files import LONGEST_LINE, Files, lines_at, runs
from engine.population.rows import Chunk, Row
from engine.rules.load import build
from engine.rules.model import Ruleset
from engine.rules.source import Source

if TYPE_CHECKING:
    from engine.serve.fhir.names import Json

ENDING = ".ndjson"


class BulkData:
    """NDJSON in a file or in the `*.ndjson` of a folder, read by a ruleset, which is given by its texts."""

    def __init__(self, where: str, texts: Mapping[str, str]) -> None:
        self._files = Files(where, ENDING)
        self._texts = tuple(texts.items())

    def fingerprint(self) -> str:
        """Names, sizes and times of the files."""
        return self._files.fingerprint()

    def chunks(self) -> Sequence[Chunk]:
        """Runs of lines of one file: looks through all files once, for where lines end."""
        found: list[Chunk] = []
        start = 0
        for file in self._files.found():
            with self._files.open(file.name) as lines:
                for offset, rows in runs(lines):
                    found.append(Chunk(len(found), f"{offset}@{file.name}", start, rows))
                    start += rows
        return found

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """A row for each line, an empty line too."""
        offset, _, name = chunk.place.partition("@")
        reader = _reader(self._texts)
        with self._files.open(name) as lines:
            for number, line in enumerate(lines_at(lines, int(offset), chunk.rows), chunk.start):
                yield reader.row(number, line)


class _Reader:
    """Reads lines for one ruleset, by the code that reads what callers send."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        from engine.serve.config import LOG_OFF, Config
        from engine.serve.registry import Served
        from engine.serve.standing import Standing

        checked, problems = build({name: Source(name, text) for name, text in texts.items()})
        if checked is None:
            raise RulesetError(problems)
        self._ruleset = checked.ruleset
        self._served = Served(Evaluator(checked), "", Standing(), texts)
        self._limits = Config(rulesets=Path(), log=LOG_OFF)

    def row(self, number: int, line: bytes) -> Row:
        """What a line says, or all that is wrong with it."""
        from engine.serve.errors import MalformedRequest
        from engine.serve.fhir.answers import RESPONSE
        from engine.serve.fhir.shape import resource
        from engine.serve.gateway.reading import read_json

        content = line.rstrip(b"\r\n")
        raw = content.decode("utf-8", "backslashreplace")
        if len(line) > LONGEST_LINE:
            fault = f"the line has more than {LONGEST_LINE} bytes, of which no more are kept"
            return Row(number, "", {}, faults=(fault,), raw=raw)
        if not content.strip():
            return Row(number, "", {}, faults=("the line is empty",), raw=raw)
        id = ""
        try:
            value = read_json(content)
            id = _id(value)
            return self._answered(number, id, resource(value, RESPONSE), raw)
        except MalformedRequest as error:
            return Row(number, "", {}, faults=(f"the line cannot be read: {error}",), raw=raw)
        except AnswersError as error:
            faults = tuple(f"{each.field}: {each.message} ({each.code})" for each in error.violations)
            return Row(number, id, {}, faults=faults, raw=raw)

    def _answered(self, number: int, id: str, response: Json, raw: str) -> Row:
        """The row of a resource; AnswersError with all that is wrong with it as a response to the ruleset's form."""
        from engine.serve.fhir.answers import RESPONSE, asked_for, read_response
        from engine.serve.fhir.names import QUESTIONNAIRE

        form = str(response.get("questionnaire", "")).partition("|")[0]
        base = form.rpartition(f"/{QUESTIONNAIRE}/")[0]
        ruleset, version = asked_for(response, base)
        if ruleset != self._ruleset.id:
            message = f"this is the form of the ruleset `{shown(ruleset)}`, not of `{self._ruleset.id}`"
            raise AnswersError([Violation(f"{RESPONSE}.questionnaire", "wrong-ruleset", message)])
        read = read_response(response, self._served, self._ruleset.languages[0], base, self._limits)
        return Row(number, id, _untyped(self._ruleset, read.answers), groups={"version": version}, raw=raw)


@lru_cache(maxsize=2)  # the two versions of an impact are read side by side
def _reader(texts: tuple[tuple[str, str], ...]) -> _Reader:
    """One for each process, for it takes long to make."""
    return _Reader(dict(texts))


def _id(value: object) -> str:
    """The id that a resource has on its server; never that of a person."""
    id = value.get("id") if isinstance(value, dict) else None
    return id if isinstance(id, str) else ""


def _untyped(ruleset: Ruleset, answers: Answers) -> dict[str, Given]:
    """Typed answers as they are given again; what a denied group answered is written out among them."""
    given = {name: Given(ruleset.questions[name].type, value) for name, value in answers.values.items()}
    return given | dict.fromkeys(answers.unknown, UNKNOWN)

"""A request as it came, with its answers typed piece by piece: the same bytes of one answer always read the same.

Each piece is read once as `engine.serve.convert` reads whole requests, and known from then on. A request with any piece
that is not right is read whole by it, so that its violations are found in one place only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from google.protobuf.message import DecodeError

from engine.decide.answers import Answers, Given, GivenValue
from engine.decide.answers import read_answers as typed_answers
from engine.errors import AnswersError, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import Ruleset
from engine.serve.config import Config
from engine.serve.convert import given_of, out_of_bounds, read_answers
from engine.serve.kept import Kept
from engine.serve.registry import Served
from engine.serve.wire import SEVEN, framed, tag_of, unread

MOST_PIECES = 4096
"""Pieces that are kept for each ruleset. Those of a usual form are a few hundred, its numbers a few hundred more."""
MOST_DENIED = 256
ANSWERS = tag_of(pb.EvaluateRequest, "answers")
_REQUEST = unread(pb.EvaluateRequest, "answers")
_BATCH = unread(pb.EvaluateBatchRequest, "requests")
Typed = tuple[str, GivenValue | None]
"""A question, and the value of its answer; None: unknown."""


class Unusual(Exception):
    """Not to be read piece by piece."""


class Asked:
    """One request. Where its answers were read from bytes, `head` is without them, and `whole` has all."""

    __slots__ = ("_message", "answers", "head", "served")

    def __init__(
        self, head: pb.EvaluateRequest, message: bytes | None, served: Served | None, answers: Answers | None
    ) -> None:
        """Without a message `head` is the whole request. Answers need the ruleset for which they were read."""
        self.head, self._message, self.served, self.answers = head, message, served, answers

    @classmethod
    def of(cls, request: pb.EvaluateRequest) -> Asked:
        """A request that is a message already."""
        return cls(request, None, None, None)

    def whole(self) -> pb.EvaluateRequest:
        """The request with its answers."""
        if self._message is None:
            return self.head
        request = pb.EvaluateRequest.FromString(self._message)
        if self.head.HasField("context"):
            request.context.CopyFrom(self.head.context)
        return request

    def read(self, served: Served, limits: Config, language: str) -> Answers:
        """The typed answers, for a ruleset. Raises AnswersError with every violation of the request."""
        if self.answers is not None and self.served is served and not any(out_of_bounds(self.head, limits)):
            try:
                served.evaluator.check(self.answers, language)
            except AnswersError:  # told below, with what else there is to tell
                pass
            else:
                return self.answers
        return read_answers(served.evaluator, self.whole(), limits, language)


class Pieces:
    """What is known of the pieces of requests to one ruleset. Safe to share between threads."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._known = _Known(ruleset)
        self._denied: Kept[frozenset[str], Mapping[str, GivenValue]] = Kept(MOST_DENIED)

    def read(self, pieces: Iterable[bytes], none_of: Iterable[str]) -> Answers:
        """The typed answers; contradictions are not looked for. Raises Unusual where anything else may be wrong."""
        given = dict(map(self._known.__getitem__, pieces))  # of two to one question the last counts, as in protobuf
        unknown = [name for name, value in given.items() if value is None]
        groups = frozenset(none_of)
        denied = self._denied.get(groups)
        if denied is None:
            denied = self._denied.keep(groups, _typed(self._ruleset, {}, groups).values)
        values = {**denied, **given}
        for name in unknown:
            del values[name]
        return Answers(cast(dict[str, GivenValue], values), frozenset(unknown))


class _Known(Kept[bytes, Typed]):
    """Answers by their bytes, each read when it first comes."""

    def __init__(self, ruleset: Ruleset) -> None:
        super().__init__(MOST_PIECES)
        self._ruleset = ruleset

    def __missing__(self, piece: bytes) -> Typed:
        if len(piece) > SEVEN:
            raise Unusual
        request = pb.EvaluateRequest.FromString(framed(ANSWERS, piece))
        if len(request.answers) != 1:  # such as of a field that protobuf does not know
            raise Unusual
        ((name, answer),) = request.answers.items()
        given = given_of(name, answer)
        if isinstance(given, Violation):
            raise Unusual
        return self.keep(piece, (name, _typed(self._ruleset, {name: given}).values.get(name)))


def _typed(ruleset: Ruleset, answers: Mapping[str, Given], none_of: Iterable[str] = ()) -> Answers:
    try:
        return typed_answers(ruleset, answers, none_of)
    except AnswersError:
        raise Unusual from None


def ask(message: bytes, find: Callable[[str, str], tuple[Served, Pieces] | None]) -> Asked:
    """A request of bytes. `find` gives the ruleset that id and version will probably stand for. Raises DecodeError."""
    head = _REQUEST.FromString(message)
    try:
        found = find(head.ruleset, head.ruleset_version)
        if found is not None:
            served, known = found
            return Asked(head, message, served, known.read(head.answers, head.none_of))
    except (DecodeError, Unusual):  # what is wrong is told by the one who reads it whole
        pass
    return Asked.of(pb.EvaluateRequest.FromString(message))


def ask_many(message: bytes) -> Iterable[bytes]:
    """The requests of a batch, still in bytes. Raises DecodeError."""
    requests: Iterable[bytes] = _BATCH.FromString(message).requests
    return requests

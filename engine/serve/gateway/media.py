"""What a call sends and takes: whether a body can be read here, whether its caller can read ours, in which language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.message import Message

from starlette.requests import Request

from engine.serve.gateway.errors import NotAcceptable, WrongMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
UTF_8 = ("utf-8", "utf8")


def check_type(request: Request, types: Sequence[str]) -> None:
    """Raises WrongMediaType; also for another character set than UTF-8, and for what is compressed."""
    said = _parsed(request.headers.get("content-type", ""))
    charset = str(said.get_param("charset", UTF_8[0]))
    if said.get_content_type() not in types or charset.lower() not in UTF_8:
        raise WrongMediaType(f"the body must be {' or '.join(types)} in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise WrongMediaType("the body must not be compressed")


def check_accept(request: Request, types: Sequence[str] = (JSON,)) -> None:
    """Raises NotAcceptable where the caller says what it takes and no type of these is among it."""
    ranges = dict(_ranges(request.headers.getlist("accept")))
    if not ranges:
        return
    for each in types:
        closest = (each, f"{each.partition('/')[0]}/*", "*/*")
        if next((ranges[place] for place in closest if place in ranges), 0.0) > 0:
            return
    raise NotAcceptable(f"the answer is {' or '.join(types)}")


def languages(request: Request) -> list[str]:
    """The languages that the caller reads (Accept-Language), the best first."""
    found = [*_ranges(request.headers.getlist("accept-language"))]
    return [tag for tag, quality in sorted(found, key=lambda each: -each[1]) if quality > 0]


def _ranges(accepted: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Each range of the headers with its quality; one without a quality that can be read counts fully."""
    for part in ",".join(accepted).split(","):
        if not part.strip():
            continue
        said = _parsed(part)
        try:
            quality = float(str(said.get_param("q", "1")))
        except ValueError:
            quality = 1.0
        yield part.partition(";")[0].strip().lower(), quality


def _parsed(text: str) -> Message:
    """A header with parameters, as mail has them too; what is no media type at all becomes `text/plain`."""
    message = Message()
    message["content-type"] = text
    return message

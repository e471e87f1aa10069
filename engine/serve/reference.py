"""The reference of all settings, made out of the model that reads them, so that the two cannot part.

CONFIGURATION.md at the top of the repository is what `reference` gives.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

from engine.serve import config
from engine.serve.configuring import SECTIONS

Json: TypeAlias = dict[str, Any]

_HEAD = """\
# Configuration

Every setting of `pluis serve`. This page is printed by `pluis configuration` out of [the model that reads the
settings](engine/serve/config.py); [OPERATIONS.md](OPERATIONS.md) shows them at work.

`pluis serve --config pluis.toml` reads a [TOML](https://toml.io) file. What is given on the command line wins over
it. A path in the file is relative to the file; a path on the command line, and a default, to the folder in which the
server is started. Every fault is named before anything starts, a setting that does not exist too.
`pluis configuration pluis.toml` checks a file without starting anything.

Sizes are bytes, times seconds. A *name* is up to 100 letters, digits and `._:@/-`, the first of them a letter or digit.
"""

EXAMPLE = """\
# Every setting, each with a value that fits the others. Write down only what you want otherwise than the default.

rulesets = "rulesets"
host = "0.0.0.0"                        # wider than loopback: needs [tls] and [[callers]] below, or trust_proxy
port = 50051
http_host = "0.0.0.0"                   # callers over HTTP show a token, and people who answer themselves nothing
http_port = 8443
public_url = "https://triage.example.nl"
origins = ["https://ehr.example.nl"]    # web sites whose pages may call
interview = true
interview_rulesets = ["low_back_pain"]
trust_proxy = false

workers = 4                             # one for each core
threads = 16
max_streams = 8
max_waiting = 48
max_request_size = 262_144
max_message_size = 4_194_304
max_answers = 500
max_batch = 1000
rate = 50.0
max_connection_age = 300.0              # clients that stay connected spread over the workers all the same

drain = 10.0
grace = 10.0
hang = 15.0
reflection = false

required = ["approval", "certificate"]
state = "state"
watch = 2.0
shadow = "candidates"
shadow_waiting = 256

log = "log"
log_keys = "keys/log.json"              # apart from the log: who has both can rewrite it unseen
log_patience = 10.0

log_format = "json"
operations_host = "127.0.0.1"
operations_port = 9464
traces = "http://127.0.0.1:4317"

[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
client_authorities = "tls/clients.pem"  # with it every caller must show a certificate

[[issuers]]
issuer = "https://login.example.nl"
audience = ["pluis"]
keys = "tls/issuer.jwks.json"           # or an https:// address
algorithms = ["ES256"]
use = "once"
longest = 300
leeway = 30

[[callers]]                             # known by its tokens
name = "ehr"
issuer = "https://login.example.nl"
subject = "ehr-production"
rights = ["evaluate", "rulesets"]
rate = 200.0

[[callers]]                             # known by its certificate
name = "operator"
certificate = "operator.example.nl"
rights = ["admin", "audit", "rulesets"]
"""
"""A file with every setting. It can be read as it stands."""


def reference() -> str:
    """All settings as Markdown: name, type, default and words of each, and a whole example."""
    schema = config.Config.model_json_schema()
    shapes: Json = schema["$defs"]
    parts = [_HEAD, f"## Settings\n\n{_table(schema, shapes)}"]
    for section, shape in SECTIONS.items():
        brackets = f"[[{section}]]" if "items" in schema["properties"][section] else f"[{section}]"
        part = shapes[shape.__name__]
        parts.append(f"## {section}\n\n`{brackets}`: {_line(part['description'])}\n\n{_table(part, shapes)}")
    parts.append(f"## Example\n\n```toml\n{EXAMPLE}```\n")
    return "\n".join(parts)


def _table(section: Json, shapes: Json) -> str:
    """The settings of a section, and below them what the words mean that they take."""
    rows = ["| setting | type | default | what |", "|---|---|---|---|"]
    words: dict[str, Mapping[str, str]] = {}
    for name, field in section["properties"].items():
        default = _default(field) if name not in section.get("required", ()) else "must be given"
        said = field.get("description") or shapes[_shape(field)]["description"]
        cells = (f"`{name}`", _type(name, field, shapes), default, _line(said))
        rows.append(f"| {' | '.join(each.replace('|', '&#124;') for each in cells)} |")
        if meanings := _WORDS.get(_shape(field)):
            words[name] = meanings
    lists = [
        f"\n`{name}`:\n\n" + "\n".join(f"- `{word}`: {_line(said)}" for word, said in meanings.items())
        for name, meanings in words.items()
    ]
    return "\n".join([*rows, *lists]) + "\n"


def _line(said: str) -> str:
    return " ".join(said.split())


def _shape(field: Json) -> str:
    """The name of the shape that a setting has, or a list of it; empty where it is plain."""
    for each in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in each:
            return str(each["$ref"]).rpartition("/")[2]
    return ""


def _default(field: Json) -> str:
    return "none" if field.get("default") in (None, "", []) else f"`{json.dumps(field['default'])}`"


def _type(name: str, field: Json, shapes: Json) -> str:
    """The type of a setting in words; that it may be left out is said by its default."""
    if "anyOf" in field:
        (field,) = (each for each in field["anyOf"] if each.get("type") != "null")
    if "$ref" in field:
        field = shapes[_shape(field)]
    match field:
        case {"enum": words}:
            return f"one of {', '.join(f'`{word}`' for word in words)}"
        case {"type": "object"}:
            return f"table, see [{name}](#{name})"
        case {"type": "array", "items": items}:
            return f"list, each: {_type(name, items, shapes)}"
        case {"type": "string", "format": "path"}:
            return "path"
        case {"type": "string", "pattern": _}:
            return "name"
        case {"type": "string"}:
            return "text"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "integer" | "number" as kind}:
            return " ".join(["whole number" if kind == "integer" else "number", *_bounds(field)])
    raise ValueError(f"no words for the type of `{name}`")


def _bounds(field: Json) -> Iterator[str]:
    match field:
        case {"minimum": least, "maximum": most}:
            yield f"from {least:g} to {most:g}"
        case {"minimum": least}:
            yield f"from {least:g}"
        case {"exclusiveMinimum": least}:
            yield f"above {least:g}"


def _meanings() -> dict[str, dict[str, str]]:
    """What stands below the words of each enumeration of settings: Python forgets it, its source does not."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(config)).body:
        if isinstance(node, ast.ClassDef):
            for each in pairwise(node.body):
                match each:
                    case (ast.Assign(value=ast.Constant(value=str(word))), ast.Expr(ast.Constant(value=str(said)))):
                        found.setdefault(node.name, {})[word] = said
    return found


_WORDS = _meanings()

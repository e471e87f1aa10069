"""Settings out of a file: TOML in, a Config or every fault of it out. What was typed on the command line wins."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from engine.rules.suggest import one_of
from engine.serve.config import LOG_OFF, CallerSettings, Config, ConfigError, Issuer, Tls

SECTIONS: Mapping[str, type[Tls | Issuer | CallerSettings]] = {"tls": Tls, "issuers": Issuer, "callers": CallerSettings}
"""The settings that are tables themselves, each by its name."""
FILES_OR_ADDRESSES = {"log", "keys"}
"""Texts that are a path unless they are an address."""


def read_config(path: Path | None, overrides: Mapping[str, object]) -> Config:
    """The settings of a server: those of a TOML file, with `overrides` (by the names of Config) in place of its own.

    A path in the file is relative to the file; one in `overrides`, and one that is left out, to the working folder.
    Raises ConfigError, which names every fault.
    """
    if path is None:
        return Config(**overrides)
    said = _parsed(path)
    faults = [f"`{path}`: {fault}" for fault in _unknown_in_all(said)]
    try:
        config = Config(**{**_known(said, path.parent), **overrides})
    except ConfigError as error:
        raise ConfigError("; ".join([*faults, str(error)])) from None
    if faults:
        raise ConfigError("; ".join(faults))
    return config


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"`{path}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"`{path}` is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        raise ConfigError(f"`{path}` is not TOML: {said[:1].lower()}{said[1:]}") from None


def _tables(section: str, said: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables of a section, each with how it is told; what is no table at all is for Config to refuse."""
    content = said.get(section)
    listed = content if isinstance(content, list) else [content]
    for number, each in enumerate(listed):
        if isinstance(each, dict):
            yield f"{section}.{number}." if isinstance(content, list) else f"{section}.", each


def _unknown_in_all(said: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(Config, said, "")
    for section, shape in SECTIONS.items():
        for place, table in _tables(section, said):
            yield from _unknown(shape, table, place)


def _unknown(shape: type[Config | Tls | Issuer | CallerSettings], said: Mapping[str, Any], place: str) -> Iterator[str]:
    for name in sorted(said.keys() - shape.model_fields.keys()):
        help = one_of(name, shape.model_fields)
        yield f"there is no setting `{place}{name}`{f': {help}' if help else ''}"


def _known(said: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The settings that there are, with paths as they are seen from the working folder."""
    known = _placed(Config, said, folder)
    for section, shape in SECTIONS.items():
        content = known.get(section)
        if isinstance(content, dict):
            known[section] = _placed(shape, content, folder)
        elif isinstance(content, list):
            known[section] = [_placed(shape, each, folder) if isinstance(each, dict) else each for each in content]
    return known


def _placed(
    shape: type[Config | Tls | Issuer | CallerSettings], said: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    placed = {}
    for name, field in shape.model_fields.items():
        if name in said:
            value = said[name]
            is_path = Path in (field.annotation, *get_args(field.annotation))
            is_file = name in FILES_OR_ADDRESSES and isinstance(value, str) and value not in ("", LOG_OFF)
            if isinstance(value, str) and (is_path or (is_file and "://" not in value)):
                value = str(folder / value)
            placed[name] = value
    return placed

"""Files of the settings that somebody may replace while the server runs."""

from __future__ import annotations

from pathlib import Path

from engine.serve.config import ConfigError

Stamp = tuple[int, int, int]


class Watched:
    """Some files; `changed` tells once for each time that one of them is another than before."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._stamps = self._look()

    def changed(self) -> bool:
        """Looks without opening them. Read what changed after this, never before: then no change is missed."""
        before, self._stamps = self._stamps, self._look()
        return self._stamps != before

    def _look(self) -> tuple[Stamp | None, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> Stamp | None:
    """What tells a file from the one that stood there before; follows links, which are how some put files in place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_file(path: Path, largest: int) -> bytes:
    """Its bytes. Raises ConfigError when it cannot be read or is larger."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise ConfigError(f"`{path}` cannot be read: {error.strerror}") from None
    if len(content) > largest:
        raise ConfigError(f"`{path}` is larger than {largest} bytes")
    return content

"""From a release to the snapshot that a worker answers from: the cases were run, and the bytes are still the same."""

from __future__ import annotations

from datetime import date

from engine.errors import PluisError
from engine.serve.registry import Served, Snapshot, gather, load_version
from engine.serve.releases.release import ReleaseFault, ReleaseStore, Version
from engine.serve.standing import Requirement, read_trust_list


def read_release(store: ReleaseStore, id: str, day: date, required: frozenset[Requirement]) -> Snapshot:
    """All that a release serves, ready to decide; its problems are those of its making.

    Raises ReleaseFault when its files are not what was checked, or a version of it lacks what is required on this day:
    then nothing of it may be served.
    """
    release = store.whole(id)
    root = store.rulesets(id)
    remedy = "roll back to another release, or reload"
    found: list[Served] = []
    try:
        trust, _ = read_trust_list(root)
        for version in release.versions:
            served = load_version(root, root / version.folder, trust)
            found.append(served)
            wrong = _difference(version, served) or served.unmet(required, day)
            if wrong:
                raise ReleaseFault(f"{release.told} cannot be served: {version.folder}: {wrong}; {remedy}")
    except (PluisError, OSError) as error:
        for served in found:  # their engines' memory is not freed by itself
            served.evaluator.close()
        if isinstance(error, ReleaseFault):
            raise
        raise ReleaseFault(f"{release.told} cannot be read: {error}; {remedy}") from error
    return Snapshot(gather(found).versions, release.problems)


def _difference(version: Version, served: Served) -> str:
    """How what was loaded differs from what was checked, in words: another version of this program may read it so."""
    loaded = Version(served.id, served.version, served.digest, served.source)
    if loaded == version:
        return ""
    return f"it was checked as {version.id} {version.version} ({version.digest[:12]}), and is read as {loaded.id} " + (
        f"{loaded.version} ({loaded.digest[:12]})"
    )

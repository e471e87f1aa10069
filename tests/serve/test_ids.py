"""New ids: UUIDs as the standard has them, and never the same twice, in two processes neither."""

from __future__ import annotations

import os
from uuid import RFC_4122, UUID

from engine.serve.ids import new_id


def test_they_are_uuids_of_version_4() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    for each in made:
        read = UUID(each)
        assert (str(read), read.version, read.variant) == (each, 4, RFC_4122)
    assert {each[19] for each in made} == set("89ab")


def test_a_process_that_comes_of_another_has_its_own() -> None:
    new_id()  # others are drawn with it
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(new_id() for _ in range(200)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = set(pipe.read().split())
    os.waitpid(child, 0)
    assert len(theirs) == 200
    assert not theirs & {new_id() for _ in range(200)}

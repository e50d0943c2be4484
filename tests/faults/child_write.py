"""Writes a run of a given size; started by the tests where a disk is full or gone."""

import resource
import signal
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import OutputError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.runs.directory import Run, write_run

SHOWN = 2


def main(path: str, n_examples: str, limit: str) -> int:
    if int(limit):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    numbers = np.random.default_rng(3).random(int(n_examples))
    ids = pa.array([f"e{at}" for at in range(len(numbers))])
    side = Predictions(pa.table({"id": ids, "prediction": ids, "score": numbers}))
    try:
        run = Run(
            path=Path(path),
            comparison={"verdict": "none"},
            manifest={},
            examples=Examples(pa.table({"id": ids})),
            answers={"old": side, "new": side},
        )
        write_run(run, files={"report.html": b"<p>"}, overwrite=True)
    except OutputError as error:
        sys.stderr.write(f"{error}\n")
        return SHOWN
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

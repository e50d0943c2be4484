"""Processor seconds and memory to read 100 MB of samples of lm-evaluation-harness.

Of all threads together: no less than the time that passes on an idle machine.

python benchmarks/log_samples.py --runs 5
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asked import LOG_MEMORY, LOG_SECONDS
from record import record

MEGABYTES = 100
LIMIT_SECONDS, LIMIT_BYTES = 3.0, 600e6
PROMPT_WORDS = 375

READ = """
import resource, sys, time
from compat_eval.core.recorded import Request
from compat_eval.readers.files import read
start = time.process_time()
side = read(sys.argv[1], Request(name="samples", proposed=True, keep=KEEP))
seconds = time.process_time() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def choices(at: int, prompt: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Yield a document with four choices, each with the prompt before it."""
    said = [-20 * rng.random() for _ in range(4)]
    right = float(said.index(max(said)) == at % 4)
    arguments = {
        f"gen_args_{i}": {"arg_0": prompt, "arg_1": f" choice {i} of {at}"}
        for i in range(4)
    }
    yield {
        "target": str(at % 4),
        "arguments": arguments,
        "resps": [[[str(one), "False"]] for one in said],
        "filtered_resps": [[str(one), "False"] for one in said],
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "acc": right,
        "acc_norm": right,
    }


def texts(_: int, prompt: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Yield a document with a text as answer, through two filters."""
    answer = str(rng.randrange(3))
    settings = {"until": ["\n"], "do_sample": False}
    for name in ("strict-match", "flexible-extract"):
        yield {
            "target": "1",
            "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": settings}},
            "resps": [["Let me think. " * 20 + answer]],
            "filtered_resps": [answer],
            "filter": name,
            "metrics": ["exact_match"],
            "exact_match": float(answer == "1"),
        }


def write_samples(path: Path, kind: Any) -> None:  # noqa: ANN401 - a function above
    """Write samples until the file is large enough."""
    rng = random.Random(0)  # noqa: S311 - made-up words
    shots = " ".join(f"word{rng.randrange(2000)}" for _ in range(PROMPT_WORDS))
    at, n_bytes = 0, 0
    with path.open("w", encoding="utf-8") as file:
        while n_bytes < MEGABYTES * 1e6:
            doc = {"question": f"Question {at}", "subject": f"subject {at % 20}"}
            for rest in kind(at, f"{shots} Question {at}:", rng):
                row = {"doc_id": at, "doc": doc, "doc_hash": f"{at:064x}", **rest}
                n_bytes += file.write(json.dumps(row) + "\n")
            at += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    for kind, keep in ((choices, {}), (texts, {"filter": "strict-match"})):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "samples_task.jsonl")
            write_samples(path, kind)
            program = READ.replace("KEEP", repr(keep))
            command = [sys.executable, "-c", program, str(path)]
            found = []
            for _ in range(runs):
                told = subprocess.run(
                    command, check=True, capture_output=True, text=True
                )
                found.append([float(word) for word in told.stdout.split()])
        seconds, peaks = zip(*found, strict=True)
        for name, values, limit in (
            (LOG_SECONDS, seconds, LIMIT_SECONDS),
            (LOG_MEMORY, peaks, LIMIT_BYTES),
        ):
            row = record(
                f"{name} ({kind.__name__})",
                values,
                [limit] * runs,
                higher_is_better=False,
                packages=("pyarrow",),
            )
            print(row)


if __name__ == "__main__":
    main()

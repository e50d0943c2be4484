"""A federation's directory whose numbers are known, without torch."""

import json
import math
from collections.abc import Callable
from pathlib import Path

from compat_eval.federated.stream import MeasuredStream, period_folder, stream_digest

# Lopez-Paz and Ranzato's form: perplexity of row's model on column's period.
UNTRAINED = [90.0, 90.0, 90.0]
MATRIX = [[20.0, 60.0, 80.0], [25.0, 30.0, 70.0], [30.0, 33.0, 28.0]]
NAMES = ("1", "2", "3")
SUITE = """name: stream
version: "1"
task: {kind: language_modeling}
data: {test: {file: test.jsonl}}
fields: {id: id, input: input, cluster: client}
slices: {period: period}
"""


def write_stream(
    out: Path,
    *,
    clients: int = 40,
    noise: Callable[[int, int], float] = lambda *_: 1.0,
) -> MeasuredStream:
    """Write a federation of as many clients, with one document of each a period."""
    out.mkdir(exist_ok=True)
    rows = [
        {
            "id": f"{period}-{client}",
            "input": "a text",
            "client": f"c{client}",
            "period": NAMES[period],
        }
        for period in range(3)
        for client in range(clients)
    ]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (out / "test.jsonl").write_text(lines)
    (out / "suite.yaml").write_text(SUITE)
    for model, perplexities in enumerate([UNTRAINED, *MATRIX]):
        place = out if model == 0 else period_folder(out, NAMES[model - 1])
        place.mkdir(exist_ok=True)
        path = place / ("untrained.jsonl" if model == 0 else "answers.jsonl")
        answers = [
            {
                "id": f"{period}-{client}",
                "nll": 10 * math.log(perplexities[period]) * noise(period, client),
                "n_tokens": 10,
            }
            for period in range(3)
            for client in range(clients)
        ]
        path.write_text("".join(f"{json.dumps(one)}\n" for one in answers))
    write_results(out)
    return MeasuredStream.read(out, NAMES)


def write_results(out: Path) -> None:
    """Write what the federation found, of the answers as they stand."""
    found = {"periods": NAMES, "files": stream_digest(out, NAMES)}
    (out / "federation.json").write_text(json.dumps(found))


def jittered(period: int, client: int) -> float:
    """Return a factor with a mean of about 1, the same for all models."""
    return 1.0 + 0.02 * math.sin(7 * client + period)

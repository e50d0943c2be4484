"""Make tests/unit/adapters/huggingface/fixtures/lm_eval.json with lm-eval itself.

    python benchmarks/lm_eval_likelihoods.py [--peer PYTHON]

The log-likelihoods that lm-evaluation-harness 0.4.13 (`loglikelihood_rolling`) gives
texts under the tiny model of tests/unit/adapters/tiny_gpt.py: empty, of one token, as
long as the context, and longer, so that they are read in several windows. `--peer`
names a Python that has lm-eval; without it an environment is made.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from environments import version_of
from lm_scoring import Theirs, peer_environment

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.unit.adapters.tiny_gpt import CONTEXT, make_tiny_gpt  # noqa: E402 - above

FIXTURE = ROOT / "tests/unit/adapters/huggingface/fixtures/lm_eval.json"
TEXTS = [
    "",
    "a",
    "The council met on Monday.",
    "x" * (CONTEXT - 1),
    "x" * CONTEXT,
    "x" * (CONTEXT + 1),
    "Naïve café, 東京 😀",
    (
        "The library opens at nine and closes at six; "
        "on Thursdays it stays open until ten."
    ),
    "A long one. " * 20,
]


def main() -> None:
    """Ask lm-eval, and write what it said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="a Python that has lm-eval")
    python = parser.parse_args().peer or peer_environment()
    with tempfile.TemporaryDirectory() as folder:
        directory = make_tiny_gpt(Path(folder) / "model")
        theirs = Theirs(python, directory, TEXTS, threads=1)
        _, found = theirs.run(1)
        theirs.stop()
    made_by = [version_of(python.parent, name) for name in ("lm_eval", "torch")]
    told = {"made_by": made_by, "texts": TEXTS, "log_likelihoods": found}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    FIXTURE.write_text(f"{text}\n", "utf-8")
    print(f"wrote {FIXTURE.relative_to(ROOT)}: {found}")


if __name__ == "__main__":
    main()

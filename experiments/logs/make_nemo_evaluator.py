"""Write the bundles of NeMo Evaluator that tests read, by the tool itself.

In an environment with nemo-evaluator 0.3.0:
python experiments/logs/make_nemo_evaluator.py tests/fixtures/logs/nemo_evaluator
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from nemo_evaluator.engine.artifacts import write_all
from nemo_evaluator.engine.eval_loop import run_evaluation
from nemo_evaluator.environments.custom import BenchmarkDefinition, ByobEnvironment
from nemo_evaluator.errors import GracefulError, InfraError
from nemo_evaluator.solvers.base import SolveResult

ROWS = [
    {"q": f"{i} + {i}", "target": str(2 * i), "category": "odd" if i % 2 else "even"}
    for i in range(6)
]
WRONG = {"old": {1, 4}, "new": {2, 4}}
"""Problems that a side gets wrong in its first two answers."""


class Adder:
    """Answers; OLD runs out of turns once, NEW loses its endpoint once."""

    def __init__(self, wrong: set[int]) -> None:
        self.wrong = wrong
        self.n_calls = dict.fromkeys(range(len(ROWS)), 0)

    async def solve(self, task: Any) -> SolveResult:  # noqa: ANN401
        at = next(i for i, row in enumerate(ROWS) if row["q"] in task.prompt)
        self.n_calls[at] += 1
        first = self.n_calls[at] == 1
        if first and at == 5 and 1 in self.wrong:  # noqa: PLR2004
            raise GracefulError("turn budget exhausted")
        if first and at == 0 and 2 in self.wrong:  # noqa: PLR2004
            raise InfraError("endpoint is gone")
        return SolveResult(
            response=f"It is {2 * at + (at in self.wrong and self.n_calls[at] < 3)}."  # noqa: PLR2004
        )


def last_word(sample: Any) -> dict[str, Any]:  # noqa: ANN401
    found = sample.response.split()[-1].rstrip(".")
    return {"correct": found == sample.target, "extracted": found}


def nearness(sample: Any) -> dict[str, Any]:  # noqa: ANN401
    found = int(sample.response.split()[-1].rstrip("."))
    return {"reward": 1 / (1 + abs(found - int(sample.target)))}


async def main(folder: Path) -> None:
    for side, wrong in WRONG.items():
        for name, scorer, n_repeats in (
            ("adding", last_word, 1),
            ("adding_often", last_word, 3),
            ("near", nearness, 1),
        ):
            benchmark = BenchmarkDefinition(
                name=name,
                dataset=lambda: ROWS,
                prompt="What is {q}?",
                scorer_fn=scorer,
            )
            bundle = await run_evaluation(
                ByobEnvironment(benchmark),
                Adder(wrong),
                n_repeats=n_repeats,
                skip_failed=True,
                max_system_retries=1,
                max_concurrent=1,
                config={
                    "benchmark": name,
                    "model": f"{side}-model",
                    "repeats": n_repeats,
                    "temperature": {"old": 0.0, "new": 0.7}[side],
                },
            )
            for kind, path in write_all(bundle, folder / side / name).items():
                if kind not in {"bundle", "results"}:
                    path.unlink()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

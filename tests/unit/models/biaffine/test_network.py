import itertools

import pytest
import torch
from torch.nn.functional import bilinear

from compat_eval.models.biaffine.network import BiaffineNetwork
from compat_eval.models.parsing.batching import SentenceBatch, batch_of
from compat_eval.models.parsing.sentence import sentence_from
from compat_eval.models.training.objectives.parsing import arc_and_label_loss
from tests.unit.models.parser_toys import sentence, untrained

CPU = torch.device("cpu")
PARSER = untrained()
NETWORK: BiaffineNetwork = PARSER.network
ITEMS = PARSER.encode(
    [
        sentence("a1/ADJ", "n1/NOUN", "v2/VERB", "r1/ADV"),
        sentence("n3/NOUN", "v1/VERB"),
    ]
)
BATCH = batch_of(ITEMS, CPU)


def nats_of(batch: SentenceBatch) -> torch.Tensor:
    return NETWORK.scored(NETWORK.encode(batch), batch.mask)


def test_arc_scores_are_the_papers_formula() -> None:
    views = NETWORK.encode(BATCH)
    d, h = views.arc_dependent[0, 2], views.arc_head[0, 4]

    score = NETWORK.arc_scores(views, BATCH.mask)[0, 2, 4]

    weight, bias = NETWORK.arc[:-1], NETWORK.arc[-1]
    assert score.item() == pytest.approx((d @ weight @ h + bias @ h).item(), rel=1e-5)


def test_label_scores_are_the_papers_formula() -> None:
    views = NETWORK.encode(BATCH)
    d, h = views.label_dependent[0, 2], views.label_head[0, 4]
    one = torch.ones(1)

    scores = NETWORK.label_scores(views)[0, 1, 4]

    weight = NETWORK.label.transpose(0, 1)
    expected = bilinear(torch.cat([d, one])[None], torch.cat([h, one])[None], weight)
    assert scores.tolist() == pytest.approx(expected[0].tolist(), rel=1e-4)


def test_labels_on_given_arcs_are_those_of_the_whole_table() -> None:
    views = NETWORK.encode(BATCH)
    heads = torch.tensor([[0, 2, 3, 0, 3], [0, 2, 0, 0, 0]])

    some = NETWORK.label_scores_at(views, heads)[:, 1:]

    table = NETWORK.label_scores(views)
    rows, words = torch.arange(2)[:, None], torch.arange(4)
    assert torch.allclose(some, table[rows, words, heads[:, 1:]], atol=1e-4)


def test_padding_and_the_word_itself_are_no_heads() -> None:
    scores = nats_of(BATCH)

    possible = (scores > -torch.inf).all(dim=-1)
    assert possible[1, 1].tolist() == [True, True, False, False, False]
    assert not possible[0, 3, 4]
    assert not torch.isnan(scores).any()


def test_probabilities_of_a_words_labelled_arcs_sum_to_one() -> None:
    total = nats_of(BATCH).flatten(2).exp().sum(dim=-1)

    assert total[0].tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert total[1, :2].tolist() == pytest.approx([1.0] * 2, abs=1e-5)


def test_the_loss_is_minus_log_p_of_gold_for_a_word() -> None:
    heads = torch.tensor([[0, 2, 3, 0, 3], [0, 2, 0, 0, 0]])
    labels = torch.tensor([[0, 1, 2, 3, 0], [0, 2, 3, 0, 0]])

    views, real = NETWORK.encode(BATCH), BATCH.is_word
    loss = arc_and_label_loss(
        NETWORK.arc_scores(views, BATCH.mask)[real],
        NETWORK.label_scores_at(views, heads)[real],
        heads[real],
        labels[real],
    )

    nats = nats_of(BATCH)
    words = [*itertools.product([0], range(4)), *itertools.product([1], range(2))]
    gold = [nats[s, w, heads[s, w + 1], labels[s, w + 1]] for s, w in words]
    assert loss.item() == pytest.approx(-torch.stack(gold).mean().item(), rel=1e-4)


def test_a_sentence_without_words_has_an_empty_table() -> None:
    empty = PARSER.vocabulary.encode(sentence_from(sentence()))

    assert nats_of(batch_of([empty], CPU)).shape[:3] == (1, 0, 1)

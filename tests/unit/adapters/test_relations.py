import pytest

from compat_eval.adapters.relations import suite_relations
from compat_eval.core.errors import ModelError


def test_one_map_may_serve_two_parsers() -> None:
    named = {"dobj": "obj", "pobj": "obl"}

    assert suite_relations(["obj", "pobj"], named, reference="m") == {
        "obj": "obj",
        "pobj": "obl",
    }
    with pytest.raises(ModelError, match=r"m: the label map names 'pobj'.*it has dobj"):
        suite_relations(["dobj"], named, reference="m")


def test_the_map_goes_before_what_is_known() -> None:
    given = {"ROOT": "sentence"}

    found = suite_relations(["ROOT"], given, reference="m", known={"ROOT": "root"})

    assert found == given

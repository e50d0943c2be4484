from compat_eval.comparison.index_matrix.roles import IndexRoles


def test_every_version_is_asked_on_every_index_but_where_that_cannot_be() -> None:
    roles = IndexRoles(
        versions=("v1", "v2"), n_documents=3, left_out={"v2/v1": "dimensions"}
    )

    assert roles.cells() == {
        ("v1", "v1"): "v1",
        ("v1", "v2"): "v1/v2",
        ("v2", "v2"): "v2",
    }
    assert list(roles.roles()) == ["v1", "v2", "v1/v2"]


def test_they_are_read_back() -> None:
    roles = IndexRoles(
        versions=("old", "new"), n_documents=3, own_corpus=True, paragon=True
    )

    assert IndexRoles.from_dict(roles.to_dict()) == roles
    assert list(roles.roles())[-1] == "paragon"

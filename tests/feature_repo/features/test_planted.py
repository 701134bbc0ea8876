"""The planted leak is one feature that knows tomorrow, under a hash of its own."""

import numpy as np

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.planted import LEAKED, groups_of, leaked_hash, with_leak


def test_one_feature_knows_tomorrow_and_the_others_are_the_same(world) -> None:
    arrays = world.sources("technical")
    honest, leaking = GROUPS["technical"].compute(arrays), with_leak()["technical"].compute(arrays)
    changed = {n for n, v in honest.items() if not np.array_equal(leaking[n], v, equal_nan=True)}
    assert LEAKED in changed
    assert not changed & {"rsi_14", "hv_20", "returns_5d", "adx_14"}
    np.testing.assert_allclose(leaking[LEAKED][1:-1], honest[LEAKED][2:], rtol=1e-12)


def test_the_hash_tells_which_definitions_a_view_was_built_by() -> None:
    assert leaked_hash() != definition_hash()
    assert groups_of(definition_hash()) == GROUPS
    assert groups_of(leaked_hash()) is not None
    assert groups_of("0" * 64) is None

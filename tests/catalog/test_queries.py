"""A shop's correction of query vectors: stored, taken up, and left out where it does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.models import EMBEDDING_DIMENSIONS, Shop
from catalog.queries import Correction, corrected, save

SHOP = Shop(slug="alpina")


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path) -> None:
    settings.QUERIES_DIR = tmp_path


def unit(place: int) -> np.ndarray:
    vector = np.zeros(EMBEDDING_DIMENSIONS, dtype=np.float32)
    vector[place] = 1
    return vector


def turning(source: int, target: int, width: int = EMBEDDING_DIMENSIONS) -> Correction:
    """Adds the direction ``target`` to what points in the direction ``source``."""
    down, up = np.zeros((width, 1), dtype=np.float32), np.zeros((1, width), dtype=np.float32)
    down[source, 0] = up[0, target] = 1
    return Correction(down, up)


def test_without_a_correction_a_query_goes_as_it_is() -> None:
    vector = unit(0)
    assert corrected(SHOP, vector) is vector


def test_a_stored_correction_turns_its_own_shop_s_queries() -> None:
    save(SHOP, turning(0, 1), {"seed": 0})
    np.testing.assert_allclose(corrected(SHOP, unit(0)), (unit(0) + unit(1)) / np.sqrt(2), atol=1e-6)
    np.testing.assert_allclose(corrected(SHOP, unit(2)), unit(2))
    np.testing.assert_allclose(corrected(Shop(slug="other"), unit(0)), unit(0))


def test_a_new_correction_takes_the_place_of_the_old_one() -> None:
    save(SHOP, turning(0, 1), {})
    corrected(SHOP, unit(0))
    save(SHOP, turning(0, 2), {})
    assert corrected(SHOP, unit(0))[2] == pytest.approx(1 / np.sqrt(2))


def test_a_damaged_or_foreign_correction_is_left_out() -> None:
    folder = save(SHOP, turning(0, 1, width=8), {})
    np.testing.assert_array_equal(corrected(SHOP, unit(0)), unit(0))
    (folder / "correction.npz").write_bytes(b"not an archive")
    np.testing.assert_array_equal(corrected(SHOP, unit(0)), unit(0))

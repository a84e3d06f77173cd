"""The speech recogniser's real code over a tiny Whisper, made, taught two words and saved here: a low tone and a high one.

No real weights can be had offline; what is shown is that recordings are read, heard, and doubted where they should be.
"""

from __future__ import annotations

import io
import math
import time

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
)

from botcore.dialogue.ports import RecordingError
from workers.engine.whisper import LONGEST, RATE, WhisperRecogniser, decoded

END, START, ENGLISH, CHINESE, WRITE, SILENT, NO_TIMES = (
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|transcribe|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
SPECIAL = (START, ENGLISH, CHINESE, "<|translate|>", WRITE, SILENT, NO_TIMES)
SPOKEN = {300: (ENGLISH, "a low one"), 2400: (CHINESE, "高的")}
"""By the tone's frequency: the language and what it says."""


def tone(frequency: float, seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def recorded(sound: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind, subtype=subtype)
    return file.getvalue()


def tokenizer() -> WhisperTokenizer:
    vocabulary = {letter: place for place, letter in enumerate(sorted(ByteLevel.alphabet()))}
    made = WhisperTokenizer(vocab=vocabulary | {END: len(vocabulary)}, merges=[])
    made.add_tokens(list(SPECIAL), special_tokens=True)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that has learned to write down the two tones, and to call silence silence."""
    torch.manual_seed(0)
    words, features = tokenizer(), WhisperFeatureExtractor(chunk_length=4)
    ids = {name: words.convert_tokens_to_ids(name) for name in (END, *SPECIAL)}
    ends = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), ids[END])
    size = {"d_model": 32, "num_mel_bins": 80, "max_source_positions": 200, "max_target_positions": 40}
    parts = {f"{part}_{name}": n for part in ("encoder", "decoder") for name, n in
             (("layers", 1), ("attention_heads", 2), ("ffn_dim", 48))}  # fmt: skip
    config = WhisperConfig(
        vocab_size=len(words), decoder_start_token_id=ids[START], suppress_tokens=None, begin_suppress_tokens=None,
        **size, **parts, **ends,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    sounds = [*map(tone, SPOKEN), np.zeros(RATE, dtype=np.float32)]
    heard = features(sounds, sampling_rate=RATE, return_tensors="pt")["input_features"]
    texts = [
        [ids[s], ids[WRITE], ids[NO_TIMES], *words.encode(t, add_special_tokens=False)] for s, t in SPOKEN.values()
    ]
    rows = [[*text, ids[END]] for text in texts] + [[ids[SILENT], ids[END]]]
    labels = torch.full((len(rows), max(map(len, rows))), -100)
    for row, tokens in enumerate(rows):
        labels[row, : len(tokens)] = torch.tensor(tokens)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(250):
        optimiser.zero_grad()
        model(input_features=heard, labels=labels).loss.backward()
        optimiser.step()
    model.generation_config = GenerationConfig(
        decoder_start_token_id=ids[START],
        is_multilingual=True,
        lang_to_id={name: ids[name] for name in (ENGLISH, CHINESE)},
        task_to_id={"transcribe": ids[WRITE], "translate": ids["<|translate|>"]},
        no_timestamps_token_id=ids[NO_TIMES],
        max_length=36,
        **ends,
    )
    place = tmp_path_factory.mktemp("models") / "small-whisper"
    model.save_pretrained(place)
    WhisperProcessor(features, words).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def recogniser(folder):
    return WhisperRecogniser(folder)


def hear(recogniser, sound, **how):
    return recogniser.hear(recorded(sound, **how), deadline=time.monotonic() + 30)


@pytest.mark.parametrize(("frequency", "language", "text"), [(300, "en", "a low one"), (2400, "zh", "高的")])
def test_what_is_said_is_written_down_in_its_language(recogniser, frequency, language, text):
    heard = hear(recogniser, tone(frequency))
    assert (heard.text, heard.language, heard.sure) == (text, language, True)
    assert math.exp(-1) < heard.confidence <= 1


@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("OGG", "OPUS", 48_000),
        ("OGG", "VORBIS", 44_100),
        ("WAV", None, 8_000),
        ("FLAC", None, 22_050),
        ("MP3", None, 44_100),
    ],
)
def test_every_format_and_rate_is_heard(recogniser, kind, subtype, rate):
    assert hear(recogniser, tone(300, rate=rate), rate=rate, kind=kind, subtype=subtype).text == "a low one"


def test_weights_of_half_precision_hear_as_well(folder, tmp_path):
    WhisperForConditionalGeneration.from_pretrained(folder).half().save_pretrained(tmp_path)
    WhisperProcessor.from_pretrained(folder).save_pretrained(tmp_path)
    heard = hear(WhisperRecogniser(tmp_path), tone(2400))
    assert (heard.text, heard.sure) == ("高的", True)


def test_two_channels_are_heard_as_one(recogniser):
    assert hear(recogniser, np.stack([tone(300), tone(300)], axis=1)).text == "a low one"


def test_silence_is_no_words(recogniser):
    heard = hear(recogniser, np.zeros(RATE, dtype=np.float32))
    assert (heard.text, heard.sure) == ("", False)


def test_what_the_model_doubts_is_not_sure(folder, tmp_path):
    doubting = WhisperRecogniser(folder)
    for weights in doubting._model.parameters():
        weights.data *= 0.5
    heard = hear(doubting, tone(300))
    assert not heard.sure
    assert heard.confidence < math.exp(-1)


def test_a_long_message_is_heard_window_by_window(recogniser):
    heard = hear(recogniser, np.concatenate([tone(300, 4), tone(300, 2)]))
    assert (heard.text.count("one"), heard.language) == (2, "en")


def test_what_is_not_written_down_in_time_is_not_sure(recogniser):
    heard = recogniser.hear(recorded(tone(300)), deadline=time.monotonic() - 1)
    assert (heard.text, heard.sure) == ("", False)


@pytest.mark.parametrize(
    ("recording", "why"),
    [
        (b"", "no recording"),
        (b"OggS" + bytes(200), "no recording"),
        (b"<html>", "no recording"),
        (recorded(tone(300))[:50], "no recording|empty"),
        (recorded(np.zeros(0, dtype=np.float32)), "empty"),
        (recorded(np.zeros((RATE, 4), dtype=np.float32)), "4 channels"),
        (recorded(tone(300, rate=4_000), rate=4_000), "4000 Hz"),
        (recorded(tone(300, 0.1), rate=384_000), "384000 Hz"),
        (recorded(np.full(RATE, np.nan, dtype=np.float32), subtype="FLOAT"), "empty"),
        (recorded(np.zeros((LONGEST + 1) * 8_000, dtype=np.float32), rate=8_000, kind="FLAC"), "longer than 120"),
    ],
)
def test_what_is_no_voice_message_is_refused(recording, why):
    with pytest.raises(RecordingError, match=why):
        decoded(recording)


def test_sound_is_brought_to_the_model_s_rate():
    sound = decoded(recorded(tone(300, 2, rate=44_100), rate=44_100))
    assert len(sound) == pytest.approx(2 * RATE, abs=2)
    assert np.abs(np.fft.rfft(sound)).argmax() == pytest.approx(600, abs=2)


WHOLE = [recorded(tone(300, rate=48_000), 48_000, *kind) for kind in (("WAV",), ("FLAC",), ("OGG", "OPUS"), ("MP3",))]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_recordings_are_read_or_refused_and_nothing_else(data):
    content = bytearray(data.draw(st.sampled_from(WHOLE)))
    for place in data.draw(st.lists(st.integers(0, min(len(content), 400) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        sound = decoded(bytes(content))
    except RecordingError:
        return
    assert len(sound) <= LONGEST * RATE + 1
    assert np.isfinite(sound).all()

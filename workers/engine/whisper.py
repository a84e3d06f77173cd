"""Words of recordings from a model of the Whisper family (Radford et al. 2022) in a folder as ``transformers`` saves it.

``load_speech_recogniser`` in the package makes the one instance of a process.
"""

from __future__ import annotations

import io
import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from scipy.signal import resample_poly
from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

from botcore.dialogue.ports import Heard, RecordingError
from workers.engine.weights import named

Floats = npt.NDArray[np.float32]

RATE = 16_000
LONGEST = 120
"""Seconds of a voice message; a longer one is refused rather than cut, since half of it may say the opposite."""
SHORTEST = 0.1
RATES, CHANNELS = range(8_000, 96_001), 2
"""What recordings of voice have. A file may claim anything, and its claims decide how much memory it takes."""
SURE, SILENT = -1.0, 0.6
"""Mean log probability (nats) of a token below which nothing was understood, and probability of no speech above which
nothing was said: the thresholds of the reference implementation (openai/whisper, transcribe.py). It lets likely words
outweigh silence; here they do not, for what a model hears in silence is likely, too."""


@dataclass(frozen=True)
class _Window:
    """What one window said; ``finished`` before the deadline, at the end of the text."""

    text: str
    language: str
    likelihoods: tuple[float, ...]
    silence: float
    finished: bool


class WhisperRecogniser:
    """``botcore.dialogue.ports.SpeechRecogniser``. Safe to call from many threads, one of which computes."""

    def __init__(self, folder: Path) -> None:
        """Weights are read from safetensors alone."""
        self.name = named(folder)
        self._processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
        self._window_samples = int(self._processor.feature_extractor.n_samples)  # what the model hears at once: 30 s
        self._model = AutoModelForSpeechSeq2Seq.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        ).eval()
        self._lock = threading.Lock()

    def hear(self, recording: bytes, *, deadline: float) -> Heard:
        """Ogg (Opus, Vorbis), WAV, MP3 or FLAC of at most two minutes. Raises ``RecordingError`` for anything else."""
        sound = decoded(recording)
        windows = list[_Window]()
        with self._lock, torch.inference_mode():
            for start in range(0, len(sound), self._window_samples):
                windows.append(self._window(sound[start : start + self._window_samples], deadline))
                if not windows[-1].finished:
                    break
        return _heard(windows)

    def _window(self, sound: Floats, deadline: float) -> _Window:
        config = self._model.generation_config
        if time.monotonic() >= deadline:
            return _Window("", "", (), 0.0, finished=False)
        features = self._processor(sound, sampling_rate=RATE, return_tensors="pt")["input_features"]
        states = self._model.get_encoder()(features)
        first = torch.tensor([[config.decoder_start_token_id]])
        logits = self._model(encoder_outputs=states, decoder_input_ids=first).logits[0, -1]
        language = _likeliest(logits, config)
        told = {"language": language, "task": "transcribe"} if language else {}
        written = self._model.generate(
            features,
            encoder_outputs=states,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
            max_time=max(0.0, deadline - time.monotonic()),
            **told,
        )
        tokens = written["sequences"][0, -len(written["scores"]) :].tolist()
        chances = torch.stack(written["scores"])[:, 0].log_softmax(-1)
        likelihoods = tuple(float(chances[place, token]) for place, token in enumerate(tokens))
        return _Window(
            text=self._processor.tokenizer.decode(tokens, skip_special_tokens=True).strip(),
            language=language,
            likelihoods=likelihoods,
            silence=_silence(logits, config),
            finished=tokens[-1] in np.atleast_1d(config.eos_token_id),
        )


def decoded(recording: bytes) -> Floats:
    """A recording as one channel of 16 kHz, in -1 to 1. Raises ``RecordingError`` where it is none, or too long."""
    try:
        with soundfile.SoundFile(io.BytesIO(recording)) as file:
            if file.samplerate not in RATES or file.channels > CHANNELS:
                raise RecordingError(f"{file.channels} channels of {file.samplerate} Hz are no voice message")
            sound = file.read(LONGEST * file.samplerate + 1, dtype="float32", always_2d=True).mean(axis=1)
            rate = int(file.samplerate)
    except soundfile.SoundFileError:
        raise RecordingError("no recording that can be read") from None
    if len(sound) > LONGEST * rate:
        raise RecordingError(f"longer than {LONGEST} seconds")
    if len(sound) < SHORTEST * rate or not np.isfinite(sound).all():
        raise RecordingError("an empty recording")
    common = math.gcd(rate, RATE)
    return np.asarray(resample_poly(sound, RATE // common, rate // common), dtype=np.float32).clip(-1, 1)


def _likeliest(logits: torch.Tensor, config: Any) -> str:
    """The language that is spoken, ISO 639-1; "" for a model that knows one alone."""
    languages = getattr(config, "lang_to_id", None) or {}
    if not getattr(config, "is_multilingual", False) or not languages:
        return ""
    return str(max(languages, key=lambda name: float(logits[languages[name]]))).strip("<|>")


def _silence(logits: torch.Tensor, config: Any) -> float:
    """The probability that nobody speaks; its token stands before the one that says "no timestamps"."""
    token = getattr(config, "no_timestamps_token_id", None)
    return float(logits.softmax(-1)[token - 1]) if token else 0.0


def _heard(windows: list[_Window]) -> Heard:
    """The windows' words together; windows in which nobody spoke are left out."""
    spoken = [window for window in windows if window.silence < SILENT]
    likelihood = _mean(tuple(one for window in spoken for one in window.likelihoods))
    text = " ".join(filter(None, (window.text for window in spoken)))
    finished = all(window.finished for window in windows)
    return Heard(
        text=text,
        language=next((window.language for window in spoken), ""),
        confidence=math.exp(likelihood),
        sure=bool(text) and finished and likelihood > SURE,
    )


def _mean(likelihoods: tuple[float, ...]) -> float:
    return sum(likelihoods) / len(likelihoods) if likelihoods else -math.inf

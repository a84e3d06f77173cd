"""Makes the bridge by which Chinese enters the sentence encoder's space (``workers/engine/encoder.py``).

    python -m workers.training.bridge [--data FOLDER]

The multilingual model puts a Chinese text near its English translation; MiniLM, which reads English better, has a space
of its own. A ridge regression from the first space into the second, learned on English texts read by both, carries
Chinese over without a single pair of translations. Needs ``../shared/data``; three minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from botcore.dialogue.words import CHINESE, ENGLISH_WORDS
from workers.engine.encoder import BRIDGE, Floats, SentenceEncoder, carried_over, load_multilingual, multilingual
from workers.training.provenance import code_revision, sha256
from workers.training.pscon import SHARED_DATA, read_pscon
from workers.training.stance import MESSAGES, read_messages

RIDGE = 1.0
HELD_OUT = 2000
"""Texts that the regression does not see, by which it is judged."""
SEED = 1
SOURCES = {
    "aws-retail-demo": "MIT-0",
    "pscon": "PSCon (Zou et al., SIGIR 2025), CC-BY-4.0",
    "bitext-support": "CDLA-Sharing-1.0: weights are Results (1.11), on which it lays no obligations (3.5)",
    "iard": "IARD (Cai & Chen, UMAP 2020), MIT, Copyright (c) 2020 wanlingcai1997",
    "workers/training/stance_messages": "this project",
    "botcore/dialogue/data/english_words.txt": "BERT's vocabulary, Apache-2.0",
}


def english_texts(folder: Path) -> list[str]:
    """What customers and shops say in English: messages, titles, descriptions, single words; each once, in a fixed order."""
    found = dict.fromkeys(text.strip() for text in _told(folder) if text and text.strip())
    return sorted(text for text in found if not CHINESE.search(text))


def _told(folder: Path) -> Iterator[str]:
    for product in yaml.safe_load((folder / "aws-retail-demo" / "products.yaml").read_text(encoding="utf-8")):
        yield from (product["name"], product["description"])
    pscon = read_pscon(folder / "pscon")
    yield from pscon.titles.values()
    yield from (line.text for conversation in pscon.conversations for line in conversation.lines)
    for path in sorted((folder / "bitext-support").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as rows:
            yield from (row["utterance"] for row in csv.DictReader(rows))
    yield from _strings(json.loads((folder / "iard" / "umap2020_IARD_Cai.json").read_text(encoding="utf-8")))
    for message in read_messages(MESSAGES):
        yield from (message.text, *(message.text[m.start : m.end] for m in message.mentions))
    yield from ENGLISH_WORDS


def _strings(node: object) -> Iterator[str]:
    """Every text below a node of JSON."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for below in node.values() if isinstance(node, dict) else node:
            yield from _strings(below)


def fitted(multilingual_vectors: Floats, english_vectors: Floats) -> Floats:
    """Ridge regression with a constant as its last row, shape ``(513, 384)``."""
    inputs = np.hstack([multilingual_vectors, np.ones((len(multilingual_vectors), 1), dtype=np.float32)])
    gram = inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1], dtype=np.float32)
    weights: Floats = np.linalg.solve(gram, inputs.T @ english_vectors)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA)
    options = parser.parse_args()
    texts = english_texts(options.data)
    np.random.default_rng(SEED).shuffle(texts)
    theirs, ours = multilingual(load_multilingual(), texts), SentenceEncoder().encode(texts)
    weights = fitted(theirs[:-HELD_OUT], ours[:-HELD_OUT]).astype(np.float16)
    agreed = (carried_over(theirs[-HELD_OUT:], weights.astype(np.float32)) * ours[-HELD_OUT:]).sum(axis=1)
    np.savez_compressed(BRIDGE, weights=weights)
    meta = {
        "texts": len(texts),
        "held_out": HELD_OUT,
        "mean_cosine_held_out": round(float(agreed.mean()), 3),
        "ridge": RIDGE,
        "sources": SOURCES,
        "sha256": {
            path.relative_to(options.data).as_posix(): sha256(path)
            for source in SOURCES
            for path in sorted((options.data / source).glob("*.*"))
        },
        "code": code_revision(),
    }
    BRIDGE.with_suffix(".json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(texts)} texts; {HELD_OUT} held out: mean cosine {agreed.mean():.3f}")  # noqa: T201


if __name__ == "__main__":
    main()

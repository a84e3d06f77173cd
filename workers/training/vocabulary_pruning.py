"""Vocabulary pruning: a model keeps the tokens that a shop's talk can need, and forgets the rows of all others.

A byte-level BPE can spell any text in its letters, so what is lost is brevity alone: a word whose token is gone is written in
pieces. Merges are kept with everything they are made from, which keeps the splitting of all other text as it was.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from botcore.dialogue import vocabulary
from botcore.dialogue.state import Act
from workers.engine import artefacts

EMBEDDINGS = ("model.embed_tokens.weight", "lm_head.weight")
"""Of one row a token, in every architecture that the engines serve."""
CONTROL_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def kept_tokens(tokenizer: Any, used: Iterable[int], frequent: int) -> list[int]:
    """Ids, ascending, of the tokens that stay: letters and control tokens, ``used`` ones, the ``frequent`` most frequent ones
    (a BPE learns its merges in the order of their frequency, Sennrich et al. 2016), and all that these are merged from.
    """
    state = _state(tokenizer)
    ids: dict[str, int] = state["model"]["vocab"]
    merges = _merges(state)
    parts: dict[str, list[str]] = defaultdict(list)
    for left, right in merges:
        parts[left + right] += (left, right)
    names = {index: name for name, index in ids.items()}
    control = {token["id"] for token in state["added_tokens"]}
    waiting = [name for name in ids if name not in parts]
    waiting += [left + right for left, right in merges[:frequent]]
    waiting += [names[index] for index in set(used) - control]
    kept: set[str] = set()
    while waiting:
        if (name := waiting.pop()) not in kept:
            kept.add(name)
            waiting += parts[name]
    return sorted(control | {ids[name] for name in kept})


def closed_vocabulary() -> Iterator[str]:
    """What decoding may write whatever the brief: neutral words and fixed phrases, within a sentence and at its start."""
    words = {word for act in Act for word in vocabulary.neutral_words(act)}
    phrases = [*vocabulary.BUDGET_LEADS, *vocabulary.DENIALS]
    phrases += [phrase.format("A") for said in vocabulary.COMPARISONS.values() for phrase in said]
    for text in (*sorted(words), *phrases):
        for written in {text, text[:1].upper() + text[1:]}:
            yield from (written, f" {written}")


def without_tokens(tokenizer: Any, kept: Sequence[int]) -> PreTrainedTokenizerFast:
    """The tokenizer with the ``kept`` ids alone, numbered anew in their order."""
    places, state = _places(kept), _state(tokenizer)
    ids = {name: places[index] for name, index in state["model"]["vocab"].items() if index in places}
    state["model"]["vocab"] = ids
    state["model"]["merges"] = [merge for merge in _merges(state) if ids.keys() >= {*merge, "".join(merge)}]
    state["added_tokens"] = [token | {"id": places[token["id"]]} for token in state["added_tokens"]]
    state["post_processor"] = None  # it would add control tokens by their old numbers; the chat template writes them
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)),
        chat_template=tokenizer.chat_template,
        **tokenizer.special_tokens_map,
    )


def without_rows(model: Any, kept: Sequence[int]) -> Any:
    """The model with the embeddings of the ``kept`` ids alone: for their tokens it computes what it did before."""
    places, rows = _places(kept), torch.tensor(kept)
    state = {name: weight[rows] if name in EMBEDDINGS else weight for name, weight in model.state_dict().items()}
    pruned = artefacts.remade(model, state, vocab_size=len(kept), **_renumbered(model.config, places))
    for name, value in _renumbered(model.generation_config, places).items():
        setattr(pruned.generation_config, name, value)
    return pruned


def _renumbered(settings: Any, places: Mapping[int, int]) -> dict[str, Any]:
    told = {name: getattr(settings, name, None) for name in CONTROL_IDS}
    return {
        name: [places[index] for index in value] if isinstance(value, list) else places[value]
        for name, value in told.items()
        if value is not None
    }


def _places(kept: Sequence[int]) -> dict[int, int]:
    """New numbers by old ones."""
    return {index: place for place, index in enumerate(kept)}


def _state(tokenizer: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return state


def _merges(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    """In the order they were learned; older files write a merge as one text."""
    written = (merge.split(" ") if isinstance(merge, str) else merge for merge in state["model"]["merges"])
    return [(left, right) for left, right in written]

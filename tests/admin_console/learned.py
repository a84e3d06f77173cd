"""A shop that has learned: a snapshot, a run with curves, a version with its report. Whatever a page may have to show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from botcore.models import Annotation, Dataset, DatasetRow, ModelVersion, ShadowReply, TrainingRun, Turn
from catalog.models import Shop
from tests.factories import ConversationFactory, DatasetFactory, ModelVersionFactory, TurnFactory

CUSTOMER = "something green for the rain, please"
CHOSEN = "Take a peek at the [A.name]: green, and yours for [A.price]."
REJECTED = "Look at the [A.name], it is green and costs [A.price]."


def snapshot(shop: Shop, rows: int = 3, **fields: Any) -> Dataset:
    """A snapshot with rows of every use in turn, all from one reply that is still there."""
    turn = TurnFactory(conversation=ConversationFactory(shop=shop))
    made = DatasetFactory(
        shop=shop,
        filters={"since": None, "until": None, "acts": [], "votes": True, "languages": ["en"]},
        counts={
            "rows": {
                "sft": {"train": 40, "validation": 9, "test": 9},
                "preference": {"train": 31, "test": 7},
                "vote": {},
            },
            "replies": 58,
            "acts": {"recommend": 41, "compare": 17},
            "topics": {"clothing/jackets": 50, "greeting": 8},
            "sentiments": {"neutral": 50, "negative": 8},
            "left_out": {"rejected": 4, "near-duplicate": 2, "vote above one customer's share": 12},
        },
        **fields,
    )
    DatasetRow.objects.bulk_create(row(made, place, turn) for place in range(rows))
    return made


def row(dataset: Dataset, place: int, turn: Turn) -> DatasetRow:
    use = DatasetRow.Use.values[place % 3]
    brief = {"customer": CUSTOMER, "act": "recommend"}
    content = {
        "sft": {"brief": brief, "reply": CHOSEN},
        "preference": {"brief": brief, "chosen": CHOSEN, "rejected": REJECTED},
        "vote": {"brief": brief, "reply": REJECTED, "liked": place % 2 == 0},
    }[use]
    return DatasetRow(
        dataset=dataset,
        place=place,
        use=use,
        part=DatasetRow.Part.values[place % 3],
        content=content,
        features={"keywords": ["something", "green", "rain"], "topic": "clothing/jackets", "sentiment": "negative"},
        turn_id=turn.pk,
        contact_id=turn.conversation.contact_id,
        source=f"annotation:{place + 1}",
    )


def run(dataset: Dataset, **fields: Any) -> TrainingRun:
    return TrainingRun.objects.create(
        shop=dataset.shop,
        dataset=dataset,
        **{
            "recipe": TrainingRun.Recipe.PREFERENCE,
            "options": {"epochs": 3, "lr": 0.0002},
            "curves": points(),
            "started_at": timezone.now() - timedelta(minutes=12),
            **fields,
        },
    )


def points() -> list[dict[str, Any]]:
    learning = [
        {"stage": "sft", "step": step, "of": 120, "loss": round(0.4 + math.exp(-step / 30) + 0.03 * math.sin(step), 4)}
        | {"epoch": step / 40, "grad_norm": round(1 + 0.4 * math.sin(step / 5), 3)}
        for step in range(1, 121, 2)
    ]
    looked = [
        {"stage": "sft", "step": step, "of": 120, "validation": 0.5 + 10 / (step + 10)} for step in range(20, 121, 20)
    ]
    preferring = [
        {"stage": "preference", "step": step, "of": 80, "loss": 0.69 - step / 200}
        | {"rewards/accuracies": min(1.0, 0.5 + step / 90), "rewards/margins": step / 70}
        for step in range(5, 61, 5)
    ]
    return [*learning, *looked, *preferring]


def side(model: str, accepted: float, found_false: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "model": model, "briefs": 198, "samples": 792, "accepted": accepted, "accepted_samples": accepted - 0.05,
        "unsupported_before": 0.0217, "unsupported_after": 0.0, "audited_before": 0.001, "audited_after": 0.0,
        "distinct_2": 0.5847, "mean_length": 13.7, "seconds": 61.2, "seconds_per_reply": 0.3142,
        "refused_for": {"repeats itself": 12, "… is supported by no fact": 11},
        "accepted_by_act": {"recommend": 0.99, "compare": 1.0}, "found_false": list(found_false),
    }  # fmt: skip


def difference(candidate: float, live: float, reach: float, n: int = 198) -> dict[str, Any]:
    mean = round(candidate - live, 4)
    return {"candidate": candidate, "live": live, "mean": mean, "low": mean - reach, "high": mean + reach, "n": n}


FOUND_FALSE = "Look at the [A.name] in burgundy. (burgundy)"
REPORT = {
    "candidate": side("pine-7-1a2b3c4d", 0.9933, [FOUND_FALSE]),
    "live": side("salesperson-2-98aab35b", 0.9899),
    "against": {"version": "shipped"},
    "material": {"briefs": 198, "replies": 48, "pairs": 37},
    "differences": {
        "grounded": difference(0.981, 0.978, 0.011),
        "wishes": difference(0.994, 0.992, 0.01),
        "wishes_named": difference(0.4412, 0.5512, 0.05),
        "naturalness": difference(0.61, 0.52, 0.07, 150),
        "likelihood": difference(-1.31, -2.62, 0.2, 48),
        "preference": None,
    },
    "changed": [
        {
            "customer": CUSTOMER,
            "act": "recommend",
            "candidate": "Take a peek at the [A.name], green and [A.price].",
            "live": "Look at the [A.name].",
        },
        {"customer": "which is cheaper?", "act": "compare", "candidate": "[A.name] is cheaper.", "live": ""},
    ],
}
PASSED = {
    "passed": True,
    "lines": [
        {"name": "grounded", "passed": True, "found": "+0.003 (-0.008 to +0.014); at worst -0.020 is allowed"},
        {"name": "nothing false is sent", "passed": True, "found": "0.00% of the replies"},
    ],
}
REFUSED = {
    "passed": False,
    "lines": [
        {"name": "wishes_named", "passed": False, "found": "-0.110 (-0.160 to -0.060); at worst -0.100 is allowed"},
        {"name": "answer time", "passed": True, "found": "1.02 times the live version's, 1.15 is allowed"},
        {"name": "better at something", "passed": False, "found": "nothing was measured"},
    ],
}


def version(dataset: Dataset, gate: dict[str, Any] = PASSED, **fields: Any) -> ModelVersion:
    return ModelVersionFactory(
        shop=dataset.shop,
        dataset=dataset,
        report=REPORT,
        gate=gate,
        digests={"adapter": "9f" * 32, "model.gguf": "3c" * 32},
        code={"commit": "5cc9afaaedd04253d3c5141118f4082235d2248a", "modified": True},
        **fields,
    )


def annotated(turn: Turn, **fields: Any) -> Annotation:
    return Annotation.objects.create(turn=turn, **{"verdict": "approved", **fields})


def shadow_reply(version: ModelVersion, turn: Turn, **fields: Any) -> ShadowReply:
    """What the version would have answered."""
    told = {"text": "Take a peek at the Canvas jacket, in green.", "written_by": "model", "milliseconds": 312.4}
    return ShadowReply.objects.create(version=version, turn=turn, **told | fields)

"""PSCon in the benchmark: which products fit a dialogue, and what a salesperson does next. Both cross-validated."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from django.core.management import call_command

from benchmarks.baselines import BM25, by_popularity, by_similarity
from benchmarks.markdown import table
from benchmarks.metrics import accuracy, bootstrap, hit_at, macro_f1, mean, reciprocal_rank
from botcore.dialogue.ports import Encoder, Ports, Reader
from botcore.dialogue.relevance import Relevance
from botcore.dialogue.state import Act
from catalog.models import Shop
from workers.indexing import embed_changed
from workers.replay import ASSISTANT, CUSTOMER, Replayed, dialogue_of, replay
from workers.training.next_act import NextActs
from workers.training.pscon import Line, LoggedAct, NextAct, Point, Pscon, read_pscon, splits
from workers.training.relevance import FOLDS, SEED, Learner

SHUFFLES = 20
RANKED = 100
"""How far a replay ranks here; a first hit beyond counts as none."""

ACTS = {
    Act.ASK: LoggedAct.ASK,
    Act.CLARIFY: LoggedAct.ASK,
    Act.RECOMMEND: LoggedAct.RECOMMEND,
    Act.ANSWER: LoggedAct.ANSWER,
    Act.COMPARE: LoggedAct.ANSWER,
    Act.EXPLAIN: LoggedAct.ANSWER,
}
"""The bot's acts in the table's classes; every other one is ``other``."""

AS_SERVED, MINILM, OKAPI = "ours, as `manage.py replay` ranks", "plain MiniLM", "BM25 on titles"
COMPARED = (MINILM, OKAPI)

Say = Callable[[str], None]


def pscon_tables(folder: Path, encoder: Encoder, reader: Reader, say: Say) -> str:
    """Both tables as Markdown."""
    pscon = read_pscon(folder)
    say("PSCon: baselines")
    learner = Learner.of(pscon, encoder)
    rankings = baselines(pscon, learner.points, encoder)
    say("PSCon: our ranking, one model a fold")
    models = fold_models(learner)
    rankings["ours, all titles scored"] = [learner.ranked(i, model) for i, model in enumerate(models)]
    say("PSCon: replayed through a shop's database")
    shop = shop_of(pscon)
    ports = Ports(encoder, reader, None)
    replayed = [replayed_at(p.before, shop, ports, model) for p, model in zip(learner.points, models, strict=True)]
    rankings[AS_SERVED] = [list(r.ranked) for r in replayed]
    say("PSCon: next acts")
    acts = NextActs.of(pscon, encoder, reader)
    predictions = {
        "always the commonest": commonest(acts.turns),
        "the bot's rules, as replayed": [ruled(replayed_at(turn.before, shop, ports, None)) for turn in acts.turns],
        "next-act head, on text alone": [str(act) for act in acts.held_out()],
    }
    return "\n\n".join([recommendation_table(learner, rankings), act_table(acts.turns, predictions)])


def baselines(pscon: Pscon, points: Sequence[Point], encoder: Encoder) -> dict[str, list[list[str]]]:
    """The ranking of every point by each baseline; popularity is counted in the other folds."""
    skus = list(pscon.titles)
    queries = [" ".join(point.messages) for point in points]
    vectors, titles = encoder.encode(queries), encoder.encode(list(pscon.titles.values()))
    bm25 = BM25(pscon.titles)
    popular: dict[int, list[str]] = {}
    for training, judged in splits([p.conversation for p in points], FOLDS, SEED):
        ranked = by_popularity(skus, (sku for i in training for sku in points[i].relevant))
        popular |= dict.fromkeys(judged, ranked)
    return {
        "popularity": [popular[i] for i in range(len(points))],
        MINILM: [by_similarity(skus, titles, vector) for vector in vectors],
        OKAPI: [bm25.ranked(query) for query in queries],
    }


def fold_models(learner: Learner) -> list[Relevance]:
    """For every point the model that has not seen its conversation."""
    models: dict[int, Relevance] = {}
    for training, judged in splits([point.conversation for point in learner.points], FOLDS, SEED):
        models |= dict.fromkeys(judged, learner.fit(training))
    return [models[i] for i in range(len(learner.points))]


def shop_of(pscon: Pscon) -> Shop:
    """A shop that knows titles alone, made by the import command as a merchant would."""
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "titles.jsonl"
        lines = (json.dumps({"sku": sku, "title": title}) for sku, title in pscon.titles.items())
        feed.write_text("\n".join(lines), encoding="utf-8")
        defaults = ["price=9.90", "stock=1"]
        with (Path(folder) / "report").open("w") as quiet:
            call_command("import_products", feed, shop="pscon", create_shop=True, default=defaults, stdout=quiet)
    shop = Shop.objects.get(slug="pscon")
    embed_changed(shop.pk)
    return shop


def replayed_at(before: Sequence[Line], shop: Shop, ports: Ports, model: Relevance | None) -> Replayed:
    """The dialogue so far, replayed; no generator writes, for words are not judged here."""
    turns = [{"role": CUSTOMER if line.customer else ASSISTANT, "text": line.text} for line in before]
    return replay(dialogue_of({"id": 0, "turns": turns}), shop, ports, top=RANKED, model=model)


def commonest(turns: Sequence[NextAct]) -> list[str]:
    """The act that the other folds hold most often."""
    predicted: dict[int, str] = {}
    for training, judged in splits([turn.conversation for turn in turns], FOLDS, SEED):
        acts = [str(turns[i].act) for i in training]
        predicted |= dict.fromkeys(judged, max(sorted(set(acts)), key=acts.count))
    return [predicted[i] for i in range(len(turns))]


def ruled(replayed: Replayed) -> str:
    return str(ACTS.get(Act(replayed.act), LoggedAct.OTHER))


def recommendation_table(learner: Learner, rankings: dict[str, list[list[str]]]) -> str:
    """hit@5 and MRR of each ranking, and what ours gains over each baseline on the same resamples."""
    points = learner.points
    groups = [point.conversation for point in points]
    measured = {
        name: (
            [hit_at(5, r, p.relevant) for r, p in zip(ranked, points, strict=True)],
            [reciprocal_rank(r, p.relevant) for r, p in zip(ranked, points, strict=True)],
        )
        for name, ranked in rankings.items()
    }
    rows: list[tuple[str, ...]] = [("random", *chance(points, list(learner.pscon.titles)))]
    rows += [(name, *(str(bootstrap(v, groups, mean)) for v in values)) for name, values in measured.items()]
    for other in COMPARED:
        gains = (
            [ours - theirs for ours, theirs in zip(*pair, strict=True)]
            for pair in zip(measured[AS_SERVED], measured[other], strict=True)
        )
        rows.append((f"as replayed, gain over {other}", *(str(bootstrap(g, groups, mean)) for g in gains)))
    conversations, titles = len(set(groups)), len(learner.pscon.titles)
    title = f"PSCon, {len(points)} recommendation points of {conversations} conversations, {titles} titles"
    return table((title, "hit@5", "MRR"), rows)


def chance(points: Sequence[Point], skus: Sequence[str]) -> tuple[str, str]:
    """The mean of :data:`SHUFFLES` random orders a point."""
    rng = np.random.default_rng(SEED)
    orders = [(point, [skus[i] for i in rng.permutation(len(skus))]) for point in points for _ in range(SHUFFLES)]
    groups = [point.conversation for point, _ in orders]
    hits = bootstrap([hit_at(5, order, p.relevant) for p, order in orders], groups, mean)
    reciprocal = bootstrap([reciprocal_rank(order, p.relevant) for p, order in orders], groups, mean)
    return str(hits), str(reciprocal)


def act_table(turns: Sequence[NextAct], predictions: dict[str, list[str]]) -> str:
    groups = [turn.conversation for turn in turns]
    rows = []
    for name, predicted in predictions.items():
        pairs = [(str(turn.act), said) for turn, said in zip(turns, predicted, strict=True)]
        rows.append((name, str(bootstrap(pairs, groups, accuracy)), str(bootstrap(pairs, groups, macro_f1))))
    held = ", ".join(f"{act} {sum(turn.act == act for turn in turns)}" for act in LoggedAct)
    return table((f"PSCon, next act of {len(turns)} turns ({held})", "accuracy", "macro-F1"), rows)

"""The Celery tasks: each takes a row's id, makes one call, and may be lost or repeated without harm."""

from __future__ import annotations

from django.utils import timezone

from botcore import answering, change_sets, delivery, feeds, intake, queues, receipts, retention
from botcore.api import idempotency
from botcore.celery import app
from botcore.learning import rollout, runs
from botcore.learning.review import queue as review_queue
from botcore.models import Conversation
from botcore.monitoring import watch
from botcore.monitoring.alerts import watch_drift
from botcore.webhooks import sending
from catalog.graph.build import rebuild
from catalog.models import Shop
from catalog.ranking.popularity import refresh_popularity
from workers import housekeeping, indexing, looking, serving, shadow, streams, trainer


@app.task(name="workers.tasks.answer", queue="reply")
def answer(turn_id: int) -> None:
    """Write and store the reply of a waiting turn."""
    conversation = Conversation.objects.select_related("shop").get(turns=turn_id)
    with serving.answering(conversation.shop, lambda about: rollout.served(conversation, about).writes) as ports:
        turn = answering.answer_turn(turn_id, ports)
    if turn and shadow.of(turn):
        queues.wake_shadow(turn_id)


@app.task(name="workers.tasks.shadow", queue="reply", expires=30)
def shadow_reply(turn_id: int) -> None:
    """Store what the shadow version would have answered to a turn."""
    shadow.answer_beside(turn_id)


@app.task(name="workers.tasks.train", queue="train")
def train(run_id: int) -> None:
    """Carry out a training run, in a process of its own."""
    trainer.carry_out_apart(run_id)


@app.task(name="workers.tasks.watch_rollouts", queue="io", soft_time_limit=50, time_limit=60)
def watch_rollouts() -> None:
    """Take back what does worse than it may, in every shop."""
    for shop in Shop.objects.order_by("pk"):
        rollout.watch(shop, timezone.now())


@app.task(name="workers.tasks.watch_metrics", queue="io", soft_time_limit=100, time_limit=120)
def watch_metrics() -> None:
    """Count what happened, judge the alert rules and tell of alerts, in every shop."""
    watch.look(timezone.now())


@app.task(name="workers.tasks.measure_holdouts", queue="index", soft_time_limit=600, time_limit=660)
def measure_holdouts() -> None:
    """Measure what the bot's recommendations bring about, where a shop holds some people out."""
    watch.measure_holdouts(timezone.now())


@app.task(name="workers.tasks.watch_drifts", queue="index", soft_time_limit=600, time_limit=660)
def watch_drifts() -> None:
    """Tell what changed in what customers want, in every shop."""
    for shop in Shop.objects.order_by("pk"):
        watch_drift(shop, timezone.now())


@app.task(name="workers.tasks.watch_streams", queue="reply", soft_time_limit=300, time_limit=330)
def watch_streams() -> None:
    """Read what people said, in every shop, and tell where more of them than usual complain."""
    streams.watch_all(timezone.now())


@app.task(name="workers.tasks.deliver", queue="io", soft_time_limit=50, time_limit=60)
def deliver(outbound_id: int) -> None:
    """Send a pending message to its platform."""
    delivery.deliver(outbound_id)


@app.task(name="workers.tasks.show_typing", queue="io", soft_time_limit=10, time_limit=15, expires=3)
def show_typing(turn_id: int) -> None:
    """Show the customer that a reply is being written."""
    delivery.show_typing(turn_id)


@app.task(name="workers.tasks.show_verdict", queue="io", soft_time_limit=10, time_limit=15)
def show_verdict(outbound_id: int) -> None:
    """Show under a reply how its reader judged it."""
    delivery.show_verdict(outbound_id)


@app.task(name="workers.tasks.send_webhook", queue="io", soft_time_limit=50, time_limit=60)
def send_webhook(delivery_id: int) -> None:
    """Tell a shop's own system of one event."""
    sending.deliver(delivery_id)


@app.task(name="workers.tasks.forget_conversations", queue="index", soft_time_limit=600, time_limit=660)
def forget_conversations() -> None:
    """Forget what every shop keeps no longer."""
    retention.forget_silent(timezone.now())


@app.task(name="workers.tasks.forget_requests", queue="io", soft_time_limit=50, time_limit=60)
def forget_requests() -> None:
    """Delete answers of the API that nobody can ask for again, and events that were told long ago."""
    idempotency.forget(timezone.now())
    sending.forget(timezone.now())


@app.task(name="workers.tasks.carry_out", queue="io")
def carry_out(change_set_id: int) -> None:
    """Check, write or take back a change set of the catalogue."""
    change_sets.carry_out(change_set_id)


@app.task(name="workers.tasks.fetch_feed", queue="io")
def fetch_feed(feed_id: int) -> None:
    """Fetch a feed whose shop has asked for it."""
    feeds.fetch_due(timezone.now(), feed_id)


@app.task(name="workers.tasks.fetch_feeds", queue="io")
def fetch_feeds() -> None:
    """Fetch the feeds that are due, in every shop."""
    feeds.fetch_due(timezone.now())
    change_sets.forget_files()


@app.task(name="workers.tasks.embed", queue="index", soft_time_limit=600, time_limit=660)
def embed(shop_id: int) -> None:
    """Embed the texts of a shop that changed, and its pictures that are new."""
    indexing.embed_changed(shop_id)
    looking.look_at_new(shop_id)


@app.task(name="workers.tasks.look_at_pictures", queue="index", soft_time_limit=600, time_limit=660)
def look_at_pictures() -> None:
    """Embed pictures that no change of a text told of: of a new encoder, or due to be looked at again."""
    for shop in Shop.objects.order_by("pk"):
        looking.look_at_new(shop.pk)


@app.task(name="workers.tasks.refresh_popularities", queue="index", soft_time_limit=600, time_limit=660)
def refresh_popularities() -> None:
    """Let what was popular fade and what is popular now come up, in every shop."""
    for shop in Shop.objects.order_by("pk"):
        refresh_popularity(shop, timezone.now())


@app.task(name="workers.tasks.rebuild_links", queue="index", soft_time_limit=1_800, time_limit=1_860)
def rebuild_links() -> None:
    """Bring every shop's product graph to what customers did since, each shop in a transaction of its own."""
    for shop in Shop.objects.order_by("pk"):
        rebuild(shop, timezone.now())


@app.task(name="workers.tasks.update_rankers", queue="index", soft_time_limit=3_600, time_limit=3_660)
def update_rankers() -> None:
    """Let every shop's ranker learn from what customers did since, where that makes it better."""
    from workers.training.online import update_all  # what trains is not for the workers that reply

    update_all(timezone.now())


@app.task(name="workers.tasks.forget_models", queue="index", soft_time_limit=600, time_limit=660)
def forget_models() -> None:
    """Delete built models that nobody would miss."""
    housekeeping.forget_models(timezone.now())


@app.task(name="workers.tasks.self_train", queue="index", soft_time_limit=3_600, time_limit=3_660)
def self_train() -> None:
    """Let every shop's reader of intents learn from messages that nobody labelled, where that makes it better."""
    from workers.engine import load_reader
    from workers.training.selftrain import learn_all

    learn_all(load_reader(), serving.encoder())


@app.task(name="workers.tasks.sweep", queue="io", soft_time_limit=20, time_limit=30)
def sweep() -> None:
    """Find what lost its wake-up: turns, messages, receipts, stale embeddings, training runs, replies to review, events."""
    intake.sweep()
    delivery.sweep()
    receipts.sweep()
    indexing.sweep()
    sending.sweep()
    runs.sweep()
    review_queue.sweep()
    change_sets.sweep()

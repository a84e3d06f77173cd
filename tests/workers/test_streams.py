"""The bundled finance desk, read with the real models: its topics, their names, its surge. Slow only by loading them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from botcore.models import Alert, Sentence, TextStream, Topic
from botcore.monitoring import surge_alerts
from botcore.streams import example, feeding
from botcore.streams.topics import shipped_space
from catalog.models import Shop
from tests.factories import ShopFactory
from workers import streams
from workers.engine import load_reader
from workers.training.topic_space import adjusted_rand, agreement

MEANT = {row["id"]: row["subject"] for row in csv.DictReader(example.OPINIONS.open(encoding="utf-8"))}


@pytest.fixture
def shop(db: None) -> Shop:
    return ShopFactory(slug="desk")


def grouping(stream: TextStream) -> dict[str, int | None]:
    """The topic of each text that was meant to have one, by its id."""
    rows = Sentence.objects.filter(item__stream=stream, place=0).values_list("item__external_id", "topic")
    return {id: topic for id, topic in rows if MEANT[id]}


def names(stream: TextStream) -> dict[int, dict[str, str]]:
    return dict(stream.topics.values_list("pk", "names"))


def feed(shop: Shop, name: str, parts: Sequence[Sequence[feeding.Record]]) -> tuple[TextStream, list[dict]]:
    """A stream that is fed and read part by part, and its topics' names after each."""
    stream, _ = feeding.open_feed(shop, name)
    seen = []
    for part in parts:
        feeding.store(stream, part)
        streams.read_waiting(stream)
        seen.append(names(stream))
    return stream, seen


def test_topics_are_what_the_writer_meant_whatever_the_order_and_the_language():
    found = agreement(shipped_space(), load_reader())
    assert found["as it came"] >= 0.9
    assert found["shuffled, at worst"] >= 0.9
    assert found["between orders, at worst"] >= 0.9


def test_a_feed_that_goes_on_keeps_its_topics_and_their_names_and_the_same_feed_gives_the_same(shop):
    records = example.records(timezone.now())
    days = [records[start : start + 40] for start in range(0, len(records), 40)]
    continued, seen = feed(shop, "day by day", days)
    for before, after in pairwise(seen):
        for topic, named in before.items():
            assert {language: after[topic][language] for language in named} == named, "a name stays"
    groups = grouping(continued)
    assert adjusted_rand([groups[id] for id in groups], [MEANT[id] for id in groups]) >= 0.9

    again, _ = feed(shop, "the same again", days)
    assert adjusted_rand(list(groups.values()), [grouping(again)[id] for id in groups]) == 1
    assert sorted(map(str, names(again).values())) == sorted(map(str, names(continued).values()))

    at_once, _ = feed(shop, "all at once", [records])
    assert adjusted_rand(list(groups.values()), [grouping(at_once)[id] for id in groups]) >= 0.9


def test_the_tour_of_the_example_ends_with_its_surge_and_a_summary_in_peoples_words(shop, capsys):
    call_command("watch_texts", "--example", "--shop", "desk")
    told = capsys.readouterr().out
    assert "complain of" in told
    stream = TextStream.objects.get(name=example.NAME)
    (alert,) = Alert.objects.filter(shop=shop, subject__startswith=surge_alerts.SURGE)
    found = surge_alerts.gathered(alert)
    assert "Harbourline" in found.topic.name_in("en")
    assert "海线银行" in found.topic.name_in("zh")
    assert all(quote.text in {record.text for record in example.records(timezone.now())} for quote in found.quotes)
    assert sum(MEANT[item.external_id] == "app" for item in found.items) >= 0.9 * len(found.items)
    assert {topic.stream for topic in Topic.objects.all()} == {stream}


def test_a_file_is_stored_and_every_bad_row_named(shop, tmp_path, capsys):
    file = tmp_path / "posts.csv"
    file.write_text("id,at,author,text\n1,2026-03-02,ann,Late again.\n2,,ann,\n3,soon,bob,Fine.\n4,,bob,Very good.\n")
    call_command("watch_texts", str(file), "--stream", "Posts", "--shop", "desk")
    told = capsys.readouterr()
    assert "2 new, 0 known already, 2 read" in told.out
    assert 'line 3: no "text"' in told.err
    assert 'line 4: "at" is no time ("soon")' in told.err
    call_command("watch_texts", str(file), "--stream", "Posts", "--shop", "desk")
    assert "0 new, 2 known already, 0 read" in capsys.readouterr().out


def test_a_command_without_a_file_or_into_a_shops_own_stream_says_what_to_do(shop, tmp_path):
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "1", "text": "Late again."}\n')
    with pytest.raises(CommandError, match="--stream"):
        call_command("watch_texts", str(file), "--shop", "desk")
    TextStream.objects.create(shop=shop, kind=TextStream.Kind.REVIEWS, name="Reviews")
    with pytest.raises(CommandError, match="choose another name"):
        call_command("watch_texts", str(file), "--stream", "Reviews", "--shop", "desk")

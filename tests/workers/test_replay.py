"""Logged dialogues replayed against a shop that knows titles alone, through the commands a merchant would use."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from botcore.dialogue.lexicon import kept
from botcore.dialogue.ports import Ports
from botcore.dialogue.state import DialogueState
from catalog.models import Product, Shop
from tests.factories import ProductFactory, ShopFactory
from tests.fakes import HashEncoder
from workers import replay as replaying
from workers import serving
from workers.engine import load_reader
from workers.replay import LOGGED_QUESTION, ReplayError, dialogue_of, heard, named_products, read_dialogues, replay

pytestmark = pytest.mark.django_db

TITLES = {
    "K1": "Harbour Kettle, red steel, 1.7 l",
    "K2": "Meadow Kettle, green glass",
    "K3": "Pebble Travel Kettle in green",
    "C1": "Cover for a kettle, knitted",
    "R1": "Fjord Wool Rug 160 x 230 cm",
    "R2": "Dune Jute Rug for the hallway",
    "P1": "Nimbus 9 Android Phone, 256GB, unlocked",
    "P2": "Stratus X Phone, 64GB, unlocked",
}


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Shop:
    """Made by ``import_products`` from skus and titles; nothing is embedded yet."""
    monkeypatch.setattr(serving, "encoder", HashEncoder)
    kept._cache.clear()
    feed = tmp_path / "titles.jsonl"
    feed.write_text("\n".join(json.dumps({"sku": sku, "title": title}) for sku, title in TITLES.items()))
    call_command("import_products", feed, shop="titles", create_shop=True, default=["price=9.90", "stock=1"])
    return Shop.objects.get(slug="titles")


def turns(*texts):
    """Customer and assistant in turn, the customer first."""
    return [{"role": ("customer", "assistant")[i % 2], "text": text} for i, text in enumerate(texts)]


def replayed(shop, *texts, top=3):
    return replay(
        dialogue_of({"id": 1, "turns": turns(*texts)}), shop, Ports(HashEncoder(), load_reader(), None), top=top
    )


def log(tmp_path, *rows):
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def run(path, out, **options):
    call_command("replay", path, shop="titles", out=out, no_model=True, **options)
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_a_log_becomes_one_line_a_dialogue(shop, tmp_path):
    rows = [{"id": "a", "turns": turns("a green kettle")}, {"id": 7, "turns": turns("hello", "hi!", "a wool rug")}]
    lines = run(log(tmp_path, *rows), tmp_path / "out.jsonl", top=4)
    assert [line["id"] for line in lines] == ["a", 7]
    for line in lines:
        assert list(line) == ["id", "ranked", "act", "reply", "state", "latency_ms"]
        assert len(line["ranked"]) == len(set(line["ranked"])) == 4
        assert line["reply"] and line["latency_ms"] > 0
        assert DialogueState.from_json(line["state"]).turn in (1, 2)
    assert set(lines[0]["ranked"][:2]) == {"K2", "K3"}
    assert lines[1]["ranked"][0] == "R1"


def test_replaying_embeds_what_was_imported(shop, tmp_path):
    assert Product.objects.filter(shop=shop, embedding=None).count() == len(TITLES)
    run(log(tmp_path, {"id": 1, "turns": turns("a kettle")}), tmp_path / "out.jsonl")
    assert not Product.objects.filter(shop=shop, embedding=None).exists()


@pytest.mark.parametrize(
    "text", ["hello", "thanks, bye!", "what is your return policy?", "I want to talk to a person", "???", ""]
)
def test_there_is_a_ranking_whatever_the_act(shop, text):
    assert len(replayed(shop, text, top=5).ranked) == 5


def test_a_ranking_is_as_long_as_the_shop_at_most(shop):
    assert sorted(replayed(shop, "a kettle", top=50).ranked) == sorted(TITLES)


def test_earlier_turns_count(shop):
    assert replayed(shop, "I need a phone", "How much storage?", "256GB").ranked[0] == "P1"


def test_what_is_ruled_out_comes_last(shop):
    ranked = replayed(shop, "a kettle, but no glass please", top=8).ranked
    assert ranked[0] in ("K1", "K3", "C1")
    assert ranked[-1] == "K2"


def test_only_products_of_the_shop_are_ranked(shop):
    ProductFactory(shop=ShopFactory(), title="Green kettle")
    assert set(replayed(shop, "a green kettle", top=20).ranked) == set(TITLES)


def test_the_bot_has_shown_only_what_the_log_names(shop):
    silent = heard(shop, "How about these?", DialogueState())
    assert silent.shown == ()
    assert silent.open_question == LOGGED_QUESTION
    told = heard(shop, "I'd take the pebble travel kettle in green or the Meadow Kettle, green glass.", DialogueState())
    assert told.shown == (("K3", "K2"),)
    assert told.open_question is None


def test_a_title_is_named_whole_or_not_at_all(shop):
    ProductFactory(shop=shop, sku="S", title="Soap")
    assert named_products(shop, "Our Meadow Kettle, green glasses") == ()
    assert named_products(shop, "soap is in aisle 3") == ()


def test_the_customer_can_point_at_what_the_log_named(shop):
    state = replayed(
        shop, "a kettle", "Harbour Kettle, red steel, 1.7 l, or Meadow Kettle, green glass", "the second one"
    ).state
    assert state["focus"] == "K2"


def test_messages_in_a_row_are_one_turn(shop):
    said = [{"role": "customer", "text": "a phone"}, {"role": "customer", "text": "256GB"}]
    assert dialogue_of({"id": 1, "turns": said}).talk.messages == ("a phone\n256GB",)


def test_what_no_database_can_hold_is_cleaned(shop):
    assert replayed(shop, "a kettle \ud83d \0 in green").ranked[0] in ("K2", "K3")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: Expecting"),
        ("[1]", "line 2: not an object"),
        ({"turns": turns("x")}, 'line 2: "id" must be'),
        ({"id": 2, "turns": "x"}, 'line 2: "turns" must be a list'),
        ({"id": 2, "turns": [{"role": "user", "text": "x"}]}, 'line 2: turn 1 must be an object with "role"'),
        ({"id": 2, "turns": [{"role": "customer"}]}, 'line 2: turn 1: "text" must be a text'),
        ({"id": 2, "turns": [{"role": "assistant", "text": "hi"}]}, "line 2: no turn is the customer's"),
        ({"id": 1, "turns": turns("x")}, "line 2: id 1 is already that of line 1"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(shop, tmp_path, line, reason):
    path, out = log(tmp_path, {"id": 1, "turns": turns("a kettle")}, line), tmp_path / "out.jsonl"
    out.write_text("from before")
    with pytest.raises(CommandError, match=reason):
        run(path, out)
    assert out.read_text() == "from before"


def test_a_replay_that_breaks_leaves_the_older_output_alone(shop, tmp_path, monkeypatch):
    path = log(tmp_path, {"id": 1, "turns": turns("a kettle")}, {"id": 2, "turns": turns("a rug")})
    out = tmp_path / "out.jsonl"
    out.write_text("from before")
    whole = replaying.replay
    monkeypatch.setattr(
        replaying, "replay", lambda dialogue, *a, **k: whole(dialogue, *a, **k) if dialogue.id == 1 else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        run(path, out)
    assert out.read_text() == "from before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.jsonl", "out.jsonl", "titles.jsonl"]


def test_blank_lines_and_line_separators_inside_texts_are_no_ends(tmp_path):
    row = json.dumps({"id": 1, "turns": turns("a kettle\u2028in green")}, ensure_ascii=False)
    assert len(read_dialogues(log(tmp_path, row, "", "  "))) == 1


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ReplayError, match="holds no dialogue"):
        read_dialogues(log(tmp_path, ""))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"shop": "nobody"}, 'no shop is called "nobody"'),
        ({"top": 0}, "--top"),
        ({"out": "nowhere/out.jsonl"}, "no folder"),
    ],
)
def test_options_that_cannot_be_are_refused(shop, tmp_path, options, reason):
    path = log(tmp_path, {"id": 1, "turns": turns("a kettle")})
    given = {"shop": "titles", "out": tmp_path / "out.jsonl", **options}
    with pytest.raises(CommandError, match=reason):
        call_command("replay", path, **{**given, "out": Path(given["out"])})

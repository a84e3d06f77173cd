"""How well questions are answered: ``python -m benchmarks.answers [development|development2|development3|heldout] [--failures]``.

Asks every question of ``tests/answers`` (see its README) of the whole dialogue, with phrases instead of the generator,
and compares the source of the last reply with the gold. What a source claims is looked up again in the database, by
this file's own reading of the rows. ``--failures`` lists what went wrong and is for the development sets alone.
Needs a database with the demo shop and its embeddings (``VAR_DIR``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from benchmarks.simulator.run import Say
    from botcore.dialogue.ports import Ports
    from botcore.dialogue.reply import Reply
    from catalog.models import Shop

SETS = Path(__file__).resolve().parents[1] / "tests" / "answers"
FILES = {
    "development": "questions",
    "development2": "development2",
    "development3": "development3",
    "heldout": "heldout",
}
SHOP = "demo"


@dataclass(frozen=True)
class Judged:
    """One question with its reply's source. ``fact``: right source and gold fact; ``wrong``: the false claims made.

    ``counted`` are, for opinions, how many reviews were counted, how many the gold has, and how many are in both.
    """

    entry: Mapping[str, Any]
    reply: str
    source: Mapping[str, Any]
    right: bool
    fact: bool
    refused: bool
    wrong: tuple[str, ...]
    counted: tuple[int, int, int] | None = None

    @property
    def answerable(self) -> bool:
        return self.entry["kind"] != "unanswerable"

    @property
    def good(self) -> bool:
        return not self.wrong and (self.fact if self.answerable else self.refused)


def questions(name: str) -> list[dict[str, Any]]:
    """The entries of one set, each with its ``language`` (the id's second part)."""
    entries: list[dict[str, Any]] = yaml.safe_load((SETS / f"{FILES[name]}.yaml").read_text("utf-8"))
    return [{**entry, "language": entry["id"].split("-")[1]} for entry in entries]


def asked(entry: Mapping[str, Any], shop: Shop, ports: Ports) -> Reply:
    """The reply to an entry's last message, with its product in sight and its earlier messages said."""
    from botcore.dialogue.pipeline import respond
    from botcore.dialogue.state import DialogueState
    from catalog.models import Product

    state = DialogueState(language=entry["language"])
    if shown := tuple(entry.get("shown", ())):
        goal = Product.objects.get(shop=shop, sku=shown[0]).category.path
        state = state.with_(turn=1, goal=goal, shown=(shown,), focus=shown[0] if len(shown) == 1 else "")
    reply = None
    for message in entry["messages"]:
        reply = respond(shop, message, state, ports, samples=0, seed=1, deadline=0.0)
        state = reply.state
    assert reply is not None, f"{entry['id']} asks nothing"
    return reply


def judge(entry: Mapping[str, Any], reply: Reply, shop: Shop) -> Judged:
    """What the reply is worth by the entry's gold and by the database."""
    source: Mapping[str, Any] = reply.explanation()["source"]
    said = reply.text.lower()
    right = _named(source) in entry.get("sources", ()) and _of_shown(source, entry)
    fact = right and any(fact.lower() in said for fact in entry.get("facts", ()))
    counted = None
    if right and "aspect" in entry:
        counted = _counted(source, shop, entry["aspect"], entry["shown"][0])
        fact = any(sentence in source["quote"] for sentence in _sentences_of(entry["aspect"]))
    wrong = [f"says {text!r}" for text in entry.get("never", ()) if text.lower() in said]
    if source:
        wrong += _false(source, shop)
        if entry["kind"] == "unanswerable":
            wrong.append(f"answers from {_named(source)}")
    offers = reply.act == "handoff" or reply.brief.notes.get("reason") in ("no_information", "stuck")
    return Judged(entry, reply.text, source, right, fact, not source and offers, tuple(wrong), counted)


def _named(source: Mapping[str, Any]) -> str:
    """A source as the gold names it."""
    match source.get("kind"):
        case "article":
            return f"article:{source['id']}"
        case "attribute":
            return f"attribute:{source['name']}"
    return str(source.get("kind", ""))


def _of_shown(source: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return source["kind"] == "article" or source["id"] in entry.get("shown", ())


def _false(source: Mapping[str, Any], shop: Shop) -> list[str]:
    """What a source claims and its rows do not say."""
    from catalog.models import Interaction, KnowledgeArticle, Product, Variant

    quote, rows, details = source["quote"], source.get("rows", ()), source.get("details", {})
    if source["kind"] == "article":
        bodies = KnowledgeArticle.objects.filter(shop=shop, slug=source["id"]).values_list("body", flat=True)
        return [] if any(quote in body for body in bodies) else ["quotes what the article does not say"]
    product = Product.objects.get(shop=shop, sku=source["id"])
    match source["kind"]:
        case "description":
            texts = [product.description, *(t.get("description", "") for t in product.translations.values())]
            return [] if any(quote in text for text in texts) else ["quotes what the description does not say"]
        case "attribute":
            variants = Variant.objects.filter(product=product).values_list("attributes", flat=True)
            held = {v for a in (product.attributes, *variants) for v in a.get(source["name"], ())}
            held |= {str(product.brand).lower(), str(round(product.rating or 0, 1))}
            return [] if held.issuperset(details["values"]) else ["gives a value that the product does not have"]
        case "stock":
            return list(_false_stock(Variant.objects.filter(product=product), details))
        case "review":
            reviews = Interaction.objects.filter(product=product, kind="review", pk__in=rows)
            known = {review.pk: review.text for review in reviews}
            wrong = [] if len(known) == len(rows) else ["counts reviews of something else"]
            return wrong if any(quote in text for text in known.values()) else [*wrong, "quotes no review"]
    return [f"has an unknown kind of source, {source['kind']}"]


def _false_stock(variants: Iterable[Any], details: Mapping[str, Any]) -> Iterable[str]:
    """``details``: ``attribute``, the values ``available`` and ``sold_out`` of it, ``within`` (other values asked for)."""
    name, within = details["attribute"], details.get("within", {})
    fitting = [v for v in variants if all(set(v.attributes.get(a, ())) & set(values) for a, values in within.items())]
    values = {value for v in fitting for value in v.attributes.get(name, ())} if name else {""}
    there = {value for v in fitting if v.stock > 0 for value in (v.attributes.get(name, ()) if name else ("",))}
    for value in set(details["available"]) - there:
        yield f"says that {value or 'it'} is available"
    for value in set(details["sold_out"]) - (values - there):
        yield f"says that {value or 'it'} is sold out"


@cache
def _sentences_of(aspect: str) -> frozenset[str]:
    from catalog.demo.content import read

    found = next(row for row in read("reviews") if row["aspect"] == aspect)
    return frozenset(text for tone in ("good", "bad") for pair in found[tone] for text in pair)


def _counted(source: Mapping[str, Any], shop: Shop, aspect: str, sku: str) -> tuple[int, int, int]:
    from catalog.models import Interaction

    reviews = Interaction.objects.filter(shop=shop, product__sku=sku, kind="review")
    gold = {r.pk for r in reviews if any(sentence in r.text for sentence in _sentences_of(aspect))}
    found = set(source.get("rows", ()))
    return len(found), len(gold), len(found & gold)


ROWS = ("en", "zh", "all")


def table(judged: Sequence[Judged]) -> str:
    """The measures by language and together, as Markdown."""
    lines = [
        "| questions | | right source | gold fact | unanswerable refused | wrong claims | reviews counted (F1) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ROWS:
        part = [one for one in judged if name in ("all", one.entry["language"])]
        answerable = [one for one in part if one.answerable]
        others = [one for one in part if not one.answerable]
        lines.append(
            f"| {name} | {len(part)} | {_share([o.right for o in answerable])} | {_share([o.fact for o in answerable])} "
            f"| {_share([o.refused for o in others])} | {sum(bool(o.wrong) for o in part)} | {_f1(part)} |"
        )
    for kind in ("policy", "product"):
        part = [one for one in judged if one.entry["kind"] == kind]
        lines.append(
            f"| {kind} | {len(part)} | {_share([o.right for o in part])} | {_share([o.fact for o in part])} | | | |"
        )
    return "\n".join(lines)


def _share(flags: Sequence[bool]) -> str:
    return f"{sum(flags)} of {len(flags)} ({100 * sum(flags) / len(flags):.0f} %)" if flags else ""


def _f1(judged: Iterable[Judged]) -> str:
    counts = [one.counted for one in judged if one.counted]
    found, gold, both = (sum(c[i] for c in counts) for i in range(3))
    return f"{2 * both / (found + gold):.2f}" if found + gold else ""


def measure(name: str, ports: Ports, shop: Shop) -> list[Judged]:
    return [judge(entry, asked(entry, shop, ports), shop) for entry in questions(name)]


def answers_table(say: Say) -> str:
    """All three sets of questions, asked of the demo shop, which is made where there is none."""
    from benchmarks.shop import demo_shop
    from botcore.dialogue.ports import Ports
    from workers.engine import load_encoder, load_reader

    shop, ports, told = demo_shop(), Ports(load_encoder(), load_reader(), None), []
    for name in FILES:
        say(f"answers: {name}")
        told.append(f"{name}:\n\n{table(measure(name, ports, shop))}")
    return "\n\n".join(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=tuple(FILES), nargs="?", default="development")
    parser.add_argument("--failures", action="store_true", help="list what went wrong (development sets only)")
    options = parser.parse_args()
    if options.failures and options.set == "heldout":
        parser.error("the failures of the held-out set are not looked at; use a development set")
    from botcore.installation import installation

    with installation():
        from botcore.dialogue.ports import Ports
        from catalog.models import Shop
        from workers.engine import load_encoder, load_reader

        judged = measure(options.set, Ports(load_encoder(), load_reader(), None), Shop.objects.get(slug=SHOP))
    print(table(judged))
    for one in judged if options.failures else ():
        if not one.good:
            print(
                f"{one.entry['id']} {one.entry.get('shown', '')} {one.entry['messages'][-1]}\n"
                f"    {one.reply!r}\n    {_named(one.source) or '-'} for {one.entry.get('sources', 'nothing')}"
                f" {one.source.get('sure', '')} {'; '.join(one.wrong)}"
            )


if __name__ == "__main__":
    main()

"""The verifier fails closed: what is not certainly true of the brief is refused."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.verify import verify
from botcore.dialogue.vocabulary import neutral_words
from botcore.dialogue.words import stem


def item(letter, kind="lamp", **attributes):
    return ItemFacts(letter, kind, attributes, {"name": f"Name {letter}", "price": "$1", "rating": "4.5 out of 5"})


LIST = Brief(
    "recommend",
    customer="a brass lamp under [budget]",
    wishes=("lamp", "not plastic", "under [budget]"),
    items=(item("A", material="brass", color="green"), item("B", material="glass", color="amber")),
    slots={"budget": "$80"},
)
CHOSEN = Brief("recommend", wishes=("lamp",), items=LIST.items[:1])
PAIR = Brief("compare", items=LIST.items, notes={"differ": "material", "cheaper": "A", "rated": "B"})
POLICY = Brief("answer", notes={"title": "Returns"}, slots={"quote": "Send it back within 30 days."})
STOCK = Brief("answer", items=(item("A"),), notes={"about": "A", "stock": "no"})
MATERIAL = Brief("answer", items=(item("A", material="brass"),), notes={"about": "A", "attribute": "material"})
NO = Brief("decline", notes={"reason": "not_sold"})


@pytest.mark.parametrize(
    ("brief", "reply"),
    [
        (LIST, "Take a look at [A.name], in brass, for [A.price]."),
        (LIST, "[A.name] is brass and [B.name] is glass. Which would you choose?"),
        (LIST, "Under [budget] there are [A.name] and [B.name], at [A.price] and [B.price]."),
        (LIST, "How about [B.name]? It's amber, it isn't plastic."),
        (PAIR, "[A.name] is brass, [B.name] is glass, and [A.name] is the cheaper."),
        (PAIR, "[B.name] is better rated."),
        (POLICY, "Here is what I found. [quote]"),
        (STOCK, "I'm sorry, [A.name] is unavailable."),
        (MATERIAL, "[A.name] is brass."),
        (NO, "I'm sorry, we don't have that."),
    ],
)
def test_a_reply_that_says_only_facts_is_accepted(brief, reply):
    assert verify(reply, brief).problems == ()


@pytest.mark.parametrize(
    ("brief", "reply"),
    [
        # invented facts
        (LIST, "Take a look at [A.name], in purple."),
        (LIST, "[A.name] is a bestseller."),
        (LIST, "[A.name] will light up your garden for years."),
        (NO, "I'm afraid that is not a match, yet we do something for a nursery."),
        # two where there is one
        (CHOSEN, "Both are brass."),
        (CHOSEN, "That leaves [A.name] and [A.price]."),
        # a fact of another item
        (LIST, "[A.name] is glass."),
        (LIST, "[A.name] is glass and [B.name] is brass."),
        (LIST, "[A.name] and [B.name] are brass."),
        (LIST, "Both [A.name] and [B.name] are brass."),
        (LIST, "Look at [A.name] and [B.name]: the second is green."),
        (LIST, "How about [B.name]? It's green."),
        # prices
        (LIST, "[A.name] is only ten."),
        (LIST, "[A.name] costs $12."),
        (LIST, "[A.name] costs twenty bucks."),
        (LIST, "[A.name] costs １２."),
        (LIST, "[A.name] costs ₽ a lot."),
        (LIST, "[A.name] costs Ⅻ."),
        (LIST, "[A.name] costs [B.price]."),
        (LIST, "[B.price] is what [A.name] costs, and [A.price] is for [B.name]."),
        (LIST, "[A.name] is [budget]."),
        (LIST, "[A.name] is over [budget]."),
        (LIST, "[A.name] costs you nothing."),
        (LIST, "[A.name] is cheaper."),
        # negations turned round
        (LIST, "[A.name] isn't brass."),
        (LIST, "[A.name] is plastic."),
        (LIST, "We don't sell [A.name]."),
        (PAIR, "[B.name] is the cheaper, [A.name] is better rated."),
        (PAIR, "[B.name] costs less than [A.name]."),
        (PAIR, "[A.name] costs more than [B.name]."),
        (PAIR, "[B.name] has the better price."),
        (PAIR, "[A.name] has the higher rating."),
        (STOCK, "Yes, [A.name] is available."),
        # promises
        (LIST, "[A.name] comes with a warranty."),
        (LIST, "You'll have [A.name] by tomorrow."),
        (LIST, "[A.name] ships for free."),
        (LIST, "You can bring it back any time: [A.name]."),
        (LIST, "[A.name] is in stock."),
        (LIST, "I'll give you a discount on [A.name]."),
        (LIST, "[A.name] is half-price."),
        # tags
        (LIST, "[C.name] is nice."),
        (LIST, "[A.weight] is what [A.name] weighs."),
        (LIST, "Have a look at [A.name for [A.price]."),
        (LIST, "Have a look at A.name] now."),
        (LIST, "Have a look at [[A.name]]."),
        (LIST, "Have a look at [A.NAME] and [A.name]."),
        (POLICY, "Here is what I found. [quote] [quote]"),
        (POLICY, "You can send it back."),
        # links, markup, other scripts
        (LIST, "See [A.name] at https://shop.example."),
        (LIST, "See [A.name] at www.shop.example."),
        (LIST, "<b>[A.name]</b> is nice."),
        (LIST, "[A.name] это хорошо."),
        (LIST, "[A.name] ist schön."),
        (LIST, "[A.name]很好。"),
        (LIST, "[A.name] is brаss."),
        # form and duty
        (LIST, ""),
        (LIST, "..."),
        (LIST, "I have something for you."),
        (LIST, "Take a look at [A.name], in"),
        (LIST, "[A.name] is the one, [A.name] is the one, [A.name] is the one."),
        (NO, "Sure, here you are."),
        (MATERIAL, "Good question about [A.name]."),
    ],
)  # fmt: skip
def test_a_reply_that_may_be_false_is_refused(brief, reply):
    assert not verify(reply, brief).accepted


def test_a_list_is_given_once():
    twice = "Let's see: [A.name] or [B.name]? It would help to know: [A.name] or [B.name]?"
    assert "says the same thing of a product twice" in verify(twice, LIST).problems
    once = "Let's see: [A.name] or [B.name]? My choice is [A.name]."
    assert "says the same thing of a product twice" not in verify(once, LIST).problems


def test_a_comparison_names_each_product_for_its_merit_and_for_its_price():
    compared = replace(LIST, act="compare")
    reply = "[A.name] is the cheaper, [B.name] the better rated. [A.name] is [A.price], [B.name] [B.price]."
    assert "says the same thing of a product twice" not in verify(reply, compared).problems
    thrice = reply + " So, [A.name] or [B.name]?"
    assert "says the same thing of a product twice" in verify(thrice, compared).problems


def test_a_wish_that_was_given_up_must_be_named():
    brief = Brief(
        "recommend", wishes=("lamp",), gave_up=("brass", "under [budget]"), items=LIST.items, slots=LIST.slots
    )
    assert not verify("How about [A.name]?", brief).accepted
    assert not verify("I couldn't keep to brass. How about [B.name]?", brief).accepted
    assert verify("I couldn't keep to brass or [budget]. How about [B.name]?", brief).accepted


@pytest.mark.parametrize(("act", "reply"), [("ask", "I can help you."), ("handoff", "One moment.")])
def test_each_act_must_do_what_it_is_for(act, reply):
    assert not verify(reply, Brief(act)).accepted


def test_a_claim_without_a_fact_is_told_from_a_matter_of_form():
    assert verify("Take [A.name], it's golden.", LIST).unsupported
    assert not verify("Take [A.name]", LIST).unsupported


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=("Nd", "Sc")), min_size=1, max_size=4), st.integers(0, 20))
def test_no_digit_and_no_currency_sign_is_ever_accepted(foreign, place):
    said = "Take a look at [A.name], in brass."
    assume(not said[:place].count("[") or place > said.index("]"))
    assert not verify(said[:place] + foreign + said[place:], LIST).accepted


KNOWN = neutral_words("recommend") | {
    stem(w) for w in "recommend lamp brass glass green amber material color plastic".split()
}


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{3,12}", fullmatch=True))
def test_no_word_from_outside_the_brief_is_ever_accepted(word):
    assume(stem(word) not in KNOWN)
    assert not verify(f"[A.name] is {word}.", LIST).accepted


@settings(deadline=None)
@given(st.characters(categories=("Lu", "Ll", "Lo", "Lt", "Lm"), min_codepoint=0x250))
def test_no_letter_of_another_script_is_ever_accepted(letter):
    assert not verify(f"[A.name] is brass {letter}.", LIST).accepted


def priced(wishes: tuple[str, ...] = (), gave_up: tuple[str, ...] = (), **prices: str) -> Brief:
    items = tuple(
        ItemFacts(letter, "lamp", {}, {"name": f"Name {letter}", "price": price}) for letter, price in prices.items()
    )
    return Brief("recommend", wishes=("lamp", *wishes), gave_up=gave_up, items=items, slots={"budget": "$1,060"})


@pytest.mark.parametrize(
    ("reply", "prices"),
    [
        ("[A.name] and [B.name] both stay under [budget].", {"A": "$1,060", "B": "$863.95"}),
        ("Under your [budget] I have [A.name]. [B.name] is another one.", {"A": "$60", "B": "$1,299"}),
        ("Your [budget] won't reach, I'm sorry. [A.name] is [A.price].", {"A": "$1,060.50"}),
        ("There is nothing under [budget], I'm sorry. [A.name] is [A.price].", {"A": "$2,000"}),
        ("Nothing is under [budget], but [A.name] is closest.", {"A": "$2,000"}),
        ("It isn't over [budget]: [A.name] is [A.price].", {"A": "$20"}),
        ("[A.name] is the one around [budget].", {"A": "$1,100"}),
    ],
)
def test_what_is_said_of_the_budget_holds_for_the_products_it_is_said_of(reply, prices):
    gave_up = ("under [budget]",) if "sorry" in reply or "Nothing" in reply else ()
    assert not [p for p in verify(reply, priced(gave_up=gave_up, **prices)).problems if "budget" in p]


@pytest.mark.parametrize(
    ("reply", "prices"),
    [
        ("[A.name] and [B.name] all stay under [budget].", {"A": "$1,060.01", "B": "$863.95"}),
        ("Both come in below your [budget]: [A.name] and [B.name].", {"A": "$60", "B": "$1,299"}),
        ("Here are two within [budget]. [A.name] is [A.price].", {"A": "$2,000", "B": "$1,500"}),
        ("Your [budget] won't quite reach, I'm sorry. [A.name] is [A.price].", {"A": "$7.90"}),
        ("[A.name] goes over [budget].", {"A": "$7.90"}),
        ("There is nothing under [budget], so how about [A.name]?", {"A": "$7.90"}),
        ("I can keep to [budget]: [A.name].", {"A": "$1,299"}),
    ],
)
def test_a_false_word_on_the_budget_is_refused(reply, prices):
    for wishes, gave_up in ((("around [budget]",), ()), ((), ("around [budget]",))):
        verdict = verify(reply, priced(wishes, gave_up, **prices))
        assert [problem for problem in verdict.problems if "of a product" in problem]
        assert verdict.unsupported


OPTIONS = replace(LIST, notes={"ask": "finish", "options": "retro enamel, matte, brushed"})


@pytest.mark.parametrize(
    "reply",
    [
        "[A.name] comes in retro enamel or matte. Which way do you lean?",
        "[A.name] and [B.name] all have a brushed or matte finish.",
        "Would [A.name] in matte suit you?",
        "I'd take [A.name]. It comes in matte.",
        "[A.name] is brass. The others are matte.",
    ],
)
def test_an_answer_to_choose_from_is_said_of_no_product(reply):
    assert verify(reply, OPTIONS).unsupported


def test_an_answer_to_choose_from_may_be_asked_about():
    assert not verify("I'd take [A.name]. Would retro enamel, matte or brushed suit you?", OPTIONS).unsupported
    assert not verify("I'd take [A.name]. As for the finish, tell me: matte or brushed.", OPTIONS).unsupported


@pytest.mark.parametrize(
    "reply", ["[A.name] is made of green.", "[B.name] is made of brass.", "It's made of amber: [B.name]."]
)
def test_a_thing_is_made_of_its_material(reply):
    assert verify(reply, LIST).unsupported


def test_what_a_thing_is_made_of_may_be_said():
    assert verify("[A.name] is made of brass, [B.name] is made of glass.", LIST).accepted


def test_nobody_wins_on_a_price_that_is_the_same():
    even = replace(PAIR, notes={"differ": "material"})
    assert not verify("On price, [B.name] wins with [B.price].", even).accepted
    assert not verify("On price, [B.name] wins with [B.price].", PAIR).accepted
    assert verify("On price, [A.name] wins with [A.price].", PAIR).accepted


def test_two_values_are_set_apart_only_where_they_differ():
    reply = "[A.name] or [B.name], [A.price] or [B.price]?"
    assert verify(reply, LIST).problems == ("sets apart two values that are the same",)
    dearer = replace(LIST.items[1], slots={**LIST.items[1].slots, "price": "$2"})
    assert verify(reply, replace(LIST, items=(LIST.items[0], dearer))).problems == ()


def test_nobody_apologises_for_products_that_have_all_that_was_wished():
    fits = "Not all of these, I'm sorry to say. [A.name] is brass, at [A.price]."
    assert verify(fits, LIST).problems == ('says "not all", though nothing was given up',)
    given_up = replace(LIST, gave_up=("brass",))
    assert verify("Not all in brass, I'm afraid: take [B.name] at [B.price].", given_up).problems == ()
    assert verify("Sorry for that. [A.name] is brass.", LIST).problems == ()


def test_what_a_thing_is_for_is_said():
    assert (
        'says "is for the other", which tells nothing'
        in verify("[A.name] is for the other, [B.name] too.", LIST).problems
    )
    assert verify("[A.name] is for one lamp.", LIST).problems == ()

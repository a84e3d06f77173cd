"""Ask or show: what a question is worth over a belief, and what an answer of few words means. No database but for talks."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from botcore.dialogue.ask import MEANING, PRICE, answered, ask_or_show, belief, opening, price_band
from botcore.dialogue.intents import Intent
from botcore.dialogue.lexicon.lexicon import CategoryWords, Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.state import Act, Constraint, DialogueState, PriceRange, Question
from botcore.dialogue.understand import Understanding
from catalog.search import Candidate

RUGS = DialogueState(turn=1, goal="home/rugs")


def lexicon(products=12):
    rugs = CategoryWords("home/rugs", "Rugs", "rug", "地毯", products)
    return Lexicon(categories={"home/rugs": rugs, "home": CategoryWords("home", "Home", "home", "家居", products)})


def candidate(number, score=1.0, price="50", **attributes):
    category = SimpleNamespace(path="home/rugs")
    listed = {name: value if isinstance(value, list) else [value] for name, value in attributes.items()}
    product = SimpleNamespace(pk=number, sku=f"R{number}", attributes=listed, category=category)
    return Candidate(product, SimpleNamespace(price=Decimal(price)), score)


def rugs(count, **attributes):
    """Equally good rugs whose attributes take turns in the given values."""
    return [
        candidate(i, **{name: values[i % len(values)] for name, values in attributes.items()}) for i in range(count)
    ]


def weighed(candidates, state=RUGS, products=None, **allowed):
    return ask_or_show(candidates, candidates[:3], state, lexicon(products or len(candidates)), **allowed).question


def test_a_belief_is_a_softmax_that_leaves_room_for_what_was_not_considered():
    seen = belief([candidate(1, 1.0), candidate(2, 0.5)], 2)
    assert seen.sum() == pytest.approx(1) and seen[0] > 0.9
    assert belief(rugs(10), 40).sum() == pytest.approx(0.25)


def test_the_question_that_splits_the_belief_best_is_asked():
    candidates = [
        candidate(i, material=("wool", "jute", "cotton")[i % 3], color="gray" if i else "red") for i in range(24)
    ]
    question = weighed(candidates)
    assert question.attribute == "material" and set(question.options) == {"wool", "jute", "cotton"}


def test_few_candidates_and_a_sharp_belief_are_shown():
    assert weighed(rugs(3, material=("wool", "jute"))) is None
    sharp = [candidate(i, 3.0 if i < 3 else 0.0, material=("wool", "jute")[i % 2]) for i in range(20)]
    assert weighed(sharp) is None


def test_nothing_is_asked_that_was_asked_said_or_declined():
    candidates = rugs(24, material=("wool", "jute", "cotton"))
    assert weighed(candidates, RUGS.with_(asked=("material",))) is None
    wool = RUGS.with_(constraints=(Constraint("material", "wool"),))
    assert weighed(candidates, wool) is None


def test_every_question_makes_the_next_one_dearer_until_none_is_asked():
    candidates = rugs(24, material=("wool", "jute", "cotton"), size_class=("small", "wide"), shape=("round", "long"))
    asked, state = [], RUGS
    while question := weighed(candidates, state):
        asked.append(question.attribute)
        state = state.with_(asked=(*state.asked, question.attribute), open_question=question)
        assert len(asked) < 9
    impatient = RUGS.with_(asked=tuple("abcdefghij"))
    assert asked and weighed(candidates, impatient) is None


def test_a_question_stands_alone_only_where_a_slate_would_be_noise():
    materials = ("wool", "jute", "cotton", "silk")
    assert not weighed(rugs(24, material=materials)).alone
    assert weighed(rugs(60, material=materials), products=600).alone
    assert weighed(rugs(60, material=materials), products=600, alone=False) is None


def test_a_salesperson_who_would_not_ask_makes_asking_dearer():
    candidates = [candidate(i, 1.0 - i / 40, material=("wool", "jute")[i % 2]) for i in range(12)]
    worth = [
        ask_or_show(candidates, candidates[:3], RUGS, lexicon(12), odds=odds).worth["show, ask material"]
        for odds in (0.2, 1.0, 5.0)
    ]
    assert worth == sorted(worth) and worth[0] < worth[2]


def test_a_long_tail_of_values_is_no_question():
    assert weighed(rugs(40, maker=[f"maker {'abcdefgh'[i % 8]}{'xyzuvw'[i // 8 % 6]}" for i in range(40)])) is None


def test_a_chinese_customer_is_not_asked_in_english_words():
    assert weighed(rugs(24, weave=("kilim", "soumak", "sprang")), RUGS.with_(language="zh", asked=("price",))) is None


def test_price_bands_are_round_and_hold_about_as_much_each():
    candidates = [candidate(i, price=str(20 + 7 * i)) for i in range(30)]
    question = weighed(candidates)
    assert question.attribute == PRICE
    bands = [price_band(option) for option in question.options]
    assert bands[0].low is None and bands[-1].high is None
    assert [b.high for b in bands[:-1]] == [b.low for b in bands[1:]]
    prices = np.array([float(c.variant.price) for c in candidates])
    inside = [((prices > float(b.low or 0)) & (prices <= float(b.high or 9999))).sum() for b in bands]
    assert min(inside) >= 7


def test_without_a_goal_the_departments_are_the_options():
    assert opening(lexicon(), DialogueState()).options == ("home",)


def test_the_state_keeps_a_question_through_json_and_reads_old_rows():
    state = RUGS.with_(open_question=Question("material", ("wool", "jute"), alone=True), hurried=True)
    assert DialogueState.from_json(state.to_json()) == state
    assert DialogueState.from_json({"open_question": "category"}).open_question == Question("category", alone=True)
    assert DialogueState.from_json({"open_question": ""}).open_question is None


@pytest.mark.django_db
class TestAnswers:
    """What was asked gives a few words their meaning."""

    def after(self, talk, attribute, options, alone=True, **state):
        question = Question(attribute, options, alone=alone)
        known = {"turn": 1, "goal": "kitchen/kettles", "open_question": question, "asked": (attribute,), **state}
        talk.state = DialogueState(**known)
        return talk

    def test_a_value_is_a_wish(self, talk):
        reply = self.after(talk, "material", ("steel", "glass"))("glass")
        assert {item.sku for item in reply.items} == {"K2"}

    @pytest.mark.parametrize(
        ("said", "value"), [("the first", "steel"), ("the second one", "glass"), ("the latter", "glass")]
    )
    def test_a_place_is_that_option_where_nothing_was_shown(self, talk, said, value):
        reply = self.after(talk, "material", ("steel", "glass"))(said)
        assert [c.value for c in reply.state.constraints if c.attribute == "material"] == [value]

    def test_a_place_is_a_product_where_a_list_was_shown_with_the_question(self, talk):
        talk = self.after(talk, "material", ("steel", "glass"), alone=False, shown=(("K1", "K2", "K3"),))
        assert talk("I'll take the first").state.focus == "K1"

    @pytest.mark.parametrize("said", ["doesn't matter", "up to you", "都行", "随便"])
    def test_no_preference_shows_and_does_not_ask_it_again(self, talk, said):
        reply = self.after(talk, "material", ("steel", "glass"))(said)
        assert reply.act is Act.RECOMMEND and len(reply.items) == 3
        assert not reply.state.constraints and "material" in reply.state.asked
        assert reply.state.open_question is None or reply.state.open_question.attribute != "material"

    @pytest.mark.parametrize("said", ["50", "the first", "under 50"])
    def test_a_price_is_a_limit(self, talk, said):
        reply = self.after(talk, PRICE, ("..50", "50..80", "80.."))(said)
        assert reply.state.price == PriceRange(high=Decimal(50))
        assert all(item.price <= 50 for item in reply.items)

    def test_a_refusal_of_all_options_rules_them_out(self, talk):
        reply = self.after(talk, "material", ("steel", "glass"))("I don't like any of these")
        assert {item.sku for item in reply.items} == {"K4"}

    def test_a_change_of_subject_is_no_answer(self, talk):
        reply = self.after(talk, "material", ("steel", "glass"))("do you have board games?")
        assert reply.state.goal == "games"

    def test_two_questions_never_come_in_a_row_without_products(self, talk):
        talk.state = DialogueState(turn=1, open_question=opening(lexicon(), DialogueState()), asked=("category",))
        reply = talk("something for the kitchen")
        assert reply.items


@pytest.mark.django_db
def test_a_question_asked_beside_a_list_is_in_the_reply(talk):
    reply = talk("show me kettles please")
    if question := reply.state.open_question:
        assert reply.items and "?" in reply.text
        assert all(option in reply.text.lower() for option in question.options if question.attribute != PRICE)


@pytest.mark.django_db
def test_who_wants_to_be_shown_things_is_not_asked_again(talk):
    talk("hello, I want to buy something")
    reply = talk("stop asking, just show me kettles")
    assert reply.items and reply.state.open_question is None


def test_meaning_is_asked_with_its_readings():
    question = Question(MEANING, ("color=rose", "scent=rose"), alone=True)
    assert DialogueState.from_json(DialogueState(open_question=question).to_json()).open_question == question


def test_a_word_that_is_refused_answers_no_question_by_its_other_meaning():
    words = lexicon()
    words.attributes["color"] = {"white": 4, "cream": 4}
    white, cream = Meaning("color", "white"), Meaning("color", "cream")
    words.placed.update({white: {"home/rugs": 4}, cream: {"home/rugs": 4}})
    words.learn("白色", white, cream)
    for key, (phrase, meanings) in words.phrases.items():
        words.recognise(key, phrase, meanings)
    words.automaton.make_automaton()
    before = RUGS.with_(open_question=Question("color", ("white", "cream")))
    refusal = Constraint("color", "white", wanted=False)
    said = Understanding("不要白色", "zh", Intent("find", {"find": 1.0}), constraints=(refusal,))
    assert answered(said, before, words).constraints == (refusal,)
    wish = replace(said, text="白色", constraints=())
    (either,) = answered(wish, before, words).constraints
    assert {either.value, *either.others} == {"white", "cream"} and either.hard
    words.names[white] = {"zh": ["白色"]}
    assert [(c.value, c.others) for c in answered(wish, before, words).constraints] == [("white", ())]


def test_a_question_about_one_kind_is_not_answered_by_another_kind():
    before = RUGS.with_(open_question=Question("color", ("red", "gray")))
    said = Understanding("red lamps", "en", Intent("find", {"find": 1.0}), goals=("home/lamps",))
    assert answered(said, before, lexicon()) is said


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("one that gives hope", "en", {"hopeful"}),
        ("给人希望的", "zh", {"hopeful"}),
        ("i'd say thinking", "en", set()),
        ("不要给人希望的", "zh", set()),
        ("there is no hope", "en", set()),
    ],
)
def test_an_answer_may_say_a_value_in_another_form(text, language, values):
    words = lexicon()
    for value, chinese in (("hopeful", "充满希望"), ("thoughtful", "发人深省")):
        meaning = Meaning("mood", value)
        words.attributes.setdefault("mood", {})[value] = 4
        words.placed[meaning] = {"home/rugs": 4}
        words.names[meaning] = {"zh": [chinese]}
        words.recognise(value, value, {meaning})
    words.automaton.make_automaton()
    before = RUGS.with_(open_question=Question("mood", ("hopeful", "thoughtful")), language=language)
    said = Understanding(text, language, Intent("vague", {"vague": 1.0}))
    assert {c.value for c in answered(said, before, words).constraints} == values

"""Which act answers a message. A pure decision over the state, the reading and what the shop could answer with.

Whether a list of products comes with a question, or the question alone, is decided by ``ask.py`` once they are found.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from botcore.dialogue.answer import DISPLEASING, POINTS, SUPPOSING, Answer
from botcore.dialogue.evidence import Kind
from botcore.dialogue.intents import SMALL_TALK
from botcore.dialogue.meanings import CATEGORY, TEXT
from botcore.dialogue.perceived import PICTURED, Perceived
from botcore.dialogue.state import Act, DialogueState, Question
from botcore.dialogue.understand import ANOTHER, OF_OTHERS, Understanding
from botcore.dialogue.understanding.intention import asks_within, extreme_asked

ASKS = 0.25
"""Chance of a question, by all intents to ask together, from which a sure answer is given."""
OBVIOUS = 0.7
"""Chance of an answer from which an answer is given whatever else the message may be."""
TOLD = 0.55
"""Chance from which an article answers what asks after an order ("it never came, what now?")."""
WORRIED = 0.4
"""Chance from which an article answers what is asked as a worry ("and if it breaks?")."""
SURE = 0.45
"""Confidence from which an intent that overrides a product wish is believed."""

GUESS = 0.1
"""Confidence up to which an intent is only the least unlikely."""
UNCERTAIN = 0.3
"""Calibrated confidence below which a message without a wish is asked about: seven of ten such readings are wrong."""
WISHES = {"find", "show", "more", "cheaper", "dearer", "reject", "vague", "choose", "availability"}
LISTING = WISHES - {"find", "availability"}
"""What asks for products rather than about them."""
ABOUT_ONE = {"choose", "product_question", "availability", "explain"}
"""What is wanted of a product that the list has."""
BEST = re.compile(r"\bbest\b|\b(?:top|highest)[ -]rated\b|最好|最棒|评分最高|评价最好")
"""What asks for the best of a kind."""
CRITIQUE = re.compile(
    r"\b(?:more|less|too(?! ?(?:$|[?.!,]))|not \w+ enough)\b|更|太|不够|(?:一点|一些|点儿?)[的吗吧。]*$"
)
"""What asks for more or less of what a list has."""
THEME = re.compile(
    r"\b(?:loves|likes|adores|enjoys|(?<!'d )(?<!would )love|(?:is|are|'s|'m|am) (?:really |very )?into|fan of"
    r"|(?:crazy|mad) about|obsessed with|interested in)\b|喜欢|热爱|着迷|迷上|感兴趣"
)
"""What tells a person's likings rather than what is looked for."""


POLICY, NO_INFORMATION = "policy", "no_information"
"""Why an article is quoted, or a person offered who may know."""
ITEM, NOT_SOLD, THEMELESS, UNTOLD, BEST_RATED = "item", "not_sold", "theme", "not_told", "best"
"""Why it is asked which product is meant; why nothing is shown: what is not sold, a person's liking that nothing is about, a
critique that no data tell; and why the best rated are."""
HELD_OUT = "held_out"
"""Why a person takes over who shows products: to this customer the bot does not."""
WITHOUT_PRODUCTS = frozenset({Act.ANSWER, Act.CHITCHAT, Act.CLARIFY, Act.DECLINE, Act.HANDOFF})
"""Acts that lead to no product."""
APPROVED = frozenset({ITEM, THEMELESS, UNTOLD, HELD_OUT})
"""Occasions whose words are approved phrases alone."""
WHICH_OF = re.compile(
    r"\bwhich (?:ones?|of (?:these|those|them))\b(?!.*\b(?:or|better|best|most|\w+est)\b)"
    r"|哪(?:些(?!尺?[码寸]|号|颜?色|版|规格|容量|口味|功能)|几[个款件本])"
)
"""What asks for those of a list that are so."""


@dataclass(frozen=True)
class Decision:
    """The act and its occasion. ``reason`` is the note the reply needs (topic, reason, what is unclear, what kind of list).

    ``word`` is one with several meanings, which ``question`` asks about. ``looking`` says that a product was only asked
    for ("which is the cheapest?"), not yet decided on.
    """

    act: Act
    reason: str = ""
    about: tuple[str, ...] = ()
    fresh: bool = False
    question: Question | None = None
    word: str = ""
    looking: bool = False

    @property
    def failed(self) -> bool:
        """Whether the customer is left without what they asked for, or is not understood."""
        return self.reason == NO_INFORMATION or self.act is Act.CLARIFY


def decide(before: DialogueState, state: DialogueState, said: Understanding, answer: Answer | None = None) -> Decision:
    """The act for a message; ``answer`` is the nearest one that the shop has, sure or not."""
    intent = said.intent.name
    wish = _says_wish(said)
    supposed = intent == "upset" and DISPLEASING.search(said.text)
    worried = said.is_question and not (wish or intent in WISHES) and SUPPOSING.search(said.text)
    if (
        not supposed
        and said.intent.confidence > (SURE / 2 if intent == "person" else SURE)
        and intent in ("person", "upset")
    ):
        return Decision(Act.HANDOFF, "asked" if intent == "person" else "upset")
    if intent == "reset":
        return Decision(Act.CHITCHAT, "greeting")
    if answer and DISPLEASING.search(said.text) and (answer.sure or answer.some >= SOME):
        return _answered(answer)
    if before.last_list and 0 < len(said.references) < len(before.last_list) and WHICH_OF.search(said.text):
        return Decision(Act.RECOMMEND, about=said.references)
    if intent == "compare" and before.last_list and not said.goals and said.intent.confidence > GUESS:
        return Decision(Act.COMPARE, about=said.references if len(said.references) > 1 else before.last_list)
    if said.goals and not said.references and intent in ("compare", "find") and BEST.search(said.text):
        return Decision(Act.RECOMMEND, BEST_RATED)
    if said.compared:
        return Decision(Act.COMPARE)
    if intent == "compare" and not before.last_list and said.is_question and not (answer and answer.sure):
        return Decision(Act.DECLINE, NO_INFORMATION)
    if said.beyond and before.slate and not said.goals and intent in ABOUT_ONE:
        return _which(before)
    if intent == "explain" and before.slate and said.intent.confidence > SURE:
        return Decision(Act.EXPLAIN, about=said.references or _spotlight(before))
    if intent == "goes_with" and before.slate and said.goals in ((), (before.goal,)):
        return Decision(Act.RECOMMEND, "goes_with", about=said.references or _spotlight(before))
    if intent == "choose" and said.references and not said.goals:
        if len(said.references) > 1 and extreme_asked(said.text):
            return Decision(Act.RECOMMEND, about=said.references)  # several share the lowest price: none of them wins
        looking = said.is_question or bool(extreme_asked(said.text))
        return Decision(Act.RECOMMEND, "chosen", about=said.references[:1], looking=looking)
    if intent == "choose" and answer and _is_asked_for(answer, said):
        return _answered(answer)
    if intent == "choose" and before.slate and not (said.references or wish):
        return Decision(Act.RECOMMEND, "chosen", about=_alone(before)) if _alone(before) else _which(before)
    is_there = intent in ("availability", "product_question") and ANOTHER.search(said.text)
    if is_there and len(before.slate) > 1 and len(said.references) == 1 and not wish:
        return Decision(Act.RECOMMEND, "chosen", about=said.references, looking=True)
    likely = answer and (answer.sure or _broadly_asked(answer, said) or _eases(answer, said))
    if answer and likely and _asks_for(answer, before, said):
        return _answered(answer)
    if supposed or worried:
        return Decision(Act.DECLINE, NO_INFORMATION)
    if intent == "discount" and (said.intent.confidence > SURE or not wish or said.references):
        return Decision(Act.DECLINE, "not_possible")
    if not (wish or said.references or said.unknown) and said.intent.confidence < UNCERTAIN:
        return Decision(Act.CLARIFY, "meaning")
    if intent in SMALL_TALK and (not wish or (said.intent.confidence > SURE and not said.goals and not said.price)):
        return Decision(Act.CLARIFY, "meaning") if _says_nothing(said.text) else Decision(Act.CHITCHAT, intent)
    if intent in ("not_meant", "unclear") and not wish:
        return Decision(Act.CLARIFY, "meaning")
    if unanswered := _unanswered(before, said, wish):
        return unanswered
    return _product(before, state, said, wish)


def with_media(decision: Decision, said: Understanding, perceived: Perceived) -> Decision:
    """The act where more than words came: what looks like a picture is shown, and who sent no words is asked for some.

    Who wants a person gets one, and a question about the shop comes first, whatever picture came with it.
    """
    asks_shop = said.intent.chance("policy", "order_status") > SURE
    about_shop = decision.reason == POLICY or (decision.reason == NO_INFORMATION and asks_shop)
    if perceived.alike and not (decision.act is Act.HANDOFF or about_shop):
        return Decision(Act.RECOMMEND, PICTURED)
    if perceived.missed and not said.text.strip():
        return Decision(Act.CLARIFY, perceived.missed[0])
    return decision


def without_products(decision: Decision) -> Decision:
    """What becomes of a decision where the bot may show none: whoever looks for something gets a person."""
    return decision if decision.act in WITHOUT_PRODUCTS else Decision(Act.HANDOFF, HELD_OUT)


CLEARLY, SOME, LIKELIEST = 0.7, 0.8, 0.25
"""Chances that a message asks about the service, that some article answers and that this one does, from which the likeliest
article is quoted though others of the same matter are almost as likely ("what is your return policy?")."""


def _broadly_asked(answer: Answer, said: Understanding) -> bool:
    service = answer.kind is Kind.ARTICLE and _asks_shop(answer, said) > CLEARLY
    return service and answer.some >= SOME and answer.near >= LIKELIEST


def _asks_shop(answer: Answer, said: Understanding) -> float:
    """The chance that a message asks the shop what an answer tells: an article tells how things are as well."""
    of_things = ("product_question",) if answer.kind is Kind.ARTICLE else ()
    return said.intent.chance("policy", "order_status", *of_things)


def _eases(answer: Answer, said: Understanding) -> bool:
    """Whether an article is likely enough for a worry, that others are less so being enough."""
    worried = said.is_question and SUPPOSING.search(said.text) is not None
    return worried and answer.kind is Kind.ARTICLE and answer.near >= WORRIED


def _is_asked_for(answer: Answer, said: Understanding) -> bool:
    """Whether one of a message's sentences asks for what an article surely answers."""
    return asks_within(said.text) and answer.sure and answer.kind is Kind.ARTICLE


def _answered(answer: Answer) -> Decision:
    if answer.kind is Kind.ARTICLE:
        return Decision(Act.ANSWER, POLICY)
    return Decision(Act.ANSWER, "product", about=answer.details.get("told_of", (answer.id,)))


def subject_of(before: DialogueState, said: Understanding) -> str:
    """The product that a question speaks of, by SKU: the one pointed at, else the one in the spotlight; "" for none."""
    if said.references:
        return said.references[0] if len(said.references) == 1 else ""
    return next(iter(_alone(before)), "")


def _alone(before: DialogueState) -> tuple[str, ...]:
    """The one product in sight, or in the spotlight; none where there are several."""
    if before.focus in before.slate and before.focus:
        return (before.focus,)
    return before.slate if len(before.slate) == 1 else ()


def _asks_for(answer: Answer, before: DialogueState, said: Understanding) -> bool:
    """Whether a message asks what the answer says, rather than for products."""
    asks_shop = _asks_shop(answer, said)
    if said.intent.name == "order_status" and said.intent.confidence > SURE and answer.near < TOLD:
        return False
    if said.price and asks_shop <= CLEARLY and not (said.is_question and answer.near >= OBVIOUS):
        return False  # but "I saw it for 40 less, can you match that?"
    if said.price and said.intent.chance(*WISHES) > CLEARLY and not said.words:
        return False  # "something under $45?"
    if said.intent.name in LISTING and (said.intent.confidence > SURE or said.references):
        return False
    pointed_at = bool(said.references or POINTS.search(said.text))
    if _asks_for_a_value(said) and not pointed_at and answer.near < OBVIOUS:
        return False  # "have you anything quieter?" asks for products
    if said.goals and answer.kind is not Kind.ARTICLE and not pointed_at:
        return False  # "so, coats? one in size L" asks for coats, not about the one in sight
    subject = subject_of(before, said)
    if _names_another_kind(before, said) and not said.references:
        of_the_product = said.intent.chance("product_question") > CLEARLY and answer.kind is not Kind.ARTICLE
        return asks_shop > SURE or (said.is_question and answer.near >= OBVIOUS) or bool(subject and of_the_product)
    asks = said.intent.chance("policy", "order_status", "product_question") + (
        said.intent.chance("availability") if subject or "told_of" in answer.details else 0.0
    )
    if not said.is_question:
        return asks > SURE
    pointed = bool(subject and said.references)
    goes_on = answer.kind is Kind.ARTICLE and answer.id == before.last_article
    return asks >= ASKS or pointed or goes_on or answer.near >= OBVIOUS


def _asks_for_a_value(said: Understanding) -> bool:
    return said.intent.name == "find" and any(c.attribute != TEXT and c.wanted for c in said.constraints)


def _names_another_kind(before: DialogueState, said: Understanding) -> bool:
    """Whether a category is named that the talk's products are not in ("this book" names theirs)."""
    return any(not (before.goal + "/").startswith(goal + "/") for goal in said.goals)


def _unanswered(before: DialogueState, said: Understanding, wish: bool) -> Decision | None:
    """What becomes of a question that nothing answers: a person is offered, or it is asked what it is about."""
    intent, unsure = said.intent.name, said.intent.confidence <= SURE
    if intent == "order_status" and not unsure:
        return Decision(Act.DECLINE, NO_INFORMATION)
    if said.is_question and intent == "policy" and not unsure:
        return Decision(Act.DECLINE, NO_INFORMATION)  # "can I return an opened serum?"
    if (said.goals and _names_another_kind(before, said)) or said.price:
        return None
    subject = subject_of(before, said)
    valued = any(c.attribute != TEXT for c in said.constraints)
    asks = said.is_question or not unsure
    if intent in ("product_question", "availability") and asks and before.slate and not (said.thing and unsure):
        return Decision(Act.DECLINE, NO_INFORMATION, about=(subject,)) if subject else _which(before)
    asks = said.is_question or not before.slate
    of_the_shop = intent in ("policy", "order_status") or (intent == "product_question" and not before.slate)
    if of_the_shop and asks and not (unsure and (valued or (wish and not subject))):
        return Decision(Act.DECLINE, NO_INFORMATION)
    asking = said.intent.chance("policy", "product_question", "availability")
    points = bool(said.references) or POINTS.search(said.text) is not None
    if said.constraints and (ANOTHER.search(said.text) or OF_OTHERS.search(said.text)):
        return None  # "do you have a white one too?"
    if subject and said.is_question and not valued and (points or asking >= ASKS) and intent not in LISTING:
        return Decision(Act.DECLINE, NO_INFORMATION, about=(subject,))
    return None


def _which(before: DialogueState) -> Decision:
    """It is asked which of those in sight is meant, by their names."""
    return Decision(Act.CLARIFY, ITEM, about=before.slate)


def _product(before: DialogueState, state: DialogueState, said: Understanding, wish: bool) -> Decision:
    intent = said.intent.name
    known = bool(state.goal or state.topic)
    unknown_alone = said.unknown and not said.goals and not said.price
    criticised = intent == "find" and before.slate and not (_says_wish(said) or said.thing or said.references)
    if criticised and CRITIQUE.search(said.text) and not _known_words(said):
        return Decision(Act.DECLINE, UNTOLD, about=before.slate)
    if said.likely and before.open_question is None:
        return Decision(Act.ASK, CATEGORY, question=Question(CATEGORY, said.likely, alone=True))
    if unknown_alone and not _known_words(said) and (intent == "find" or not known):
        return Decision(Act.DECLINE, missing(said))
    if intent in ("more", "reject") and before.slate and not said.goals:
        return Decision(Act.RECOMMEND, "more", fresh=True)
    if intent in ("cheaper", "dearer") and before.slate and not said.goals and not said.price:
        return Decision(Act.RECOMMEND, intent)
    untold = not state.price or intent == "availability"  # "do you have X under $30?", whatever X is
    if not known and untold and all(c.attribute == CATEGORY for c in state.constraints):
        return Decision(Act.ASK, "category") if not before.open_question else Decision(Act.RECOMMEND, "popular")
    if not known and not wish:
        return Decision(Act.ASK, "category")
    changed = bool(before.goal and state.goal != before.goal and not state.goal.startswith(before.goal))
    return Decision(Act.RECOMMEND, "changed" if changed else "")


def missing(said: Understanding) -> str:
    """Why there is nothing of what a message names: it is not sold, or nothing is about what somebody likes."""
    return THEMELESS if THEME.search(said.text) else NOT_SOLD


def _says_nothing(text: str) -> bool:
    """Whether a message is empty or only punctuation."""
    return all(unicodedata.category(character)[0] in "PZ" for character in text)


def _says_wish(said: Understanding) -> bool:
    return bool(
        said.goals or said.dropped_goals or said.constraints or said.price or said.withdrawn or said.indifferent
    )


def _known_words(said: Understanding) -> bool:
    return bool(said.constraints or set(said.words) - set(said.unknown))


def _spotlight(state: DialogueState) -> tuple[str, ...]:
    return (state.focus,) if state.focus in state.slate and state.focus else state.slate[:1]

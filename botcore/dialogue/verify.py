"""Nothing false is sent: a reply is checked word by word against its brief, and any doubt refuses it.

The vocabulary is closed (``vocabulary.py``): facts of the brief and words that claim nothing. Facts must also belong to
the item the sentence speaks of, negations must be the customer's own, and each act must do what it is for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.budgets import budget_problems
from botcore.dialogue.vocabulary import WORD, certain_texts, item_texts, neutral_words, parts, plainly, shared_texts
from botcore.dialogue.words import stem

WORD_LIMIT = 70
GIVEN_UP, RULED_OUT = "was given up", "which the customer ruled out"
AGAINST_WISHES = (GIVEN_UP, RULED_OUT)
"""How problems end that are about wishes."""
NO_FACT = '"{}" is supported by no fact'
"""What is said of a word from outside the vocabulary."""
SENTENCE = re.compile(r"(?<=[.!?;])\s+")
FORBIDDEN = re.compile(r"[\d$€£¥￥%<>{}\\|]|https?:|www\.")
ALPHABET = re.compile(r"[a-z\s.,;:!?'\"()&/…‘’“”–—-]", re.IGNORECASE | re.ASCII)
"""What a reply is spelt with; any other character must be one of a fact's ("décor")."""
PROMISES = re.compile(
    r"\b(?:next[- ]day|same[- ]day|take it back|money back|pay (?:you )?back|half[- ]price|for (?:free|nothing)|no charge|"
    r"on the house|in stock|sold out|best[- ]?sell\w*|top[- ]rated|last (?:one|few)|while (?:it|they) lasts?|any time|"
    r"right away|by tomorrow|always available|never (?:breaks?|fails?)|bring (?:it|them) back|costs? (?:you )?nothing|"
    r"a gift from us|pays? you|in a day|(?:to you|here|with you|yours) today|we(?:'ll| will)? cover)\b",
    re.IGNORECASE,
)
NEGATION = re.compile(r"\b(?:no|not|never|without|nor|neither|none|cannot|\w+n't)\b", re.IGNORECASE)
REFUSAL = re.compile(
    r"\b(?:no|not|none|nothing|without|never|cannot|\w+n't|afraid|unfortunately|sorry|beyond|outside|unable|nowhere)\b",
    re.I,
)
AFFIRMS = re.compile(
    r"\b(?:yet|but|though|however),? (?:we|i) (?:do|have|carry|sell|stock)\b(?! (?:not|no|nothing)\b)", re.IGNORECASE
)
"""A denial taken back in a breath."""
PERSON = re.compile(r"\b(?:person|people|colleagues?|team|someone|human|teammate|somebody)\b", re.IGNORECASE)
GAVE_UP = re.compile(
    r"\b(?:no|not|nothing|none|without|\w+n't|cannot|over|above|beyond|past|out of|sorry|afraid|unfortunately|sadly|alas|drop\w*|"
    r"had to|leave|left|give up|gave up|let go|closest|nearest|miss\w*|apart from|except|compromise)\b",
    re.IGNORECASE,
)
APOLOGY = re.compile(
    r"\b(?:sorry(?! (?:for|about|that|you|to (?:hear|keep)))|afraid|unfortunately|sadly|alas|not (?:all|every|each))\b",
    re.IGNORECASE,
)
"""What is said of products only where some wish of theirs was given up."""
FOR_NOTHING = re.compile(r"(?:\b(?:is|are)|'s|'re) for (?:the )?(?:others?|ones?)(?=\s*(?:[,.;!?]|$))", re.IGNORECASE)
"""A use or a person that is none."""
MISPLACED = re.compile(
    r"\b(?:for|costs?|comes? to)\s+\[[A-D]\.(?!price|name|rating)[a-z_]+\]|\bat\s+\[[A-D]\.(?:capacity|size)\]", re.I
)
OF_ITSELF = re.compile(r"\[([A-D])\.name\],?\s+(?:and|or)\s+\[\1\.", re.IGNORECASE)
"""A product and its own price as if they were two things."""
SET_APART = re.compile(r"\[([A-D]\.[a-z_]+)\],?\s+(?:or|against|versus|rather than|to)\s+(?:the )?\[([A-D]\.[a-z_]+)\]")
"""Two values told as two ("15 ml or 50 ml")."""
SEVERAL = re.compile(
    r"\b(?:both|neither|either (?:of|one)|(?:the|these|those) (?:two|three|four)|(?:two|three|four) of)\b",
    re.IGNORECASE,
)
EVERY = re.compile(r"\b(?:both|all|each(?! other)|every|either|any of them)\b", re.IGNORECASE)
ASKING = re.compile(r"\?|\b(?:tell me|let me know|say the word|give me|name|describe|point me)\b", re.IGNORECASE)
CHEAPER = re.compile(
    r"\b(?:cheap\w*|less (?:money|expensive|than)|costs? (?:you )?less|(?:lower|better|nicer) (?:price|priced|deal)|lowest|"
    r"saves?|saving)\b",
    re.IGNORECASE,
)
DEARER = re.compile(
    r"\b(?:costs? (?:you )?more|higher (?:price|priced)|more expensive|dearer|pricier)\b", re.IGNORECASE
)
RATED = re.compile(
    r"\b(?:better rated|higher rated|rated (?:better|higher|above)|(?:higher|better) (?:ratings?|reviews?)|highest|"
    r"higher than)\b",
    re.IGNORECASE,
)
ORDER = re.compile(r"\b(first|former|second|latter|third|last)\b", re.IGNORECASE)
PLACES = {"first": 0, "former": 0, "second": 1, "latter": -1, "third": 2, "last": -1}
IN_A_ROW = re.compile(r"(?:and|,)\s*\[[A-D]\.name\]\s+(?:are|come|have|share)\b", re.IGNORECASE)
LIKE = re.compile(r"[,:]?\s*like\b", re.IGNORECASE)
CLAUSE = re.compile(r"[,:;]\s+|\s+(?:and|or|but|while|whereas|though|with)\s+", re.IGNORECASE)
MADE_OF = re.compile(r"\bmade (?:of|from|in|out of) (?:the |a )?(?P<word>[a-z-]+)", re.IGNORECASE)
MATERIALS = re.compile(r"material|fabric|ingredient|upper|lining|fill|shell|paper", re.IGNORECASE)
"""Attributes that say what a thing is made of."""
WINS = re.compile(r"\b(?:wins?|beats?|ahead|takes it|has the edge)\b", re.IGNORECASE)
ON_PRICE = re.compile(r"\bprices?\b|\[[A-D]\.price\]", re.IGNORECASE)
BARE_BUDGET = re.compile(r"\b(?:is|are|costs?|for|at|priced|price of)\s+\[(?:budget|budget_low)\]", re.IGNORECASE)
REFUSED_ITEM = re.compile(
    r"(?<!why )\b(?:no|not|never|without|cannot|\w+n't)(?: [a-z]+)? (?:\[[A-D]\.(?:name|price)\])", re.IGNORECASE
)


@dataclass(frozen=True)
class Verdict:
    """``problems`` are sentences for the console; empty means that the reply may be sent.

    ``unsupported`` says that some problem is a claim without a fact, not a matter of form; ``against_wishes`` that it says
    what the customer ruled out, or leaves unsaid what was given up.
    """

    problems: tuple[str, ...] = ()
    unsupported: bool = False
    against_wishes: bool = False

    @property
    def accepted(self) -> bool:
        return not self.problems


def verify(text: str, brief: Brief) -> Verdict:
    """Check one English reply with its tags not yet filled."""
    text = plainly(text, brief)
    form = [*_form(text, brief), *_duty(text, brief)]
    claims = [
        *_unknown_tags(text, brief),
        *_foreign_values(text, brief),
        *budget_problems(text, brief),
        *_promises(text, brief),
        *_claims(text, brief),
        *_comparisons(text, brief),
    ]
    problems = (*form, *claims)
    return Verdict(problems, bool(claims), any(problem.endswith(AGAINST_WISHES) for problem in problems))


def _form(text: str, brief: Brief) -> Iterable[str]:
    bare = TAG.sub(" ", text)
    if not WORD.search(bare) and "[quote]" not in text:
        yield "says nothing"
    if len(WORD.findall(bare)) > WORD_LIMIT:
        yield f"longer than {WORD_LIMIT} words"
    if found := FORBIDDEN.search(bare):
        yield f'holds "{found.group()}", which only a tag may bring in'
    elif foreign := next((c for c in bare if not ALPHABET.match(c) and c not in _characters(brief)), None):
        yield f'holds "{foreign}", a character of no fact'
    if "[" in bare or "]" in bare:
        yield "holds a broken tag"
    if text and text.rstrip()[-1:] not in ".!?])'\"…":
        yield "breaks off in the middle"
    if _repeats(bare):
        yield "repeats itself"
    if _dwells(TAG.findall(text), brief.act):
        yield "says the same thing of a product twice"
    if found := MISPLACED.search(text):
        yield f"says {found.group()}, as if it were a price"
    if OF_ITSELF.search(text):
        yield "speaks of a product and its own price as of two things"
    if found := FOR_NOTHING.search(bare):
        yield f'says "{found.group().lower()}", which tells nothing'
    values = brief.tags()
    if any(values.get(one) and values.get(one) == values.get(other) for one, other in SET_APART.findall(text)):
        yield "sets apart two values that are the same"
    if len(brief.items) == 1 and (found := SEVERAL.search(text)):
        yield f'says "{found.group().lower()}" of one product'


def _dwells(tags: list[str], act: str) -> bool:
    """Whether a figure stands twice, or the only product named is named twice, or several are.

    A comparison names each product twice and no more: for what tells it from the others, and for its figures.
    """
    figures = [tag for tag in tags if "." in tag and not tag.endswith((".name", ".price"))]
    named = Counter(tag for tag in tags if tag.endswith(".name"))
    again = sum(count > (2 if act == "compare" and len(named) > 1 else 1) for count in named.values())
    return len(figures) != len(set(figures)) or again > 1 or (again == 1 and len(named) == 1)


def _characters(brief: Brief) -> set[str]:
    """The letters of the brief's words that are not plain English ones; never signs or figures."""
    facts = [*brief.wishes, *brief.gave_up, *brief.notes.values()]
    facts += [word for item in brief.items for word in (item.kind, *item.attributes.values())]
    return {character for fact in facts for character in fact if character.isalpha()}


def _unknown_tags(text: str, brief: Brief) -> Iterable[str]:
    known = brief.tags()
    for tag in dict.fromkeys(TAG.findall(text)):
        if tag not in known:
            yield f"[{tag}] is not among the facts"


def _foreign_values(text: str, brief: Brief) -> Iterable[str]:
    """A price said of another item than its own, a budget said of an item, an item that is said not to be."""
    earlier: list[str] = []
    for sentence in SENTENCE.split(text):
        tags = [m for m in TAG.finditer(sentence) if m.group(1)[1:2] == "."]
        named = [m.group(1)[0] for m in tags if m.group(1).endswith(".name")]
        for place, tag in enumerate(tags):
            letter, slot = tag.group(1).split(".")
            before = [t.group(1)[0] for t in tags[:place] if t.group(1).endswith(".name")]
            placed = _placed(sentence[: tag.start()], [item.letter for item in brief.items])[-1:] if earlier else []
            names = before or placed or earlier or named[:1]
            if slot == "name" or not names or names[-1] == letter or _in_step(sentence, tags, place, names):
                continue
            following = tags[place + 1] if place + 1 < len(tags) else None
            between = sentence[tag.end() : following.start()].split() if following else []
            own = following is not None and following.group(1) == f"{letter}.name"
            if not (own and (not before or between in (["for"], ["for", "the"]))):
                yield f"says [{tag.group(1)}] of {names[-1]}"
        earlier = [*earlier, *named]
    if BARE_BUDGET.search(text):
        yield "gives the budget as a price"
    if brief.act in ("recommend", "compare", "explain"):
        if REFUSED_ITEM.search(text):
            yield "denies a product or its price"
        if not brief.gave_up and (found := APOLOGY.search(text)):
            yield f'says "{found.group().lower()}", though nothing was given up'


def _in_step(sentence: str, tags: list[re.Match[str]], place: int, names: list[str]) -> bool:
    """Whether a value stands in a row that runs like the names before it ("[A.name] and [B.name], at [A.price] and
    [B.price]"), or is set against the named item's own ("[A.price] against [B.price]")."""
    first = last = place
    while first and not tags[first - 1].group(1).endswith(".name"):
        first -= 1
    while last + 1 < len(tags) and not tags[last + 1].group(1).endswith(".name"):
        last += 1
    row = [tag.group(1)[0] for tag in tags[first : last + 1]]
    if len(row) > 1 and (row == names[-len(row) :] or not first):
        return True
    against = sentence[tags[place - 1].end() : tags[place].start()].strip() in ("to", "against", "versus")
    return against and tags[place - 1].group(1)[0] == names[-1]


def _duty(text: str, brief: Brief) -> Iterable[str]:
    """What the act owes the customer."""
    items = {tag[0] for tag in TAG.findall(text) if tag[1:2] == "."}
    if brief.act in ("recommend", "compare") and not items:
        yield "names no product"
    if brief.act in ("ask", "clarify") and not ASKING.search(text):
        yield "asks nothing"
    if brief.act == "handoff" and not PERSON.search(text):
        yield "does not say that a person takes over"
    if brief.act == "decline" and AFFIRMS.search(text):
        yield "has something all the same"
    if brief.act == "decline" and brief.notes.get("reason") != "nothing_fits" and not REFUSAL.search(text):
        yield "does not say no"
    if "quote" in brief.slots and text.count("[quote]") != 1:
        yield "does not quote the article exactly once"
    if any("[budget" in wish for wish in brief.gave_up) and not GAVE_UP.search(text):
        yield f"does not say that the price {GIVEN_UP}"
    for wish in brief.gave_up:
        if not _mentions(text, wish):
            yield f'does not say that "{wish}" {GIVEN_UP}'
    if brief.act == "answer" and "attribute" in brief.notes and not _states(text, brief):
        yield "does not state the fact asked for"


def _promises(text: str, brief: Brief) -> Iterable[str]:
    facts = " ".join([*brief.notes.values(), *(v for item in brief.items for v in item.attributes.values())])
    for found in PROMISES.finditer(text):
        if found.group().lower() not in facts.lower():
            yield f'promises "{found.group().lower()}", which no fact supports'


def _claims(text: str, brief: Brief) -> Iterable[str]:
    """Words that no fact of the items spoken of supports, and facts turned into their opposite."""
    neutral = neutral_words(brief.act)
    everywhere = _stems([*shared_texts(brief), *_positive(brief)])
    ruled_out = _stems(w[4:] for w in brief.wishes if w.startswith("not ")) - everywhere - {stem(w) for w in neutral}
    certain = _stems([*certain_texts(brief), *_positive(brief)])
    facts = {item.letter: _stems(item_texts(item, brief)) for item in brief.items}
    for sentence, clause, spoken_of in _subjects(text, list(facts)):
        sets = [facts[letter] for letter in spoken_of] or list(facts.values())
        joined = set().union(*sets) if sets else set()
        of_all = TAG.search(sentence) or EVERY.search(sentence)
        supported = set.intersection(*sets) if sets and of_all else joined
        general = certain | _stems([_choices(sentence, brief)])
        if (made := MADE_OF.search(clause)) and not _made_of(made["word"], spoken_of, brief):
            yield f'says "made of {made["word"]}", which is no material of it'
        for word, start in _words(clause):
            key = stem(word)
            if key in ruled_out:
                if not _negated(sentence, start):
                    yield f'says "{word}", {RULED_OUT}'
            elif word in neutral or key in supported or key in general:
                if key in joined - general and word not in neutral and _negated(sentence, start):
                    yield f'denies "{word}", which is a fact'
            else:
                yield NO_FACT.format(word)


def _made_of(word: str, letters: list[str], brief: Brief) -> bool:
    """Whether all the items spoken of have the material by which a word names it; in questions it is nobody's."""
    spoken_of = [item for item in brief.items if item.letter in letters]
    return all(
        stem(part) in _stems(value for name, value in item.attributes.items() if MATERIALS.search(name))
        for item in spoken_of
        for part in parts(word)[:1]
    )


def _choices(sentence: str, brief: Brief) -> str:
    """The answers to choose from, where the sentence may name them: each is true of some products only, so none is said of
    a product, nor of all of them in passing."""
    of_a_product = any(tag[1:2] == "." for tag in TAG.findall(sentence))
    offering = not brief.items or brief.act in ("ask", "clarify") or ASKING.search(sentence)
    return brief.notes.get("options", "") if offering and not of_a_product else ""


def _subjects(text: str, letters: list[str]) -> Iterable[tuple[str, str, list[str]]]:
    """Every sentence's clauses with the items each speaks of; what a clause says must hold for all of them.

    A clause speaks of the items it names by tag, else by their place ("the second"), else of those of the clause
    before, or of the next where none is before. Names in a row ("[A.name] and [B.name] are ...") and "both" speak of
    all at once.
    """
    before: list[str] = []
    for sentence in SENTENCE.split(text):
        named = _letters(sentence, letters)
        if EVERY.search(sentence):
            before = named or before or letters
            yield sentence, sentence, before
            continue
        clauses = _clauses(sentence)
        subjects = [_letters(clause, letters) or _placed(clause, letters) for clause in clauses]
        for place, clause in enumerate(clauses):
            if place and subjects[place] and IN_A_ROW.match(clause.strip()):
                subjects[place] = sorted({*subjects[place - 1], *subjects[place]})
            elif not subjects[place] and clauses[place + 1 : place + 2] and LIKE.match(clauses[place + 1].strip()):
                subjects[place] = subjects[place + 1]
            elif not subjects[place]:
                subjects[place] = subjects[place - 1] if place else next(filter(None, subjects), before)
            yield sentence, clause, subjects[place]
        before = named or subjects[-1]


def _letters(text: str, letters: list[str]) -> list[str]:
    """The items that a text names, or the first one whose value it gives."""
    tags = [tag for tag in TAG.findall(text) if tag[1:2] == "." and tag[0] in letters]
    return sorted({tag[0] for tag in tags if tag.endswith(".name")}) or [tag[0] for tag in tags[:1]]


def _placed(clause: str, letters: list[str]) -> list[str]:
    """Items named by their place on the list, in the clause's order, where there is more than one."""
    places = [PLACES[m.group().lower()] for m in ORDER.finditer(clause)] if len(letters) > 1 else []
    return [letters[place] for place in places if place < len(letters)]


def _clauses(sentence: str) -> list[str]:
    """A sentence in clauses, each of full length with the others blanked, so that places in it stay the same."""
    bounds = [0, *(m.start() for m in CLAUSE.finditer(sentence)), len(sentence)]
    return [" " * start + sentence[start:end] + " " * (len(sentence) - end) for start, end in pairwise(bounds)]


def _comparisons(text: str, brief: Brief) -> Iterable[str]:
    """Cheaper and better rated must be said of the item that is."""
    for pattern, note in ((CHEAPER, "cheaper"), (RATED, "rated")):
        for sentence in SENTENCE.split(text):
            for found in pattern.finditer(sentence):
                letters = [m.group(1)[0] for m in TAG.finditer(sentence[: found.start()]) if m.group(1)[1:2] == "."]
                after = [m.group(1)[0] for m in TAG.finditer(sentence[found.end() :]) if m.group(1)[1:2] == "."]
                subject = (letters or after or [""])[-1] if letters else (after or [""])[0]
                if brief.act == "compare" and brief.notes.get(note) != subject:
                    yield f'says "{found.group().lower()}" of {subject or "nothing"}'
                elif brief.act not in ("compare", "answer") and note == "rated":
                    yield f'says "{found.group().lower()}" without a comparison of ratings'
                elif brief.act != "compare" and note == "cheaper" and not _about_price(brief):
                    yield f'says "{found.group().lower()}" without a comparison of prices'

    if brief.act == "compare":
        for sentence in SENTENCE.split(text):
            if (won := WINS.search(sentence)) and ON_PRICE.search(sentence):
                before = [m.group(1)[0] for m in TAG.finditer(sentence[: won.start()]) if m.group(1)[1:2] == "."]
                if before[-1:] != [brief.notes.get("cheaper")]:
                    yield f'says "{won.group().lower()}" on price of {before[-1] if before else "nothing"}'
            for found in DEARER.finditer(sentence):
                letters = [m.group(1)[0] for m in TAG.finditer(sentence[: found.start()]) if m.group(1)[1:2] == "."]
                if not letters or letters[-1] == brief.notes.get("cheaper", letters[-1]):
                    yield f'says "{found.group().lower()}" of {letters[-1] if letters else "nothing"}'


def _about_price(brief: Brief) -> bool:
    return brief.notes.get("note") == "cheaper" or brief.act in ("ask", "decline", "clarify")


def _positive(brief: Brief) -> list[str]:
    return [wish for wish in brief.wishes if not wish.startswith("not ")]


def _mentions(text: str, wish: str) -> bool:
    """Whether the reply names a wish: its tag, or all its content words."""
    tags = TAG.findall(wish)
    if tags:
        bare = TAG.sub(" ", text).lower()
        return any(f"[{tag}]" in text for tag in tags) or "budget" in bare or "price" in bare
    return _stems([wish]) - _stems(["not for in under a the"]) <= _stems([TAG.sub(" ", text)])


def _states(text: str, brief: Brief) -> bool:
    letter, attribute = brief.notes.get("about", "A"), brief.notes["attribute"]
    item = next((i for i in brief.items if i.letter == letter), None)
    if item is None:
        return False
    if attribute in item.attributes:
        return bool(_stems([item.attributes[attribute]]) & _stems([TAG.sub(" ", text)]))
    return f"[{letter}.{attribute}]" in text


def _negated(sentence: str, start: int) -> bool:
    """Whether a negation stands within the four words before, in the same clause."""
    clause = re.split(r"[,;:]|\bbut\b", sentence[:start])[-1]
    return NEGATION.search(" ".join(clause.split()[-4:])) is not None


def _words(sentence: str) -> Iterable[tuple[str, int]]:
    bare = TAG.sub(lambda match: " " * len(match.group()), sentence)
    for match in WORD.finditer(bare):
        for part in parts(match.group().lower()):
            yield part, match.start()


def _stems(texts: Iterable[str]) -> set[str]:
    found = (m.group() for text in texts for m in WORD.finditer(TAG.sub(" ", str(text)).lower()))
    return {stem(part) for word in found for part in parts(word)}


def _repeats(text: str) -> bool:
    """Whether four words in a row stand twice: what a small model does when it has lost its way."""
    words = [w.lower() for w in WORD.findall(text)]
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return len(grams) != len(set(grams))

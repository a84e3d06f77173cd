"""Categories and attribute wishes of one message, from its matched phrases and what it says of each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from botcore.dialogue.lexicon.lexicon import phrase_key
from botcore.dialogue.meanings import CATEGORY, KIND, LACKS, TEXT, Match, Meaning
from botcore.dialogue.measures import SIZE
from botcore.dialogue.names import attribute_name, attribute_words
from botcore.dialogue.state import Constraint
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understanding.circumstances import MANNER, PLACE, PURPOSE, is_circumstance
from botcore.dialogue.understanding.glossing import in_english
from botcore.dialogue.understanding.polarity import NEGATIONS
from botcore.dialogue.understanding.repairs import changed_from, taken_back
from botcore.dialogue.understanding.stance import Thing
from botcore.dialogue.understanding.subject import GOALS, UNSPOKEN, Subject, says_nothing
from botcore.dialogue.words import CHINESE, CLAUSE_END, FUNCTION_WORDS, PLAIN, singular, stem
from catalog.text import segment

DEGREES = {"less", "more", "too", "very"}
"""Before a kind's name they say how something is to be."""
ONLOOKER = re.compile(r"(?:'s)? (?:would|will|'d|says?|said|thinks?|laughed|complains?|hates?)\b|(?:会|说|嫌|笑|觉得)")
"""What follows a person who has an opinion and is not whom the thing is for."""
ANY_MORE = re.compile(r"\bany ?more\b|\bno longer\b|\bforget\b|\bchanged my mind\b|了[吧啦]?$")
DEMAND = re.compile(r"\b(?:want|need|make it|give me|show me|prefer|rather)\b|我要|想要|换成|改成|来[件条双个]")
OR = re.compile(r"^\s*[,，、]?\s*(?:or|或者?|或是|还是|/)\s*$")
COMMA = re.compile(r"^\s*[,，、]\s*$")
PARTICLES = "的地得了吗呢啊吧带有个款种 "
"""What a stretch of Chinese may begin or end with that is no part of a name."""
SURELY = 0.9
"""The chance of a wish from which what the shop has never heard of is looked for and told to be missing."""
SIGNS = ",.;:!?，。；：！？、~… "
UNTOLD = {"en": 6, "zh": 8}
"""Words, or Chinese characters, up to which what was not understood is said again."""
SHADED = frozenset({"color"})
"""Attributes whose values lie inside each other: no blue is no navy by the catalogue's own doing, which lists both."""


@dataclass(frozen=True)
class Reading(Subject):
    """What a message wishes of what it is about, and what it says that names nothing."""

    @property
    def thing_name(self) -> str:
        """The text that the thing's phrase stands for, or the kind that an attribute tells; "" for none."""
        if self.thing:
            return next((x.value for x in self.thing.meanings if x.attribute == TEXT), "")
        kinds = (c.value for c in self.constraints if c.wanted and c.attribute == self.lexicon.sorting)
        return "" if self.goals else next(kinds, "")

    # what is wished of it

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """Wishes about attributes and texts, those about the second goal last.

        What the message is about and what modifies it is hard, and so is all it says where it is about nothing else
        ("in blue, please"); what is only mentioned is soft.
        """
        return tuple(dict.fromkeys(c for _, c in self._constraints))

    @cached_property
    def second(self) -> tuple[Constraint, ...]:
        """The wishes that belong to the second goal alone."""
        if len(self.goals) < GOALS:
            return ()
        return tuple(dict.fromkeys(c for goal, c in self._constraints if goal == self.goals[1]))

    @cached_property
    def withdrawn(self) -> tuple[tuple[str, str], ...]:
        """What was said before and holds no longer: attribute and value of earlier wishes and refusals."""
        return tuple(dict.fromkeys(pair for _, pair in self._taken_back()))

    @cached_property
    def _constraints(self) -> list[tuple[str, Constraint]]:
        turn = self.state.turn + 1
        alone = not self.heads and not self.matches and len(self._loose()) <= 2
        gone = {match for match, _ in self._taken_back()} | set(self._repaired())
        plain = set(range(len(self.words))) - self.stances.soft - self.stances.refused - self.stances.unneeded
        lone = not self.heads and not any(m.first in plain for m in self.matches)
        soft = self.stances.allowed if lone else self.stances.allowed | self.stances.soft
        valued: list[tuple[Match, str, Constraint]] = []
        for match in self._valued():
            if match in gone or match.first in self.stances.idle | self.stances.unneeded:
                continue
            if self._only_describes_unknown(match):
                continue
            goal = self._goal_of(match)
            if match.guessed and match.first in self.stances.refused:  # near to a value is no reason to refuse that
                said = " ".join(token.text for token in self.words[match.first : match.last])
                if self.lexicon.knows(said):
                    valued.append((match, goal, Constraint(TEXT, said, wanted=False, turn=turn)))
                continue
            valued += [(match, goal, c) for c in self._wishes_of(match, goal, match.first in soft)]
            if match in self._kinds and (narrower := self._narrowed(match)):
                valued.append((match, goal, Constraint(TEXT, narrower, hard=match.first not in soft, turn=turn)))
        found = self._with_alternatives(self._of_one_kind(valued))
        for head in self.heads:
            if kind := self.lexicon.kind(self._category(head), head.phrase):
                found.append((self._category(head), Constraint(KIND, kind, True, True, turn)))
        for index, token in self._loose():
            refused, named = index in self.stances.refused, index in self.naming
            if refused and (kinds := self._kinds_named(index, index + 1)):
                found += [("", kind) for kind in kinds]
                continue
            if not self.lexicon.knows(token.text) or (refused and not named):
                continue
            if refused and self._is_refused_by_its_modifier(Match(index, index + 1, token.text, ())):
                continue
            if self._describes_unknown(index) or not self.naming:
                continue
            main = alone or (self.thing is not None and self.thing.first == index) or refused
            hard = named and (main or self._modifies(Match(index, index + 1, token.text, ())))
            found.append(("", Constraint(TEXT, token.text, not refused, hard, turn)))
        for match in self._naming():
            if self._is_ruled_out(match) and (kind := self._refused_kind(match)):
                found.append((self._category(match), Constraint(KIND, kind, wanted=False, turn=turn)))
        for thing in self.things:
            if thing.first in self.stances.refused and CHINESE.match(self.words[thing.first].text):
                found += [("", kind) for kind in self._kinds_named(thing.first, thing.last)]
        ruled_out = {(c.attribute, c.value) for _, c in found if not c.wanted}
        return [(g, c) for g, c in found if not (c.wanted and (c.attribute, c.value) in ruled_out)]

    @cached_property
    def _strange(self) -> frozenset[int]:
        """Where a message that is about nothing the shop has names things that it has never heard of."""
        if self._about or self._kinds or self.state.goal or self.lexicon.kinds_wanted(self.state.constraints):
            return frozenset()
        return frozenset(i for i, t in self._loose() if i in self.naming and not self.lexicon.knows(t.text))

    def _describes_unknown(self, index: int) -> bool:
        """Whether a word stands right before such a thing, and names nothing without it ("mountain bikes")."""
        return index + 1 in self._strange

    def _only_describes_unknown(self, match: Match) -> bool:
        """Whether a phrase is no value of the shop's and describes what it has never heard of."""
        return self._describes_unknown(match.last - 1) and all(x.attribute == TEXT for x in match.meanings)

    def _kinds_named(self, first: int, last: int) -> list[Constraint]:
        """The refusals of the goal's kinds that have words of the message in their names ("no robots")."""
        goal = self.goals[0] if self.goals else self.state.goal
        said = self.text[self.words[first].start : self.words[last - 1].end].strip(PARTICLES)
        kinds = self.lexicon.kinds_called(goal, said) if goal and len(said) > 1 else set()
        return [Constraint(KIND, kind, wanted=False, turn=self.state.turn + 1) for kind in sorted(kinds)]

    @cached_property
    def allowed(self) -> tuple[tuple[str, str], ...]:
        """Attribute and value of what would do as well ("white is fine too")."""
        told = [m for m in self.matches if m.first in self.stances.allowed - self.stances.refused]
        values = [value for m in told for value in self._values(m, self._goal_of(m)) if value.attribute != TEXT]
        return tuple(dict.fromkeys((x.attribute, x.value) for x in values))

    def _wishes_of(self, match: Match, goal: str, soft: bool) -> list[Constraint]:
        """What one phrase wishes: one wish with its alternatives, or a refusal of each value it stands for."""
        turn = self.state.turn + 1
        refused = match.first in self.stances.refused
        if refused and (lacking := self._lacking(match, goal)):
            return [Constraint(*meaning, turn=turn) for meaning in lacking]
        values = self._values(match, goal)
        if refused:
            values = [x for x in values if x.attribute != TEXT or not self._is_refused_by_its_modifier(match)]
            values = [Meaning(TEXT, match.phrase) if self._is_part_of_another(x, match) else x for x in values]
            narrower = {x: said for x in values if x.attribute != TEXT and (said := self._said(match, x))}
            values = [x for x in values if not (x in narrower and self._is_wanted_too(x))]
            values += [Meaning(TEXT, said) for said in narrower.values()]
            return [Constraint(attribute, value, wanted=False, turn=turn) for attribute, value in values]
        if not values:
            return []
        first, *others = values
        told = self.guessed and self._is_only_told(match)
        told = told or (first.attribute == TEXT and (self._is_loose(match, goal) or self._is_only_told(match)))
        soft = soft or told
        main = first.attribute != TEXT or match == self._thing or self._modifies(match) or self._is_itself_wanted(match)
        others_too = tuple(m.value for m in others)
        return [Constraint(*first, hard=main and not soft, turn=turn, others=others_too, said=self._said(match, first))]

    def _said(self, match: Match, meaning: Meaning) -> str:
        """The customer's own word (singular, in the shop's language) for a thing of the texts or a kind, where it is another and
        the texts hold it."""
        if meaning.attribute not in (TEXT, self.lexicon.sorting):
            return ""
        words = [token.text for token in self.words[match.first : match.last]]
        if CHINESE.match(words[0]):
            said = in_english("".join(words), meaning, self.lexicon)
        else:
            said = " ".join(words) if all(map(self.lexicon.knows, words)) else ""
        return singular(said) if phrase_key(said) != phrase_key(meaning.value) else ""

    def _is_part_of_another(self, kind: Meaning, match: Match) -> bool:
        """Whether a kind is refused where another is wanted: then it is what that is made of, or has on it ("a coffee table, no
        glass" in a shop that sells glasses)."""
        if kind.attribute != self.lexicon.sorting or not self.lexicon.knows(match.phrase):
            return False
        wanted = {value for c in self.lexicon.kinds_wanted(self.state.constraints) for value in (c.value, *c.others)}
        wanted = wanted.union(*map(self._sorts_of, self._kinds))
        return bool(wanted) and kind.value not in wanted

    def _is_wanted_too(self, kind: Meaning) -> bool:
        """Whether the message also wants the kind of which something is refused ("seafood, but no shrimp")."""
        return any(kind.value in self._sorts_of(m) for m in self._kinds)

    @cached_property
    def _kinds(self) -> tuple[Match, ...]:
        """The matches that say of which kind it is to be where an attribute tells the kinds."""
        named = [m for m in self.matches if self._sorts_of(m)]
        return tuple(m for m in named if m.first not in self.stances.refused and not self._is_graded(m))

    def _sorts_of(self, match: Match) -> set[str]:
        """The kinds that a phrase may name where an attribute tells them."""
        return {x.value for x in match.meanings if x.attribute == self.lexicon.sorting}

    def _narrowed(self, match: Match) -> str:
        """What the name of a kind says beside the kind, in words of the shop's texts ("cordless" of "cordless drill"); "" for
        nothing."""
        *before, head = [token.text for token in self.words[match.first : match.last]]
        kinds = {stem(kind.rpartition(" ")[2]) for kind in self._sorts_of(match)}
        return " ".join(before) if before and stem(head) in kinds and all(map(self.lexicon.knows, before)) else ""

    def _is_graded(self, match: Match) -> bool:
        """Whether a kind's name says how something is: "a bit less formal" is no formal shoe."""
        degree = match.first > 0 and self.words[match.first - 1].text in DEGREES
        return degree and singular(self.words[match.last - 1].text) == self.words[match.last - 1].text

    def _is_itself_wanted(self, match: Match) -> bool:
        """Whether a word of texts is all that says what is wanted: no category, no thing, and in "a backpack for hiking", where
        the kind is a value, not the purpose behind it."""
        valued = [
            m for m in self.matches if m.last <= match.first and any(x.attribute not in UNSPOKEN for x in m.meanings)
        ]
        return not self._about and not (valued and self._after(match, PURPOSE))

    def _of_one_kind(self, valued: Sequence[tuple[Match, str, Constraint]]) -> list[tuple[Match, str, Constraint]]:
        """The wishes with the kinds of product made one: a thing is of one kind, so that whoever names several would have any
        ("a hammer and also some screwdrivers"). What stands before another ("a wall clock") or is its purpose ("a bag for
        travel") is only said of it."""
        kinds = [each for each in valued if each[2].wanted and each[2].attribute == self.lexicon.sorting]
        if not kinds or (len(kinds) == 1 and not self._is_mentioned(kinds[0][0])):
            return list(valued)
        compound = [m for m, _, _ in kinds if any(other.first == m.last for other, _, _ in kinds)]
        direct = [m for m, _, _ in kinds if m not in compound and not self._after(m, PURPOSE)]
        direct = [m for m in direct if not self._is_mentioned(m)]
        direct = [m for m in direct if m.first in self.meant] or direct
        heads = direct or ([kinds[0][0]] if len(kinds) > 1 else [])
        named = list(dict.fromkeys(value for m, _, c in kinds if m in heads for value in (c.value, *c.others)))
        found = []
        for match, goal, wish in valued:
            if (match, goal, wish) not in kinds:
                found.append((match, goal, wish))
            elif heads and match == heads[0]:
                found.append((match, goal, replace(wish, value=named[0], others=tuple(named[1:]), hard=True)))
            elif match not in heads and self.lexicon.knows(match.phrase):
                said = bool(heads) and match.first in self.meant
                found.append((match, goal, Constraint(TEXT, match.phrase, hard=said, turn=wish.turn)))
        return found

    def _is_mentioned(self, match: Match) -> bool:
        """Whether a kind of product is only spoken of where something else is wanted ("some cheese on the table", "the cat walked
        over my keyboard. I want toys for my dog"). What is no thing to the reader gives way to any word of texts ("cooking for
        my girlfriend, want some salmon")."""
        aside = match.first not in self.meant or self._after(match, PURPOSE | PLACE)
        others = [m for m in self.matches if m != match and m.first in self.meant - self.stances.refused]
        things, no_thing = thesaurus().things, match.first not in self.meant | self.naming
        named = [x.value for m in others for x in m.meanings if x.attribute == TEXT]
        return aside and any(no_thing or value in things for value in named)

    def _with_alternatives(self, valued: Sequence[tuple[Match, str, Constraint]]) -> list[tuple[str, Constraint]]:
        """The wishes with those joined by "or" made one ("black or navy", "black, navy or gray")."""
        found: list[tuple[str, Constraint]] = []
        last: Match | None = None
        listed = False
        for match, goal, wish in reversed(valued):
            between = self.text[self.words[match.last - 1].end : self.words[last.first].start] if last else ""
            same = found and found[-1][0] == goal and found[-1][1].attribute == wish.attribute != TEXT
            listed = bool(
                same
                and wish.wanted
                and found[-1][1].wanted
                and (OR.match(between) or (listed and COMMA.match(between)))
            )
            if listed:
                _, after = found.pop()
                wish = replace(wish, others=(*wish.others, after.value, *after.others))
            found.append((goal, wish))
            last = match
        return found[::-1]

    def _valued(self) -> Iterable[Match]:
        """The matches that may say something of an attribute, those inside a category's name with them."""
        for match in self.matches:
            yield from (m for m in match.inner if self._is_told_by(match, m))
            only_category = all(m.attribute == CATEGORY for m in match.meanings)
            if match in self.heads and only_category:
                continue
            if only_category and match.first in self.stances.refused:
                continue
            if self._is_graded(match) and self._sorts_of(match):
                continue
            if self._is_onlooker(match) or (match.phrase in thesaurus().kin and match.first in self.stances.refused):
                continue
            yield match

    def _is_told_by(self, match: Match, inner: Match) -> bool:
        """Whether the name of a category says a value that narrows it ("volumizing mascara"); not where it names a kind, and only
        a part of the value (牛仔裤 are jeans, of stretch denim or not)."""
        category = self._category(match)
        narrowing = [x for x in inner.meanings if self.lexicon.tells(category, x)]
        kind = self.lexicon.kind(category, match.phrase)
        return any(not (kind and self._is_part(x, inner.phrase)) for x in narrowing)

    def _is_onlooker(self, match: Match) -> bool:
        person = match.phrase in thesaurus().kin
        return person and ONLOOKER.match(self.text, self.words[match.last - 1].end) is not None

    def _goal_of(self, match: Match) -> str:
        """Which goal a value is said of: that of the head it stands before, else that of the last head, if it has it."""
        if len(self.goals) < GOALS:
            return self.goals[0] if self.goals else self.state.goal
        heads = [m for m in self.heads if self._category(m) in self.goals]
        before = next((m for m in heads if m.last > match.first and not self._cut_between(match, m)), None)
        if before:
            return self._category(before)
        first = next((m for m in reversed(heads) if m.first < match.first), heads[0])
        order = sorted(heads, key=lambda m: m is not first)
        values = [x for x in match.meanings if x.attribute not in UNSPOKEN]
        for head in order:
            if any(self.lexicon.holds(self._category(head), x) for x in values):
                return self._category(head)
        return self._category(first)

    def _cut_between(self, match: Match, head: Match) -> bool:
        """Whether a clause ends or an "and" joins between a value and a head behind it."""
        between = [t.text for t in self.words[match.last : head.first]]
        return any(CLAUSE_END.match(t) or t in ("and", "plus", "和", "还", "跟") for t in between)

    def _values(self, match: Match, goal: str) -> list[Meaning]:
        """The attribute values a match stands for, of one attribute: those that the goal's products have.

        A value that none of them has is a word of texts; so is a category used as a word. A phrase that is a value's own
        name stands for no longer one.
        """
        values = [m for m in match.meanings if m.attribute not in UNSPOKEN]
        if any(x.attribute == CATEGORY for x in match.meanings) and match.first not in self.stances.refused:
            category = self._category(match)
            own = match.phrase in (self.lexicon.categories[category].noun, self.lexicon.categories[category].chinese)
            values = [m for m in values if not own and self.lexicon.tells(category, m)]
            if not values and (match in self.heads or match.phrase in thesaurus().things):
                return []
        placed = [m for m in values if not goal or self.lexicon.holds(goal, m)] or self._elsewhere(goal, values)
        loose = self._is_loose(match, goal)
        if values and (loose or not (placed or self._meant(match, goal, values))):
            value = values[0].value
            said = self._word(match) or ("" if loose else value)
            return [Meaning(TEXT, said)] if said and value not in thesaurus().people else []
        if values := placed or values:
            best = max(values, key=lambda m: self.lexicon.attributes[m.attribute][m.value])
            same = [m for m in values if m.attribute == best.attribute]
            exact = [m for m in same if self.lexicon.is_exact(m, match.phrase)]
            if goal and placed and match.first in self.stances.refused and best.attribute not in SHADED:
                return list(dict.fromkeys([*same, *self._kinds_of(match, goal, best.attribute)]))
            return exact or same
        texts = [m for m in match.meanings if m.attribute == TEXT]
        if texts:
            return [next((m for m in texts if m.value in thesaurus().things), texts[0])]
        if all(m.attribute == LACKS for m in match.meanings):
            return []
        noun = singular(self.lexicon.categories[self._category(match)].name.lower())
        return [Meaning(TEXT, noun)] if self.lexicon.knows(noun.split()[0]) else []

    def _elsewhere(self, goal: str, values: Sequence[Meaning]) -> list[Meaning]:
        """The same values of other attributes, which the goal's products have: an office is a place and an occasion. Whom a thing
        is for is no other thing ("safe for children")."""
        named = [
            Meaning(attribute, m.value)
            for m in values
            for attribute in self.lexicon.attributes
            if attribute != m.attribute and m.value not in thesaurus().people
        ]
        return [m for m in named if goal and self.lexicon.holds(goal, m)]

    def _kinds_of(self, match: Match, goal: str, attribute: str) -> list[Meaning]:
        """The values that are kinds of what a phrase names: lambswool is wool, and whoever refuses wool refuses it."""
        concepts = thesaurus().chinese.get(match.phrase, ()) if CHINESE.match(match.phrase) else (match.phrase,)
        named = {
            word for concept in concepts if concept in thesaurus().same for word in thesaurus().alternatives(concept)
        }
        kinds = [Meaning(attribute, word) for word in sorted(named)]
        return [m for m in kinds if m in self.lexicon.placed and (not goal or self.lexicon.holds(goal, m))]

    def _is_part(self, meaning: Meaning, phrase: str) -> bool:
        """Whether a phrase is less than any name of a value ("kitchen" of "small kitchens", "冷" of "冷萃"; not "mic", which is
        one of microphones)."""
        names = (meaning.value, singular(meaning.value), *self.lexicon.names.get(meaning, {}).get("zh", ()))
        said = (phrase, *thesaurus().chinese.get(phrase, ()), *thesaurus().english.get(phrase, ()))
        return any(word in name for word in said for name in names) and not set(said) & set(names)

    def _is_loose(self, match: Match, goal: str) -> bool:
        """Whether a phrase is a part of values that no product of the goal has, or, without a goal, of one value alone: then
        who "loves cooking" has not said "light cooking"."""
        values = [m for m in match.meanings if m.attribute not in UNSPOKEN]
        if not values or not all(self._is_part(m, match.phrase) for m in values):
            return False
        if not goal:
            return len(values) == 1
        return not any(self.lexicon.holds(goal, m) for m in (*values, *self._elsewhere(goal, values)))

    def _word(self, match: Match) -> str:
        """The word of the shop's texts that a phrase says; "" for none."""
        concepts = thesaurus().chinese.get(match.phrase, ()) if CHINESE.match(match.phrase) else (match.phrase,)
        return next((word for word in concepts if self.lexicon.knows(word)), "")

    def _lacking(self, match: Match, goal: str) -> list[Meaning]:
        """The values that say the absence of what is refused ("no perfume": fragrance-free), where the goal has any."""
        said = [Meaning(*x.value.split("=", 1)) for x in match.meanings if x.attribute == LACKS]
        held = [m for m in said if not goal or self.lexicon.holds(goal, m)]
        return held[:1]

    def _meant(self, match: Match, goal: str, values: Sequence[Meaning]) -> bool:
        """Whether a value that no product of the goal has is meant all the same: asked for, or refused by its name."""
        refused = match.first in self.stances.refused
        exact = refused and any(self.lexicon.is_exact(m, match.phrase) for m in values)
        return exact or ((refused or self.asks) and self._occurs(goal, values))

    def _occurs(self, goal: str, values: Sequence[Meaning]) -> bool:
        """Whether the goal's products have such an attribute at all."""
        attributes = {m.attribute for m in values}
        return any(m.attribute in attributes and self.lexicon.holds(goal, m) for m in self.lexicon.placed)

    def _repaired(self) -> list[Match]:
        """The matches that the message itself takes back ("pink, ah no, blue")."""
        said = [
            (self.words[m.first].start, self.words[m.last - 1].end, attribute, m)
            for m in self.matches
            for attribute in {x.attribute for x in m.meanings} - set(UNSPOKEN)
        ]
        gone = taken_back(self.text, said, lambda attribute: attribute == SIZE)
        later = {m.meanings for m in self.matches if gone and m.first > max(g.first for g in gone) and m not in gone}
        return [
            m
            for m in self.matches
            if m in gone or any(m.meanings == g.meanings for g in gone if m.meanings not in later)
        ]

    def _taken_back(self) -> list[tuple[Match, tuple[str, str]]]:
        """Matches that only withdraw an earlier wish or refusal, with what they withdraw.

        An earlier wish is withdrawn when it is no longer needed, to be changed, or ruled out with another value in its
        place; an earlier refusal when the value is allowed after all.
        """
        wanted = {(c.attribute, c.value) for c in self.state.constraints if c.wanted}
        unwanted = {(c.attribute, c.value) for c in self.state.constraints if not c.wanted}
        changed = list(changed_from(self.text))
        told = [(m, (x.attribute, x.value)) for m in self.matches for x in m.meanings if x.attribute not in UNSPOKEN]
        instead = {a for m, (a, v) in told if m.first not in self.stances.refused and (a, v) not in wanted}
        found = []
        for match, pair in told:
            start = self.words[match.first].start
            leaves = (
                match.first in self.stances.unneeded
                or any(a <= start < b for a, b in changed)
                or (match.first in self.stances.refused and (pair[0] in instead or self._changes_mind(match)))
            )
            returns = match.first not in self.stances.refused and not self._demanded(match)
            if (pair in wanted and leaves) or (pair in unwanted and returns):
                found.append((match, pair))
        return found

    def _changes_mind(self, match: Match) -> bool:
        """Whether a refusal only takes back what was wished ("not gray any more", "羊毛的不要了")."""
        start, end = self.words[match.first].start, self.words[match.last - 1].end
        clause = CLAUSE_END.split(self.text[:start])[-1] + self.text[start:end] + CLAUSE_END.split(self.text[end:])[0]
        return ANY_MORE.search(clause.strip()) is not None

    def _demanded(self, match: Match) -> bool:
        """Whether a value is asked for in so many words, not only allowed."""
        start = self.words[match.first].start
        return DEMAND.search(CLAUSE_END.split(self.text[:start])[-1]) is not None

    def is_of_another(self, end: int) -> bool:
        """Whether what ends at a place of the text says how something else is: "small" of "something for a small flat"."""
        behind = next((i for i, token in enumerate(self.words) if token.start >= end), len(self.words))
        if not any(i == behind for i, _ in self._loose()) or self.text[end : self.words[behind].start].strip():
            return False
        return is_circumstance(self.text, self.words, self.matches, behind, behind + 1)

    # words that name nothing

    def search_words(self) -> tuple[str, ...]:
        """English words to search for: what was named, in the shop's words, and what else was said."""
        refused = self.stances.refused
        wanted = [m for m in self.matches if m.first not in refused and not self._only_describes_unknown(m)]
        loose = {m: self._word(m) for m in wanted if self._is_loose(m, self._goal_of(m))}
        named = [loose.get(m) or x.value.rpartition("/")[2] for m in wanted for x in m.meanings[:1]]
        others = (t.text for i, t in self._loose() if i not in refused and not self._describes_unknown(i))
        return tuple(dict.fromkeys([*named, *others]))

    def unknown(self) -> tuple[str, ...]:
        """What is asked for and nowhere in the catalogue; not what it is for ("something for my wardrobe")."""
        return tuple(
            token.text
            for index, token in self._loose()
            if index in self.naming
            and index not in self.stances.refused
            and not self.lexicon.knows(token.text)
            and not self._after(Match(index, index + 1, token.text, ()), PURPOSE | PLACE)
            and not self._is_circumstance(Match(index, index + 1, token.text, ()))
        )

    def unheard(self) -> tuple[str, ...]:
        """What is surely wished of the goal and stands in no text of the shop: it cannot be held, and must not be passed over."""
        if not (self.goals or self.state.goal) or self.asks:
            return ()
        surely = [
            thing
            for thing in self.things
            if thing.wanted >= SURELY and thing.first not in self.stances.refused and self._is_unheard(thing)
        ]
        names = (self.text[self.words[t.first].start : self.words[t.last - 1].end] for t in surely)
        return tuple(name.strip(PARTICLES) for name in names if len(name.strip(PARTICLES)) > 1)

    def untold(self) -> tuple[str, ...]:
        """What a message of a few words says that says nothing else ("one that stays up there"): it is told to be missing."""
        if CHINESE.search(self.text):
            said = self._without_plain_ends()
            one_clause = CLAUSE_END.search(self.text.strip(SIGNS)) is None
            return (said,) if one_clause and 1 < len(said) <= UNTOLD["zh"] else ()
        places = [i for i, _ in self._loose()]
        first, last = (places[0], places[-1]) if places else (0, -1)
        while first and self.words[first - 1].text in NEGATIONS:
            first -= 1
        few = 0 <= last - first < UNTOLD["en"]
        return (self.text[self.words[first].start : self.words[last].end],) if few else ()

    def _without_plain_ends(self) -> str:
        """A Chinese message without the words of grammar at its ends: "看着精神" of "就要看着精神的"."""
        words = segment(self.text).split()
        telling = [place for place, word in enumerate(words) if not PLAIN.union(PARTICLES, SIGNS).issuperset(word)]
        return "".join(words[telling[0] : telling[-1] + 1]) if telling else ""

    def _is_unheard(self, thing: Thing) -> bool:
        words = self.words[thing.first : thing.last]
        telling = [
            t
            for t in words
            if (CHINESE.match(t.text) and t.text not in PLAIN)
            or (t.is_word and len(t.text) > 1 and not says_nothing(t.text))
        ]
        known = any(t.is_word and self.lexicon.knows(t.text) for t in telling)
        place = Match(thing.first, thing.last, "", ())
        purpose = self._after(place, PURPOSE | PLACE) or self._is_circumstance(place)
        pointing = not self.described.isdisjoint(range(thing.first, thing.last))
        return bool(telling) and not (known or purpose or pointing or self._names_an_attribute(thing))

    def _names_an_attribute(self, thing: Thing) -> bool:
        """Whether a thing only says of what a value is ("1.5升容量的"); of the value beside it, by a name that shares a character
        with the shop's ("气氛" of "气氛黑暗", where it is 氛围), as Chinese names of one thing do more often than not."""
        name = self.text[self.words[thing.first].start : self.words[thing.last - 1].end].strip(PARTICLES)
        if any(name in attribute_words(attribute) for attribute in self.lexicon.attributes):
            return True
        said = {character for t in self.words[thing.first : thing.last] for character in t.text}
        beside = [m for m in self.matches if thing.last == m.first or m.last == thing.first]
        names = (attribute_name(x.attribute, "zh") for m in beside for x in m.meanings if x.attribute not in UNSPOKEN)
        return any(said & set(name) for name in names if CHINESE.match(name))

    # grammar

    def _is_only_told(self, match: Match) -> bool:
        """Whether words of texts are likelier a story than a wish, or tell of circumstances."""
        return match.first not in self.meant or self._is_circumstance(match)

    def _modifies(self, match: Match) -> bool:
        """Whether the words stand right before the goal, or behind it with "in", "with", "made of"; or right behind what an
        attribute tells of it ("a halloween mask")."""
        about = self._about or self._kinds
        if not about:
            return False
        head = about[0]
        if not self._about and any(m.last == match.first for m in about):
            return True
        if CHINESE.match(self.words[match.first].text):
            return True
        between = self.words[match.last : head.first]
        if match.last <= head.first and len(between) <= 3 and all(t.is_word and t.text not in PURPOSE for t in between):
            return not any(t.text in FUNCTION_WORDS and t.text not in ("and", "or") for t in between)
        if match.first < head.last:
            return False
        before = self.words[max(match.first - 2, 0) : match.first]
        return any(t.text in MANNER for t in before) or (
            not self.words[match.first - 1].is_word and match.first - head.last <= 2
        )

"""What one message is about: the categories and things that it names, by its matched phrases and English grammar. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, KIND, LACKS, TEXT, Match, Meaning
from botcore.dialogue.names import CHINESE_ATTRIBUTES
from botcore.dialogue.state import DialogueState
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understanding.circumstances import MANNER, PLACE, PURPOSE, is_circumstance, is_modal
from botcore.dialogue.understanding.polarity import NEGATIONS, Stances
from botcore.dialogue.understanding.repairs import taken_back
from botcore.dialogue.understanding.stance import Thing
from botcore.dialogue.words import CLAUSE_END, FUNCTION_WORDS, Token, stem

DETERMINERS = {"a", "an", "any", "some", "another"}
ASKING, OFFERING = {"what", "which"}, {"do", "have", "are"}
"""Around what is asked for ("what lights do you have")."""
OPENING, CLOSING = {"", "and", "also", "plus", "then", "few"}, {"", "too", "please", "then", "maybe"}
"""Around what is a sentence's all ("and potatoes")."""
COPULAS = {"be", "is", "was", "am", "are", "i'm", "he's", "she's"}
"""What stands after these and "a" is what somebody is ("he used to be a chef")."""
BARE = DETERMINERS | {"the", "more", "these", "those", "other", "such", "kind", "of", "or", "and", "any", "my", "me"}
"""Before a category's name they say nothing of it."""
OWNED = re.compile(r"\b(?:my|your|his|her|its|our|their) $|[我你您他她它](?:们)?的?$")
"""Before what somebody has."""
GOALS = 2
UNSPOKEN = (CATEGORY, TEXT, LACKS)
"""Meanings that are no values of attributes."""


@dataclass(frozen=True)
class Subject:
    """The tokens of one message with what the vocabulary made of them.

    ``naming`` are the tokens that the reader takes for parts of things, ``meant`` those that it takes for wished as likely as
    not, ``things`` what the vocabulary does not know of them. ``described`` are the tokens that only point at shown items;
    ``asks`` says that the message may ask about these: then a value is asked for even where the category has no product
    with it. ``guessed`` says that nothing names what is looked for: then what is only told is no condition, a value neither.
    """

    text: str
    words: Sequence[Token]
    matches: Sequence[Match]
    stances: Stances
    lexicon: Lexicon
    state: DialogueState
    described: frozenset[int] = frozenset()
    things: Sequence[Thing] = ()
    naming: frozenset[int] = frozenset()
    meant: frozenset[int] = frozenset()
    asks: bool = False
    guessed: bool = False

    # what it is about

    @cached_property
    def heads(self) -> tuple[Match, ...]:
        """The matches that name the categories wanted, in the message's order.

        The head of a compound is its last noun ("camping chair"), unless that only says in general what the one before
        names ("romance novel"); what stands after "for" is a purpose, not a goal, unless nothing else is named.
        """
        wanted = [m for m in self._naming() if not self._is_ruled_out(m)]
        pairs = [(m, other) for m in wanted for other in wanted if other.first == m.last]
        general = [other for m, other in pairs if self._category(m).startswith(self._category(other) + "/")]
        heads = [m for m in wanted if m not in general and not any(a is m and b not in general for a, b in pairs)]
        direct = [m for m in heads if not self._after(m, PURPOSE, described=1)]
        direct = direct or [m for m in heads if not self._is_beside_another(m)]
        said = [(self.words[m.first].start, self.words[m.last - 1].end, CATEGORY, m) for m in direct]
        repaired = taken_back(self.text, said)
        return tuple(m for m in direct if m not in repaired)

    def _is_beside_another(self, purpose: Match) -> bool:
        """Whether the thing wanted is named before its purpose in words of the shop's texts ("a cookbook for asian food")."""
        of_texts = [m for m in self.matches if m.first > 0 and all(x.attribute == TEXT for x in m.meanings)]
        named = [m for m in of_texts if self.words[m.first - 1].text in DETERMINERS]
        return any(m.last <= purpose.first for m in (*named, self._introduced()) if m is not None)

    @cached_property
    def goals(self) -> tuple[str, ...]:
        """The paths of the categories wanted; a department is left out beside a category of its own."""
        paths = tuple(dict.fromkeys(self._category(m) for m in self.heads if not self._is_known(m)))
        named = [p for p in paths if not any(q.startswith(p + "/") for q in paths)][:GOALS]
        open_ = not self.state.goal or self.state.told  # a goal that was guessed gives way
        if not named and open_ and (implied := self._implied()) and not self._is_at_home(implied):
            return (implied,)
        return tuple(named)

    def _is_at_home(self, path: str) -> bool:
        """Whether the kind that the talk is about is in a category already ("peonies would be nice" of bouquets)."""
        kinds = (Meaning(c.attribute, c.value) for c in self.lexicon.kinds_wanted(self.state.constraints))
        return any(path in self.lexicon.placed.get(kind, {}) for kind in kinds)

    @cached_property
    def dropped(self) -> tuple[str, ...]:
        """The categories given up; what somebody has is none ("it shouldn't dry my lips out")."""
        ruled_out = [m for m in self._naming() if self._is_ruled_out(m) and not self._refused_kind(m)]
        owned = [m for m in ruled_out if OWNED.search(self.text[: self.words[m.first].start])]
        return tuple(dict.fromkeys(self._category(m) for m in ruled_out if m not in owned))

    def _refused_kind(self, match: Match) -> str:
        """The kind of a category's products that alone is refused ("no robots" of vacuum cleaners), unless it was what the talk
        was about; "" for none."""
        kind = self.lexicon.kind(self._category(match), match.phrase)
        return "" if any(c.attribute == KIND and c.value == kind and c.wanted for c in self.state.constraints) else kind

    def _naming(self) -> list[Match]:
        return [m for m in self.matches if any(x.attribute == CATEGORY for x in m.meanings)]

    def _implied(self) -> str:
        """The category of what the message is about where it names none: of its thing, or the only one with all values."""
        wanted = [m for m in self.matches if m.first not in self.stances.refused]
        wanted = [m for m in wanted if m.first in self.meant] or wanted
        direct = [m for m in wanted if not self._after(m, PURPOSE | MANNER)]
        about = [m for m in direct if any(map(self._home, m.meanings))] or wanted
        paths = {path for m in about for x in m.meanings if (path := self._home(x))}
        if len(paths) == 1:
            return paths.pop()
        valued = [[x for x in m.meanings if x.attribute not in UNSPOKEN] for m in wanted]
        valued = [meanings for meanings in valued if meanings]
        if paths or len(valued) < 2:
            return ""
        holding = [p for p in self.lexicon.leaves() if all(any(self.lexicon.holds(p, x) for x in ms) for ms in valued)]
        return holding[0] if len(holding) == 1 else ""

    def _home(self, meaning: Meaning) -> str:
        """The category a thing is in, or that the last word of a value names ("tower fan"); "" for none."""
        if meaning.attribute == TEXT:
            return self.lexicon.implied.get(meaning.value, "")
        head = meaning.value.rpartition(" ")[2]
        named = (
            [x.value for x in self.lexicon.meanings(head) if x.attribute == CATEGORY] if " " in meaning.value else []
        )
        return next((path for path in named if self.lexicon.holds(path, meaning)), "")

    @property
    def thing(self) -> Match | None:
        """The kind of product a message is about that names no category."""
        return None if self.goals else self._thing

    @cached_property
    def _thing(self) -> Match | None:
        """The kind of product that is named; never what is for or with something."""
        things = thesaurus().things
        named = [
            m
            for m in self.matches
            if m.first not in self.stances.refused
            and any(x.attribute == TEXT and x.value in things for x in m.meanings)
        ]
        heads = [m for m in named if not any(other.first == m.last for other in named)]
        wanted = [m for m in heads if not (self._after(m, PURPOSE | MANNER | PLACE) or self._is_circumstance(m))]
        meant = (m for m in wanted if m.first in self.meant)
        return next(meant, None) or next(iter(wanted), None) or self._introduced()

    def _introduced(self) -> Match | None:
        """A word of the shop's texts that ends a phrase behind "a", "any" or "another" ("a reel?", "a scary mask") or between
        "what" and a verb ("what pumpkin lights do you have"), or one that is a sentence's all ("and beard oil?")."""
        loose = self._loose()
        free = {i for i, _ in loose}
        for i, token in loose:
            start = i
            while start - 1 in free:
                start -= 1
            before, behind = self._beside(start, i)
            follows = before in DETERMINERS and not (start > 1 and self.words[start - 2].text in COPULAS)
            follows = follows or (before in ASKING and behind in OFFERING)
            follows = follows or (i in self.naming and before in OPENING and behind in CLOSING)
            modifies = i + 1 in free or any(m.first == i + 1 for m in self.matches)
            named = Match(i, i + 1, token.text, (Meaning(TEXT, token.text),))
            wanted = i not in self.stances.refused and not self._is_circumstance(named)
            if follows and not modifies and wanted and self.lexicon.knows(token.text):
                return named
        return None

    def _beside(self, first: int, last: int) -> tuple[str, str]:
        """The words around a phrase, "" at the end of a clause."""
        before = self.words[first - 1].text if first else ""
        behind = self.words[last + 1].text if last + 1 < len(self.words) else ""
        return CLAUSE_END.sub("", before), CLAUSE_END.sub("", behind)

    @property
    def _about(self) -> tuple[Match, ...]:
        return self.heads or ((self._thing,) if self._thing else ())

    # grammar

    def _loose(self) -> list[tuple[int, Token]]:
        """Content words that belong to no known phrase."""
        taken = {i for m in self.matches for i in range(m.first, m.last)}
        return [
            (i, t)
            for i, t in enumerate(self.words)
            if i not in taken | self.described and t.is_word and len(t.text) > 2
            if not says_nothing(t.text) and t.text not in NEGATIONS
        ]

    def _is_known(self, match: Match) -> bool:
        """Whether a category is only what the talk is about already ("the shirt's for my sister")."""
        index = match.first - 1
        while index >= 0 and self.words[index].text not in FUNCTION_WORDS:
            index -= 1
        definite = index >= 0 and self.words[index].text in ("the", "that", "this", "those", "these")
        return (definite or match.first in self.stances.refused) and self._category(match) == self.state.goal

    def _is_ruled_out(self, match: Match) -> bool:
        """Whether a category is not wanted; in "no satin skirts" and "no noisy fans" it is the modifier that is not."""
        refused = self.stances.refused | self.stances.unneeded
        for_it = self._after(match, PURPOSE) and any(  # "anything but mustard for the sweater"
            m.last <= match.first and m.first in refused and not self._only_category(m) for m in self.matches
        )
        return match.first in refused and not (self._is_refused_by_its_modifier(match) or match.inner or for_it)

    def _is_refused_by_its_modifier(self, match: Match) -> bool:
        """Whether a refusal is of what stands before a thing and says which ("no blue cheese")."""
        refused, index = self.stances.refused | self.stances.unneeded, match.first - 1
        values = (
            m for m in self.matches if m.last == match.first and m.first in refused and not self._only_category(m)
        )
        adjective = index in refused and self.words[index].is_word and self.words[index].text not in BARE
        return adjective or any(values)

    def _after(self, match: Match, prepositions: set[str], described: int = 0) -> bool:
        """Whether one of the prepositions opens the phrase that the match ends ("for my living room"), with so many words at most
        that describe it ("for asian food")."""
        for index in range(match.first - 1, max(match.first - 4, -1), -1):
            if self.words[index].text in prepositions:
                before = self.words[index - 1].text if index else ""
                liked = self.words[index].text == "into" and before in FUNCTION_WORDS  # "she is really into dinosaurs"
                return not (liked or before == "back" or is_modal(self.words, index))
            if self.words[index].text not in FUNCTION_WORDS:
                described -= 1
                if described < 0:
                    return False
        return False

    def _is_circumstance(self, match: Match) -> bool:
        return is_circumstance(self.text, self.words, self.matches, match.first, match.last)

    def _only_category(self, match: Match) -> bool:
        return all(m.attribute == CATEGORY for m in match.meanings)

    def _category(self, match: Match) -> str:
        """The category a match names; where it may be several, the one with most of the values said, then products."""
        paths = [m.value for m in match.meanings if m.attribute == CATEGORY]
        if len(paths) == 1:
            return paths[0]
        values = [x for m in self.matches for x in m.meanings if x.attribute not in UNSPOKEN]
        held = {path: sum(self.lexicon.holds(path, x) for x in values) for path in paths}
        return max(paths, key=lambda path: (held[path], self.lexicon.categories[path].products))


def says_nothing(word: str) -> bool:
    """Whether a word wishes for nothing by itself: one of grammar, or one for an attribute ("size", "top rated")."""
    return word.partition("'")[0] in FUNCTION_WORDS or stem(word) in _aspects()


@cache
def _aspects() -> frozenset[str]:
    return frozenset(stem(part) for name in CHINESE_ATTRIBUTES for part in name.split("_")) - {
        stem("skin"),
        stem("hair"),
    }

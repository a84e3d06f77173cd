"""What customers call things, whatever the shop: synonyms and Chinese words of plain retail English.

Data in ``data/thesaurus.yaml``. A shop's own vocabulary always comes first; this only builds bridges to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import yaml

from botcore.dialogue.words import DATA


@dataclass(frozen=True)
class Thesaurus:
    """``same`` gives a concept's other words by language; ``english`` and ``chinese`` map a word to its concepts.

    ``things`` are the concepts that are products ("tent"); the others are qualities, occasions ("waterproof"). ``people``
    gives the words for whom something is for by the value that catalogues have ("men": "boyfriend"); ``opposites`` what it
    means to refuse ("noisy": quiet), by the value that is wished.
    """

    same: Mapping[str, Mapping[str, list[str]]]
    english: Mapping[str, tuple[str, ...]]
    chinese: Mapping[str, tuple[str, ...]]
    things: frozenset[str] = frozenset()
    people: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)
    opposites: Mapping[str, list[str]] = field(default_factory=dict)

    def headed(self, head: str) -> int:
        """How many things have names that end in a word ("machine": many)."""
        named = [(thing, *map(str, (n for ns in self.same[thing].values() for n in ns))) for thing in self.things]
        return sum(any(name != head and name.endswith(head) for name in names) for names in named)

    def alternatives(self, word: str) -> tuple[str, ...]:
        """``word`` and every English word that means the same or answers the same wish, the word itself first.

        A concept is answered by its own kinds ("wool" by "merino"), never by what is broader ("merino" by "wool").
        """
        if word in self.same:
            return (word, *map(str, self.same[word].get("en", ())))
        concepts = self.english.get(word, ())
        others = [other for concept in concepts for other in (concept, *self.same[concept].get("en", ()))]
        return tuple(dict.fromkeys([word, *map(str, others)]))

    @property
    def kin(self) -> frozenset[str]:
        """The words for people, as customers say them."""
        return frozenset(str(word) for words in self.people.values() for listed in words.values() for word in listed)

    def is_colour(self, word: str) -> bool:
        """Whether a concept is a colour, which its Chinese name says ("红色")."""
        return word not in self.things and any(n.endswith("色") for n in self.same.get(word, {}).get("zh", ()))

    def chinese_name(self, word: str) -> str:
        """What a Chinese reply calls an English word; the word itself where nobody translated it."""
        for concept in (word, *self.english.get(word, ())):
            if names := self.same.get(concept, {}).get("zh"):
                return names[0]
        return word


@lru_cache(maxsize=1)
def thesaurus() -> Thesaurus:
    """The shipped data, read once."""
    data = yaml.safe_load((DATA / "thesaurus.yaml").read_text(encoding="utf-8"))
    things = frozenset(str(concept).lower() for concept in data["same"])
    same = {str(concept).lower(): words or {} for concept, words in (data["same"] | data["qualities"]).items()}
    english = _inverted(same, "en")
    english.update({concept: tuple(dict.fromkeys([concept, *english.get(concept, ())])) for concept in same})
    return Thesaurus(same, english, _inverted(same, "zh"), things, data["people"], data["opposites"])


@lru_cache(maxsize=1)
def sayings() -> Mapping[str, tuple[str, ...]]:
    """How people say concepts in words of their own ("keeps the rain out": waterproof), in both languages; read once."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((DATA / "sayings").glob("*.yaml")):
        for concept, by_language in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader).items():
            found[str(concept)] += [str(saying).lower() for listed in by_language.values() for saying in listed]
    return {concept: tuple(listed) for concept, listed in found.items()}


def _inverted(same: Mapping[str, Mapping[str, Iterable[str]]], language: str) -> dict[str, tuple[str, ...]]:
    inverse: dict[str, list[str]] = {}
    for concept, words in same.items():
        for word in words.get(language, ()):
            inverse.setdefault(str(word).lower(), []).append(concept)
    return {word: tuple(dict.fromkeys(concepts)) for word, concepts in inverse.items()}

"""What a message wants, refuses, allows and no longer minds: negation and its scope, by clause. English and Chinese. Pure.

A refusal may stand before its object ("no leather or suede"), behind it ("purple doesn't suit her", "黑的不要"), or speak
of what the clause before named ("…, so skip that", "…，不考虑"). Two refusals, one inside the other, ask for a thing
("不带盖的就不用发了").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from botcore.dialogue.lexicon import CATEGORY, Match
from botcore.dialogue.words import CHINESE, CLAUSE_END, Token

NEGATIONS = {"no", "not", "without", "don't", "dont", "never", "except", "hate", "avoid", "nothing", "neither", "nor",
             "isn't", "aren't", "doesn't", "mustn't", "can't", "cannot", "won't", "shouldn't", "non", "forget", "skip",
             "dislike"}  # fmt: skip
NEGATION_ENDS = {"but", "however", "though", "just", "rather", "instead", "prefer", "only", "like", "want", "need",
                 "mean", "meant", "wait", "sorry", "actually"}  # fmt: skip
NOT_NEGATIONS = re.compile(
    r"\b(?:don'?t (?:mind|care|know)|not (?:only|sure|too)|no (?:problem|idea|worries)|why not|needn'?t|"
    r"(?:doesn'?t|don'?t) (?:have|need) to)\b"
)

_BREAK = re.compile(
    r"\b(?:but|however|though|although|because|whereas|so|cos|since)\b|但是?|不过|可是|因为|所以|而是|就是(?!不)",
    re.ASCII,
)
_ENDS = NEGATION_ENDS - {"rather", "instead"} | {"else"}
_CHINESE_ENDS = re.compile(r"只|就要|(?<![不别])想要|(?<=[的色])要(?!是)|换|改")

_FORWARD = re.compile(
    r"\b(?:no(?! (?:problem|idea|worries|matter|longer|rush|hurry|thanks|thank)\b)|not|without|never|non|except(?: for)?|excluding|nothing|neither|nor|minus)\b|\b[a-z]+n't\b|\bcannot\b|\bdont\b"
    r"|\b(?:hate|avoid|dislike|skip|forget|exclude|drop|ditch|lose|refuse)(?:s|d|ing)?\b|\b(?:leave|keep|rule|cut|cross|take|count|bin)s? out\b|\bfree (?:of|from)\b"
    r"|\b(?:any ?(?:thing|one|body)?|all|every ?(?:thing|one)?)(?: [a-z]+)? but\b|\b(?:apart|aside|away) from\b|\bother than\b|\brather than\b|\binstead of\b"
    r"|\b(?:scared|afraid|sick|tired|bored|wary) of\b|\bless (?:keen on|of)\b|\b(?:gone|going) off\b|\bnope(?: to)?\b|\bbar\b(?=\s+[a-z])|\bw/o\b|\b(?:allergic|averse|opposed) to\b|\breacts? (?:badly )?to\b|\bfed up with\b|\b(?:have|had|got|own|with) (?:enough|plenty|too many)(?: of)?\b|\bstay away from\b|\bsteer clear of\b"
    r"|\balready (?:have|has|had|got|own|owns|bought)\b"
    r"|不(?![错管论如过同少仅止光只但知急限挑够怕必差]|好意思|一样|一定|介意|反对|嫌|排斥|讨厌|用(?!上|黑|白)|在乎|行吗|确定|清楚|懂)|除了|除开|除去|讨厌|拒绝|避开|避免|排除|去掉|已经有|已经买|唔(?![该知使]|紧要)|冇(?!得)|没有|没"
    r"|(?<![特区级分性个])别(?![的人家处样])|甭|勿|非(?!常)|无(?!线|论|所谓|脑|忧|印|糖)"
)
_QUESTIONED = re.compile(
    r"(.)不\1|有没有?有|有没有|有冇|是不是|能不能|会不会|不知|不如|不过|不错|不一样|差不多|没问题|没关系|没事|\bwhy not\b|\bif not\b|\bnot only\b|\bnot sure\b|\bisn't it\b|\bcan'?t (?:wait|decide|find|see|tell)\b|\bnothing (?:below|above|over|under|less|more)\b|(?:don'?t|doesn'?t) (?:know|you|they|it)\b|\bno idea\b|对不对|\b(?:oh|ah|wait|hang on|hold on|hm+),? no\b|\bno,? (?:wait|hang on|hold on|sorry|actually)\b"
)
"""Where a negation only makes a question or an idiom."""
_DOUBLE = re.compile(
    r"\b(?:not|never|n't|cannot|can't|won't|isn't|aren't|wasn't) (?:be |go |do |live |have it |really )?(?:without|against|opposed to|averse to|off the table|off limits|a no|out of the question|a problem|an issue|bad)\b"
    r"|\bnever say no to\b|\bwho (?:doesn't|wouldn't) (?:love|like|want)\b|\bcan'?t go wrong with\b|\bwouldn'?t (?:mind|say no to)\b|\bcan'?t (?:have|get) enough(?: of)?\b"
    r"|\b\w+n't (?:be |go |do |live )?without\b|不能(?:没有|没|缺|少)|不可(?:没有|缺|少)|少不了|不反对|不讨厌|不排斥|不介意|不嫌|也不是不(?:能|可以|行)|不是不"
)
"""Two negations that allow or ask for a thing."""
_ASKING_DOUBLE = re.compile(r"without$|不能(?:没有|没|缺|少)$|不可(?:没有|缺|少)$|少不了$")

_BACK = re.compile(
    r"(?:\bis|\bare|\bwas|'s|'re) (?:really |just |definitely )?(?:out\b|a no\b|off (?:the (?:table|list)|limits)\b|(?:(?:way |far |a bit )?too|a nightmare|boring|ugly|awful|horrible)\b|not (?:for|my|our|an option|allowed|ok)\b|n't (?:for|my|our)\b).*$|\b(?:isn't|aren't) (?:for|my|our|an option)\b|\b(?:won't|doesn't|don't|didn't) (?:do|work|suit|fit)\b|\bnot for (?:me|us|him|her)\b|\bputs? (?:me|him|her|us) off\b|\blets? me down\b|\bcreeps? (?:me|him|her|us) out\b|\bmakes? (?:me|him|her|us|my \w+) (?:itch|sneeze|sick|look)\b|\b(?:itches|irritates)\b"
    r"|,? no(?: thanks| thank you| way| go)?$"
    r"|(?:不|没|免|唔)(?!如|管|论)[^，。,.!！?？;；\s]{0,5}$|(?<![特区级分性个])别(?![的人家处样])[^，。,.!！?？;；\s]{0,6}$"
    r"|太[^，。,.!！?？;；\s的]{1,3}了?$|(?:就|都)?(?:算了|算啦|pass|免谈|除外|劝退|拿走|退下|撤了|去掉|去了|踢掉|排除|拉黑|腻了|达咩|过敏|受不了|以外|之外)(?:吧|啦|了|哈)?$|(?:以外|之外)(?=都|的|也)"
)
_OUTSIDE = re.compile(r"以外|之外|除外")
_CALM = re.compile(
    r"[不别](?:要|能|用)?[太这那]|不(?:错|贵|差|挑|限|急|懂|难|大懂|清楚|确定|知道|介意|反对|嫌|排斥|讨厌|够|同|多|少|一样|断|行吗)|没(?:问题|关系|事|意见|所谓|用过|货)|(?:能|会|行|好|可以|是|要)不(?:能|会|行|好|可以|是|要)?$|(.)不\1|有没|[吗么嘛呢]$"
)
_REMOVING = re.compile(
    r"\b(?:leave|skip|drop|avoid|forget|ditch|lose|cut|rule|cross|exclude|remove|take|bin|keep|pass on|count|get rid of|stay away from)s? "
    r"(?:it|that|those|them|these|this)(?: (?:one|ones|stuff|sort|kind|two))*(?: (?:out|off|away|aside))?\b"
    r"|^(?:(?:我|就|都|也|可|真的?|太贵|一律|这种的?|那种的?|这些|这类|请|帮我|给我)*(?:不要|别要|唔要|不想要|不考虑|不喜欢|免谈|除外|算了|避开|去掉|不看|不买|不行|pass|不必|不用|用不着)(?:它|它们|这种|这类|那种|了|啦|吧|哈)*)$"
)
_NO = re.compile(r"no|nope|nah|no thanks|no thank you|不|不要|不行|不了")
"""A customer's own answer to a question of theirs ("denim? no thanks")."""
_AROUND = re.compile(
    r"\b(?:leave|cross|take|rule|count|keep|cut|throw|get) (?P<said>(?:[\w&'-]+ ){1,4}?)(?:out|off|away)\b|对(?P<to>[^，。,.!！?？;；\s]{1,8}?)过敏"
)
_NEED_NOT = re.compile(
    r"\b(?:doesn'?t|don'?t|does not|do not) (?:have|need) to\b|\bneedn'?t\b|\b(?:don'?t|doesn'?t) need (?:it|them|the \w+|this) to\b|\bnot necessarily\b|\bno (?:need|longer)\b|\bnever mind\b|\b(?:forget|ignore|scratch) (?:about )?(?:the|what)\b|不用(?!了?$)|不必(?!了?$)|不一定|不非得|不非要|唔使"
)
_NO_MORE = re.compile(
    r"算我没说|作废|取消|不算数|(?:那条|这条)?(?:撤掉|改了吧|改掉)|\bno longer (?:needed|matters|necessary)\b"
)
_INDIFFERENT = re.compile(
    r"\b(?:i|we) (?:don'?t|do not) (?:own|have)\b|(?:家里?|我们?)(?:没有|没)|\b(?:don'?t|doesn'?t|do not) (?:really )?(?:mind|care about|care if)\b|\bnot fussy about\b"
)
_INDIFFERENT_BACK = re.compile(
    r"(?:无所谓|不重要|不在乎|不挑|没要求|没讲究|随便|随意)[的了吧啦哈呀啊嘛]*$|\b(?:doesn'?t|don'?t) (?:really )?matter\b"
)
_ALLOWED = re.compile(
    r"\b(?:is|are|would be|'s|works?|can|could) (?:totally |also |perfectly |still )?(?:fine|ok(?:ay)?|alright|all right|good|great|acceptable|welcome|stay|too)\b|\b(?:fine|ok(?:ay)?)$"
    r"|(?:也|又|都|倒)?(?:可以|行|没问题|没关系|OK|ok|能接受|凑合)(?:看看|考虑|的|了|吧|啦|哈)*$|又可以"
)
_SOFT = re.compile(
    r"\bideally\b|\bpreferabl\w+|\bperhaps\b|\bif (?:possible|there is|there's|you have)\b|\bwould be (?:nice|lovely|great|a bonus|a plus)\b|\bbonus\b|\brather\b|\bmaybe\b"
    r"|最好|优先|偏好|能有.{0,6}更好|尽量|加分|更佳|的话更好"
)
_RELATIVE = {"that", "which", "who", "whose", "with"}


@dataclass(frozen=True)
class Stances:
    """Token indices by what a message says of them; what is in none is wanted.

    ``idle`` is neither wanted nor refused ("I don't mind X"), ``unneeded`` no longer required ("it needn't be X"),
    ``allowed`` is acceptable, ``soft`` a preference.
    """

    refused: frozenset[int] = field(default_factory=frozenset)
    idle: frozenset[int] = field(default_factory=frozenset)
    unneeded: frozenset[int] = field(default_factory=frozenset)
    allowed: frozenset[int] = field(default_factory=frozenset)
    soft: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class _Clause:
    start: int
    end: int
    tokens: range
    text: str


def stances(text: str, words: Sequence[Token], matches: Sequence[Match]) -> Stances:
    """What a normalised text says of each of its tokens; ``matches`` are the phrases that the shop knows."""
    return _Reader(text, words, matches).read()


def clauses(text: str, words: Sequence[Token]) -> list[_Clause]:
    """The clauses of a text, cut at punctuation and at "but", "so", "因为" and the like."""
    cuts = sorted(
        {
            0,
            len(text),
            *(m.end() for m in CLAUSE_END.finditer(text) if not _decimal(text, m.start())),
            *(m.start() for m in _BREAK.finditer(text) if not _any_but(text, m.start())),
        }
    )
    found = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        inside = [i for i, token in enumerate(words) if start <= token.start < end]
        if inside:
            found.append(
                _Clause(start, end, range(inside[0], inside[-1] + 1), text[start:end].strip(" ,.;:!?，。；：！？、\n"))
            )
    return found


def _decimal(text: str, place: int) -> bool:
    return text[place] in ".," and text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit()


def _any_but(text: str, place: int) -> bool:
    return (
        re.search(r"\b(?:any ?(?:thing|one|body)?|all|every ?(?:thing|one)?)(?: [a-z]+)? $", text[:place]) is not None
    )


class _Reader:
    """Goes through the clauses of one message."""

    def __init__(self, text: str, words: Sequence[Token], matches: Sequence[Match]) -> None:
        self.text, self.words, self.matches = text, words, matches
        self.values = frozenset(i for m in matches if _names_value(m) for i in range(m.first, m.last))
        self.named = frozenset(i for m in matches for i in range(m.first, m.last))
        self.refused: set[int] = set()
        self.idle: set[int] = set()
        self.unneeded: set[int] = set()
        self.allowed: set[int] = set()
        self.soft: set[int] = set()

    def read(self) -> Stances:
        before: _Clause | None = None
        listing = False
        for clause in clauses(self.text, self.words):
            plain = self._calm(clause)
            if not plain:
                wanted = self._doubled(clause)
                forward = self._forward(clause) if not wanted else set()
                if listing and self._continues(clause):
                    forward |= set(clause.tokens)
                if self._refuses_before(clause) and before:
                    self.refused |= self._objects(before.tokens)
                elif not wanted and not forward & self.named:
                    forward |= self._backward(clause)
                self.refused |= forward
                listing = bool(forward & self.values)
            else:
                listing = False
            if _SOFT.search(clause.text):
                self.soft |= set(clause.tokens)
            if self.values & set(clause.tokens):
                before = clause
        return Stances(*map(frozenset, (self.refused, self.idle, self.unneeded, self.allowed, self.soft)))

    def _calm(self, clause: _Clause) -> bool:
        """Whether the clause refuses nothing: it allows, does not mind, or needs no longer; noted as it is."""
        for pattern, behind, noted in (
            (_NEED_NOT, True, self.unneeded),
            (_NO_MORE, False, self.unneeded),
            (_INDIFFERENT, True, self.idle),
            (_INDIFFERENT_BACK, False, self.idle),
        ):
            if match := pattern.search(clause.text):
                place = self.text.find(match.group(), clause.start)
                noted |= {i for i in clause.tokens if (self.words[i].start > place) == behind}
                return True
        if match := _DOUBLE.search(clause.text):
            if not _ASKING_DOUBLE.search(match.group()):
                self.allowed |= set(clause.tokens)
            return True
        if _ALLOWED.search(clause.text) and not _FORWARD.search(_QUESTIONED.sub(" ", clause.text)):
            self.allowed |= set(clause.tokens)
            return True
        return False

    def _cues(self, clause: _Clause) -> list[tuple[int, int]]:
        """Where a refusal opens its scope: the places in the text right behind each cue."""
        spared = [m.span() for m in _QUESTIONED.finditer(self.text)]
        return [
            m.span()
            for m in _FORWARD.finditer(self.text, clause.start, clause.end)
            if not any(start <= m.start() < end for start, end in spared)
        ]

    def _forward(self, clause: _Clause) -> set[int]:
        """The tokens behind a refusal, to the end of the clause or a turn of mind; in Chinese to the 的 before a head."""
        found: set[int] = set()
        for m in _AROUND.finditer(self.text, clause.start, clause.end):
            name = "said" if m["said"] else "to"
            found |= {i for i in clause.tokens if m.start(name) <= self.words[i].start < m.end(name)}
        cues = self._cues(clause)
        inside = False
        for index in clause.tokens:
            token = self.words[index]
            if any(start <= token.start < end for start, end in cues):
                inside = True
                continue
            ended = (
                token.text in _ENDS
                and index > clause.tokens[0]
                and self.words[index - 1].text not in ("don't", "not", "dont")
            )
            if inside and (ended or self._ends_scope(index)):
                inside = False
            elif inside:
                found.add(index)
        return found

    def _ends_scope(self, index: int) -> bool:
        token = self.words[index]
        if _CHINESE_ENDS.match(self.text, token.start):
            return True
        head = next((m for m in self.matches if m.first == index and not _names_value(m)), None)
        return bool(head and CHINESE.match(token.text) and self.text[token.start - 1 : token.start] == "的")

    def _doubled(self, clause: _Clause) -> bool:
        """Whether one refusal stands inside another: "no shirt that isn't linen", "不是精装的书我不收藏"."""
        cues = self._cues(clause)
        for (_, end), (start, _) in zip(cues, cues[1:], strict=False):
            between = [t.text for t in self.words if end <= t.start < start]
            if _RELATIVE & set(between) or self.text.startswith("without", start):
                return True
            held = [i for i in clause.tokens if i in self.values]
            inside = any(end <= self.words[i].start < start for i in held)
            if "的" in between and inside and not any(self.words[i].start > start for i in held):
                return True
        return False

    def _backward(self, clause: _Clause) -> set[int]:
        """What stands before a refusal that has no object of its own."""
        if outside := _OUTSIDE.search(clause.text):
            place = self.text.find(outside.group(), clause.start)
            return self._objects([i for i in clause.tokens if self.words[i].start < place])
        match = _BACK.search(clause.text)
        if match is None or _CALM.search(match.group()):
            return set()
        place = self.text.find(match.group(), clause.start)
        return self._objects([i for i in clause.tokens if self.words[i].start < place])

    def _refuses_before(self, clause: _Clause) -> bool:
        """Whether the clause refuses what the one before it named ("so skip that", "不考虑")."""
        if self.values & set(clause.tokens):
            return False
        answered = self.text[clause.start - 1 : clause.start + 1].strip().startswith(("?", "？")) and _NO.fullmatch(
            clause.text
        )
        return bool(answered) or _REMOVING.search(clause.text) is not None

    def _objects(self, indices: Iterable[int]) -> set[int]:
        """The values among some tokens, or all of them where there are none."""
        inside = set(indices)
        return inside & self.values or inside

    def _continues(self, clause: _Clause) -> bool:
        """Whether a clause only lists more of what the one before refused ("no leather, suede or canvas")."""
        texts = [self.words[i].text for i in clause.tokens]
        bare = all(
            i in self.values or self.words[i].text in ("or", "nor", "和", "或", ",", "、", "，") for i in clause.tokens
        )
        return bare and bool({"or", "nor"} & set(texts))


def _names_value(match: Match) -> bool:
    return all(x.attribute != CATEGORY for x in match.meanings)

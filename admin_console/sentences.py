"""What the domain says in English, said in plain words of the reader's language: objections, refusals, the gate's findings.

The domain words its sentences for logs and commands as well; a sentence that is not known here is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.labels import Label

Known = Sequence[tuple[str, Label]]

OBJECTIONS: Known = (
    (r"“(?P<what>.+)” is no figure of this reply", _("“%(what)s” is no price or figure of this reply's products.")),
    (r"“(?P<what>.+)” is none of the products of this reply", _("“%(what)s” is none of this reply's products.")),
    (r'"(?P<what>.+)" is supported by no fact', _("Nothing in the shop's data says “%(what)s”.")),
    (r'promises "(?P<what>.+)", which no fact supports', _("It promises “%(what)s”, which the shop's data do not.")),
    (r'says "(?P<what>.+)", which the customer ruled out', _("It says “%(what)s”, which the customer ruled out.")),
    (r'denies "(?P<what>.+)", which is a fact', _("It denies “%(what)s”, which is true of the product.")),
    (
        r'holds "(?P<what>.+)", (?:which only a tag may bring in|a character of no fact)',
        _("It may not hold “%(what)s”."),
    ),
    (r"\[(?P<what>.+)\] is not among the facts", _("This reply has no value for [%(what)s].")),
    (r"says (?:\[.+\]|\"…\") of (?P<what>[A-D])", _("It gives product %(what)s a value that is another product's.")),
    (r'does not say that "(?P<what>.+)" was given up', _("It does not say that “%(what)s” could not be met.")),
    ("does not say that the price was given up", _("It does not say that the price wished for could not be met.")),
    (r"longer than (?P<what>\d+) words", _("It is longer than %(what)s words.")),
    ("names no product", _("It names none of the products.")),
    ("says nothing", _("It says nothing.")),
    ("asks nothing", _("It asks the customer nothing, as this reply has to.")),
    ("breaks off in the middle", _("It does not end like a sentence: put a full stop or question mark.")),
    ("repeats itself", _("It repeats itself.")),
    ("the model was not sure of its words", _("The model was not sure of its words.")),
    ("says the same thing of a product twice", _("It says the same thing of a product twice.")),
    ("does not say no", _("It does not say no, as this reply has to.")),
    ("does not say that a person takes over", _("It does not say that a person takes over.")),
    ("does not state the fact asked for", _("It does not state the fact that the customer asked for.")),
    ("does not quote the article exactly once", _("It does not quote the article exactly once.")),
    (
        r'says "made of (?P<what>.+)", which is no material of it',
        _("It says “made of %(what)s”, which is no material."),
    ),
    (r'says "(?P<what>.+)" on price of .+', _("It says “%(what)s” of a price that does not.")),
    (
        r'says "(?P<what>.+)", though nothing was given up',
        _("It says “%(what)s”, but the products have all that the customer wished."),
    ),
    (r'says "(?P<what>.+)", which tells nothing', _("It says “%(what)s”, which tells nothing.")),
    ("denies a product or its price", _("It denies a product or its price.")),
    ("gives the budget as a price", _("It gives the customer's budget as a price.")),
    (
        "says of a product beyond the budget that it is within",
        _("It says that a product keeps to the customer's budget, and it does not."),
    ),
    (
        "says of a product within the budget that it is beyond",
        _("It says that a product costs more than the customer's budget, and it does not."),
    ),
)
REFUSALS: Known = (
    (
        r"“(?P<what>.+)” promises, denies or compares something: .*",
        _("“%(what)s” promises, denies or compares something: it is no mere manner of speaking."),
    ),
    (
        r"“(?P<what>.+)” is said of products in the catalogue: .*",
        _("“%(what)s” is said of products in your catalogue: it is a fact where it is true."),
    ),
    (
        r"(?P<name>\S+) may not serve customers: the gate refused it for: (?P<lines>.+)\. Run .*",
        _("%(name)s may not serve customers: it did not pass the gate for “%(lines)s”."),
    ),
    (
        r"(?P<name>\S+) may not serve customers: it has not been evaluated\. Run .*",
        _("%(name)s may not serve customers: it has not been evaluated yet."),
    ),
    (
        r"(?P<name>\S+) may not serve customers: it was measured against (?P<against>.+), but (?P<live>.+) is live now\. Run .*",
        _(
            "%(name)s may not serve customers: it was measured against %(against)s, but %(live)s is live now. Measure it again."
        ),
    ),
    (
        r"(?P<name>\S+) is (?P<state>\w+) and cannot become (?P<to>\w+)\.",
        _("%(name)s is “%(state)s” and cannot become “%(to)s”."),
    ),
    (
        r"(?P<name>.+) is served by the adapter that ships; there is nothing before it\.",
        _("%(name)s is served by the model that ships; there is nothing to roll back to."),
    ),
    (
        r"The recipe (?P<recipe>\S+) cannot be told (?P<options>.+); it has .+\.",
        _("“%(recipe)s” has no such setting: %(options)s."),
    ),
    (
        r"There is nothing to learn from yet: .+ \(left out: (?P<left_out>.+)\)\.",
        _("There is nothing to learn from yet; left out: %(left_out)s."),
    ),
    (
        r"There is nothing to learn from yet: .+\.",
        _("There is nothing to learn from yet: approve or correct replies, or wait for customers' thumbs."),
    ),
)
FINDINGS: Known = (
    ("not measured", _("not measured")),
    ("nothing was measured", _("nothing was measured")),
    (
        r"(?P<mean>\S+) \((?P<low>\S+) to (?P<high>\S+)\); at worst (?P<worst>\S+) is allowed",
        _("%(mean)s (%(low)s to %(high)s); at worst %(worst)s is allowed"),
    ),
    (
        r"(?P<mean>\S+) \((?P<low>\S+) to (?P<high>\S+)\), n=(?P<count>\d+); at worst (?P<worst>\S+) is allowed",
        _("%(mean)s (%(low)s to %(high)s), n=%(count)s; at worst %(worst)s is allowed"),
    ),
    (
        r"(?P<times>\S+) times the live version's, (?P<most>\S+) is allowed",
        _("%(times)s times the live version's, %(most)s is allowed"),
    ),
    (r"(?P<share>\S+) of the replies", _("%(share)s of the replies")),
)
NAMES = {
    "state": labels.learning.VERSION_STATES,
    "to": labels.learning.VERSION_STATES,
    "recipe": labels.learning.RECIPES,
    "against": labels.learning.RIVALS,
    "live": labels.learning.RIVALS,
}
LISTS = {"lines": labels.learning.MEASURES, "options": labels.learning.OPTIONS}


def plainly(text: str) -> str:
    """The sentence in the reader's language."""
    return reworded(text, (*OBJECTIONS, *REFUSALS, *FINDINGS))


def reworded(text: str, known: Known) -> str:
    """The sentence in the reader's language, if it is one of those known."""
    for pattern, sentence in known:
        if found := re.fullmatch(pattern, text):
            return str(sentence) % {name: _named(name, value) for name, value in found.groupdict().items()}
    return text


def _named(name: str, value: str) -> str:
    if name in LISTS:
        return ", ".join(labels.label(LISTS[name], one) for one in value.split(", "))
    if name == "left_out":
        counts = (part.split(" ", 1) for part in value.split(", "))
        return ", ".join(f"{count} {labels.label(labels.learning.LEFT_OUT, reason)}" for count, reason in counts)
    return labels.label(NAMES[name], value) if name in NAMES else value.rstrip(".,")

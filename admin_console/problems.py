"""What is wrong with a row, a file or a value that somebody sent for the catalogue, in the reader's language.

The catalogue words it in English, for commands and logs too (``catalog.ingest``); what is not known here is shown as it is.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from admin_console.sentences import Known, reworded

PROBLEMS: Known = (
    (r'price "(?P<what>.*)" is not a number: .*', _("Price “%(what)s” is no number: write 12.50.")),
    (r'price "(?P<what>.*)" is too large: .*', _("Price “%(what)s” is too large.")),
    (
        r'price "(?P<what>.*)" is not in (?P<currency>\w+), .*',
        _("Price “%(what)s” is not in %(currency)s, the currency of the shop: convert it."),
    ),
    (
        r'price "(?P<what>.*)" can be read two ways: write (?P<one>.+) or (?P<other>.+)',
        _("Price “%(what)s” can be read two ways: write %(one)s or %(other)s."),
    ),
    (r'price "(?P<what>.*)" mixes its separators: .*', _("Price “%(what)s” mixes its separators: write 1299.00.")),
    (r"price (?P<what>\S+) is not between .*", _("Price “%(what)s” is too large.")),
    (r"no price: .*", _("No price: fill it in, or say below what rows without one cost.")),
    (r"no SKU: .*", _("No SKU: give every row one of its own, or say which column holds it.")),
    (r"no SKU or no title: .*", _("No SKU or no title: fill it in.")),
    (r"no title: .*", _("No title: say what the product is called.")),
    (r"no \w+: fill it in", _("It is empty: fill it in.")),
    (
        r"(?P<what>.+) is on line (?P<line>\d+) already: keep one of them",
        _("“%(what)s” is on line %(line)s already: keep one of them."),
    ),
    (
        r'(?P<name>[\w ]+) "(?P<what>.*)" is not a whole number from 0: .*',
        _("“%(what)s” is no whole number from 0: write 12."),
    ),
    (r"stock (?P<what>\d+) is not between .*", _("“%(what)s” is too large.")),
    (r'rating "(?P<what>.*)" is not a number of stars .*', _("“%(what)s” is no number of stars from 1 to 5: write 4.5.")),
    (
        r'(?:image|url) "(?P<what>.*)" is no web address: .*',
        _("“%(what)s” is no web address: start it with https://."),
    ),
    (
        r"(?P<cells>\d+) cells under (?P<names>\d+) column names: .*",
        _("%(cells)s cells under %(names)s column names: put cells that hold a separator into quotes."),
    ),
    (r"(?P<what>[\w ]+) is a list: write one value", _("%(what)s is a list: write one value.")),
    (
        r"[\w ]+ '?(?P<what>.*?)'? has (?P<count>\d+) characters: at most (?P<most>\d+) fit",
        _("“%(what)s” has %(count)s characters: at most %(most)s fit."),
    ),
    (
        r"there is a product with the SKU (?P<what>.+): give this one another, .*",
        _("There is a product with the SKU “%(what)s” already: give this one another, or change that one."),
    ),
    (r"nothing to sell: .*", _("Nothing to sell: give at least one variant with a price.")),
    (r"category '(?P<what>.*)' has a part without .*", _("Category “%(what)s” has a part without letters or digits.")),
    (r"two variants share a SKU: .*", _("Two variants share a SKU: give each its own.")),
    (r"not JSON \(.*\): .*", _("This is no JSON: write one object a line.")),
    (r"a text holds a NUL or a broken character: .*", _("A text holds a broken character: write it again.")),
    (r"this product has several variants: .*", _("This product has several variants: change them on its own page.")),
    (r"this is a workbook of the old kind .*", _("This is a workbook of the old kind (.xls); save it as .xlsx.")),
    (r"this is no table of products; .*", _("This is no table of products; upload CSV, TSV, XLSX, JSONL or YAML.")),
    (r"XML and web pages are not read; .*", _("XML and web pages are not read; export CSV, XLSX, JSONL or YAML.")),
    (r"a JSON array; .*", _("A JSON array is not read; write one object a line, without the brackets around them.")),
    (r"the file is empty; .*", _("The file is empty; export it again.")),
    (r".*: no rows in it; export it again", _("There are no rows in it; export it again.")),
    (r"(?:not an XLSX workbook|a damaged XLSX workbook).*", _("The workbook is damaged; save it again as .xlsx.")),
    (r"larger than (?P<what>[\d,]+) bytes; .*", _("It is larger than %(what)s bytes; split the file.")),
    (
        r"line (?P<line>\d+): not (?P<what>\S+) text; .*",
        _("Line %(line)s is no %(what)s text; choose another encoding below."),
    ),
    (r"line (?P<line>\d+): .*; close the quote .* there", _("Line %(line)s: a quote opens there and never closes.")),
    (
        r"the header names column '?(?P<what>.*?)'? more than once; .*",
        _("The header names column “%(what)s” more than once; give every column its own name."),
    ),
    (r"kept as attributes: (?P<what>.*)", _("Kept as attributes: %(what)s")),
    (
        r"no stock column: .*",
        _("There is no stock column: everything counts as sold out, unless you say below what rows without one have."),
    ),
    (r"not a plain https address", _("Only plain https addresses are fetched.")),
    (r"cannot be reached .*", _("It cannot be reached. Only addresses of the public internet are fetched.")),
    (r"answered (?P<what>\d+)", _("The other server answered %(what)s.")),
    (r"broke off \((?P<what>\w+)\); .*", _("It broke off (%(what)s). Ask again; the server's log says more.")),
)  # fmt: skip


def told(problem: str) -> str:
    """A problem in the reader's language, as far as it is known here."""
    return reworded(problem, PROBLEMS)

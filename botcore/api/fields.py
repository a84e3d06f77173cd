"""Fields that take what the document says and nothing that merely looks like it: "12" is no number, 1 is no yes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.ingest.cells import SOMETHING, said

BIGGEST = 2**63 - 1
PRICE = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$"
ATTRIBUTES = {
    "type": "object",
    "maxProperties": 60,
    "propertyNames": {"maxLength": 60, "pattern": SOMETHING},
    "additionalProperties": {"type": "array", "items": {"type": "string", "maxLength": 120, "pattern": SOMETHING}},
}


class Text(serializers.CharField):
    """A text that says something, without the spaces around it; ``allow_blank`` lets it say nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.allow_blank:
            self.validators.append(RegexValidator(SOMETHING, "Say something here."))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return said(super().to_internal_value(data))


class Whole(serializers.IntegerField):
    """A whole number as JSON writes it, of 64 bits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": BIGGEST, **options})

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Figure(serializers.FloatField):
    """A number as JSON writes it."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool | str):
            self.fail("invalid")
        return super().to_internal_value(data)


class YesNo(serializers.BooleanField):
    """``true`` or ``false``."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OneOf(serializers.ChoiceField):
    """One of a few words."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return str(super().to_internal_value(data))


class Moment(serializers.DateTimeField):
    """A time of day in a place (RFC 3339): without its zone it would mean another moment to everybody."""

    default_error_messages = {"zone": "Say the time zone, as in 2026-11-29T20:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        if not re.search(r"([zZ]|[+-][0-9]{2}:[0-9]{2})$", value):
            self.fail("zone")
        moment: datetime = super().to_internal_value(value.upper())
        return moment


@extend_schema_field({"type": "string", "pattern": PRICE, "examples": ["49.00"]})
class Price(serializers.Field):
    """An amount in the shop's currency, as a text: no number of JSON's keeps cents."""

    default_error_messages = {"invalid": 'Write a price as a text like "12.50", in the currency of the shop.'}

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not re.fullmatch(PRICE[1:-1], data):
            self.fail("invalid")
        return Decimal(data).quantize(Decimal("0.01"))

    def to_representation(self, value: Decimal) -> str:
        return str(value)


@extend_schema_field(ATTRIBUTES)
class Attributes(serializers.Field):
    """Attribute to its values; stored in small letters."""

    default_error_messages = {
        "invalid": "Write attributes as an object of lists of texts: at most 60, with names of 1 to 60 characters.",
        "value": "Write the values of {name} as a list of texts of 1 to 120 characters.",
    }

    def to_internal_value(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, dict) or len(data) > 60 or not all(_says_something(name, 60) for name in data):
            self.fail("invalid")
        read: dict[str, list[str]] = {}
        for name, values in data.items():
            if not isinstance(values, list) or not all(_says_something(value, 120) for value in values):
                self.fail("value", name=name)
            read[name.strip().lower()] = list(dict.fromkeys(" ".join(value.split()).lower() for value in values))
        return read

    def to_representation(self, value: Any) -> Any:
        return value


def _says_something(value: Any, longest: int) -> bool:
    return isinstance(value, str) and bool(re.search(SOMETHING, value)) and len(value.lower()) <= longest


# --- of an address ----------------------------------------------------------------------------------------------------


class AskedWhole(serializers.IntegerField):
    """A whole number in a query: digits alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": BIGGEST, "required": False, **options})

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch("-?[0-9]{1,19}", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class AskedYesNo(serializers.BooleanField):
    """``true`` or ``false`` in a query."""

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return data == "true"


SOON = timedelta(minutes=5)
"""How far another machine's clock may be ahead of ours."""

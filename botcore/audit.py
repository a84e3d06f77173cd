"""Who changed what, when and from where. The database itself keeps the log: a trigger writes an entry in the transaction of
the change, so nothing that a person does through the console, the API or a command can go past it.

Here: whose deed a change is (:func:`recorded`, the middleware, commands), entries for deeds that change no row
(:func:`note`), and what a migration needs to have a table watched (:func:`watch`). Changes by workers have no author and
leave no entry.
"""

from __future__ import annotations

import getpass
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.migrations.operations import RunSQL
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from botcore.models import ApiToken, AuditEntry
from catalog.models import Shop

Action = AuditEntry.Action
SETTING = "daogou.actor"
"""Of the database's transaction: the author of its changes, as JSON."""
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
AGENT_LENGTH = 120
TEXT_LENGTH = 500


@dataclass(frozen=True)
class Actor:
    """Whose deed a change is: a person's (``by_id``), a program's or a command's, from an address and a browser."""

    by: str
    by_id: int | None = None
    ip: str | None = None
    agent: str = ""


_actor: ContextVar[Callable[[], Actor | None]] = ContextVar("actor", default=lambda: None)


@contextmanager
def recorded(actor: Callable[[], Actor | None]) -> Iterator[None]:
    """What is changed in here is entered as ``actor``'s, who is asked for at each change: a request may log in half-way."""
    token, signature = _actor.set(actor), _Signature()
    try:
        with connection.execute_wrapper(signature):
            yield
    finally:
        _actor.reset(token)
        if signature.given and connection.in_atomic_block and not connection.needs_rollback:
            _sign_for_the_rest_of_the_transaction()


class _Signature:
    """Tells the database the author, in the same round trip and so in the same transaction as the change."""

    given = False

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]
    ) -> Any:
        if not WRITES.match(sql):
            return execute(sql, params, many, context)
        self.given = True
        statement = context["cursor"].mogrify(f"SELECT set_config('{SETTING}', %s, true);", [_setting()]).decode()
        return execute(statement + sql, params, many, context)


def _setting() -> str:
    """Holds no percent sign, which would be read as a placeholder of the statement that follows."""
    actor = _actor.get()()
    return json.dumps(asdict(actor)).replace("%", "\\u0025") if actor else ""


def _sign_for_the_rest_of_the_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, _setting()])


class Recorded:
    """Middleware: what a request changes is its user's deed. Stands after the one that knows the user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with recorded(lambda: _signed_in(request)):
            return self.get_response(request)


def as_person(request: HttpRequest, user: User) -> Actor:
    """``user`` where the request comes from: for what somebody does who is not signed in yet."""
    return Actor(user.get_username(), user.pk, *origin(request))


def origin(request: HttpRequest) -> tuple[str | None, str]:
    """Address, None where the server knows none, and browser, cut to what tells it from others."""
    address = request.META.get("REMOTE_ADDR", "")
    agent = request.META.get("HTTP_USER_AGENT", "")[:AGENT_LENGTH]
    try:
        return str(ipaddress.ip_address(address)), agent
    except ValueError:
        return None, agent


def as_command(name: str) -> Actor:
    """A command, and who runs it on this machine."""
    try:
        runner = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        runner = "?"
    return Actor(f"manage.py {name} ({runner})"[:150])


def _signed_in(request: HttpRequest) -> Actor | None:
    token: ApiToken | None = getattr(request, "api_token", None)
    if token:
        return Actor(f"{token.name} ({token.prefix}…)"[:150], None, *origin(request))
    user: User | AnonymousUser = request.user
    return as_person(request, user) if isinstance(user, User) and user.is_authenticated else None


def note(
    action: Action,
    kind: str,
    row_id: int | None = None,
    label: str = "",
    shop: Shop | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """An entry for a deed that changes no watched row, or many as one; ``changes`` are before and after.

    Raises ``LookupError`` outside of :func:`recorded`.
    """
    actor = _actor.get()()
    if actor is None:
        raise LookupError("nobody is known whose deed this is: botcore.audit.recorded says who acts")
    AuditEntry.objects.create(
        **asdict(actor),
        action=action,
        kind=kind,
        row_id=row_id,
        label=label[:200],
        shop_id=shop.pk if shop else None,
        changes={field: [_cut(before), _cut(after)] for field, (before, after) in (changes or {}).items()},
    )


def _cut(value: Any) -> Any:
    """Long texts as the trigger keeps them."""
    if isinstance(value, dict):
        return {name: _cut(part) for name, part in value.items()}
    return f"{value[:TEXT_LENGTH]}…" if isinstance(value, str) and len(value) > TEXT_LENGTH else value


@contextmanager
def unrecorded() -> Iterator[None]:
    """Rows that are changed in here leave no entries: for what is one deed and is noted as one, as an import."""
    with recorded(lambda: None):
        yield


# --- for migrations --------------------------------------------------------------------------------------------------

SHOP_OF_ROW = "($1->>'shop_id')::bigint"
"""SQL: the shop of a row, which is ``$1`` as JSON, by its own column."""


def shop_by(table: str, column: str) -> str:
    """SQL: the shop of a row whose ``column`` is the id of a row of ``table`` that has a shop."""
    return f"(SELECT shop_id FROM {table} WHERE id = ($1->>'{column}')::bigint)"  # noqa: S608 (our own names)


def watch(
    table: str,
    shown: Sequence[str] = (),
    silent: Sequence[str] = (),
    shop: str = SHOP_OF_ROW,
    label: str = "NULL",
    on: str = "INSERT OR UPDATE OR DELETE",
) -> RunSQL:
    """The trigger that enters what people change in a table with an ``id``.

    Of the columns in ``shown`` the values are kept, of others only that they changed, of those in ``silent`` nothing: what
    is new stays hidden until somebody has thought of it. ``shop`` and ``label`` are SQL over the row as JSON (``$1``).
    """
    quoted = [text.replace("'", "''") for text in (",".join(shown), ",".join(silent), shop, label)]
    kind = table.partition("_")[2]
    arguments = ", ".join(f"'{text}'" for text in (kind, *quoted))
    return RunSQL(
        f"CREATE TRIGGER audited AFTER {on} ON {table} FOR EACH ROW "
        f"WHEN (coalesce(current_setting('{SETTING}', true), '') <> '') EXECUTE FUNCTION audit_change({arguments})",
        f"DROP TRIGGER audited ON {table}",
    )

"""What can be asked next, with what an answer has told (https://spec.openapis.org/oas/v3.1.0#link-object)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botcore.api.examples import EXAMPLES

FIRST = "/items/0"


@dataclass(frozen=True)
class Kind:
    """Rows of one kind: which operation answers a page of them, which answer one, what can be asked of one.

    ``changed_by`` is a PATCH, which only an answer with an ETag leads to; ``named`` the field that is in addresses.
    """

    listed_by: str
    told_by: Sequence[str]
    asked: Sequence[str]
    changed_by: str = ""
    named: str = "id"


KINDS = (
    Kind("list_products", ["get_product", "change_product"], ["get_product"], "change_product"),
    Kind(
        "list_conversations",
        ["get_conversation", "hold_conversation"],
        ["get_conversation", "list_turns", "send_message"],
        "hold_conversation",
        named="key",
    ),
    Kind("list_annotations", ["annotate", "get_annotation", "change_annotation"], ["get_annotation"], "change_annotation"),
    Kind("list_runs", ["start_run", "get_run", "stop_run", "evaluate_version"], ["get_run", "stop_run"]),
    Kind("list_versions", ["get_version", "move_version"], ["get_version", "move_version", "evaluate_version"]),
    Kind("list_alerts", ["get_alert", "close_alert"], ["get_alert", "close_alert"]),
    Kind(
        "list_webhooks",
        ["add_webhook", "get_webhook", "change_webhook", "rotate_secret"],
        ["get_webhook", "delete_webhook", "rotate_secret", "try_webhook"],
        "change_webhook",
    ),
    Kind("list_deliveries", ["try_webhook", "resend_delivery"], ["resend_delivery"]),
)  # fmt: skip
OTHERS: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "upsert_products": {"list_products": {"parameters": {"sku": f"$request.body#{FIRST}/sku"}}},
    "add_interactions": {"list_interactions": {"parameters": {"customer": f"$request.body#{FIRST}/customer"}}},
    "list_turns": {
        "give_feedback": {"requestBody": {"turn": f"$response.body#{FIRST}/id", "kind": "up"}},
        "annotate": {"requestBody": {"turn": f"$response.body#{FIRST}/id", "verdict": "approved"}},
    },
    "list_snapshots": {"start_run": {"requestBody": {"snapshot": f"$response.body#{FIRST}/id", "recipe": "sft"}}},
}
"""From what was sent to what became of it, and from a row to what can be made of it."""


def links_of(operation: str) -> dict[str, dict[str, Any]]:
    """The links of an operation's answer, each under the name of what it leads to."""
    found = dict(OTHERS.get(operation, {}))
    for kind in KINDS:
        if operation in (kind.listed_by, *kind.told_by):
            row = FIRST if operation == kind.listed_by else ""
            names_it = {kind.named: f"$response.body#{row}/{kind.named}"}
            found |= {name: {"parameters": names_it} for name in kind.asked}
            if kind.changed_by and EXAMPLES[operation].has_etag:
                found[kind.changed_by] = {"parameters": {**names_it, "If-Match": "$response.header.ETag"}}
    return {name: {"operationId": name, **link} for name, link in found.items() if name != operation}

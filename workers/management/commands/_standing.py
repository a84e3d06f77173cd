"""How a shop's versions stand before and after a step, for the commands that move them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botcore.learning import versions
from botcore.models import ModelVersion
from catalog.models import Shop

State = ModelVersion.State
ANSWERING = (State.LIVE, State.CANARY, State.SHADOW)
Standing = Mapping[str, Any]


def standings(shop: Shop) -> dict[str, Standing]:
    """State, share, since when and for which department, of every version by name."""
    rows = ModelVersion.objects.filter(shop=shop).values_list("name", "state", "share", "state_since", "department")
    return {
        name: {"state": state, "share": share, "since": since.isoformat(timespec="seconds"), "department": department}
        for name, state, share, since, department in rows
    }


def report(shop: Shop, before: Mapping[str, Standing]) -> dict[str, Any]:
    """What has moved since ``before``, and who writes for the customers now."""
    after = standings(shop)
    departments = sorted({standing["department"] for standing in after.values() if standing["state"] in ANSWERING})
    return {
        "shop": shop.slug,
        "versions": {
            name: {"before": before[name], "after": after[name]} for name in after if after[name] != before[name]
        },
        "serving": _place("", after),
        "departments": {department: _place(department, after) for department in departments if department},
    }


def _place(department: str, standings: Mapping[str, Standing]) -> dict[str, Any]:
    """Who writes about a department, or "" in the shop."""
    there = {name: standing for name, standing in standings.items() if standing["department"] == department}
    by_state = {standing["state"]: name for name, standing in there.items()}
    canary = by_state.get(State.CANARY)
    return {
        "live": by_state.get(State.LIVE, "" if department else versions.SHIPPED),
        "canary": canary,
        "share": there[canary]["share"] if canary else 0,
        "shadow": by_state.get(State.SHADOW),
    }


def as_text(report: Mapping[str, Any]) -> str:
    """A row for each version that moved, and who serves."""
    lines = [f"{'version':<22}{'before':<44}after"]
    for name, moved in report["versions"].items():
        lines.append(f"{name:<22}{_told(moved['before']):<44}{_told(moved['after'])}")
    lines += ["", _serving(report["shop"], report["serving"])]
    lines += [_serving(f"- {department}", serving) for department, serving in report["departments"].items()]
    return "\n".join(lines)


def _told(standing: Standing) -> str:
    share = f" {standing['share']} %" if standing["share"] else ""
    return f"{standing['state']}{share} since {standing['since'][:16].replace('T', ' ')}"


def _serving(place: str, serving: Mapping[str, Any]) -> str:
    told = f"{place} is served by {serving['live'] or 'what serves the shop'}"
    if serving["canary"]:
        told += f", {serving['share']} % of the conversations by {serving['canary']}"
    return told + (f"; {serving['shadow']} writes beside" if serving["shadow"] else "")

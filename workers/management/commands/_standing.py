"""How a shop's versions stand before and after a step, for the commands that move them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botcore.learning import versions
from botcore.models import ModelVersion
from catalog.models import Shop

State = ModelVersion.State
Standing = Mapping[str, Any]


def standings(shop: Shop) -> dict[str, Standing]:
    """State, share and since when, of every version by name."""
    rows = ModelVersion.objects.filter(shop=shop).values_list("name", "state", "share", "state_since")
    return {
        name: {"state": state, "share": share, "since": since.isoformat(timespec="seconds")}
        for name, state, share, since in rows
    }


def report(shop: Shop, before: Mapping[str, Standing]) -> dict[str, Any]:
    """What has moved since ``before``, and who writes for the customers now."""
    after = standings(shop)
    by_state = {standing["state"]: name for name, standing in after.items()}
    canary = by_state.get(State.CANARY)
    return {
        "shop": shop.slug,
        "versions": {
            name: {"before": before[name], "after": after[name]} for name in after if after[name] != before[name]
        },
        "serving": {
            "live": by_state.get(State.LIVE, versions.SHIPPED),
            "canary": canary,
            "share": after[canary]["share"] if canary else 0,
            "shadow": by_state.get(State.SHADOW),
        },
    }


def as_text(report: Mapping[str, Any]) -> str:
    """A row for each version that moved, and who serves."""
    lines = [f"{'version':<22}{'before':<44}after"]
    for name, moved in report["versions"].items():
        lines.append(f"{name:<22}{_told(moved['before']):<44}{_told(moved['after'])}")
    return "\n".join([*lines, "", _serving(report["shop"], report["serving"])])


def _told(standing: Standing) -> str:
    share = f" {standing['share']} %" if standing["share"] else ""
    return f"{standing['state']}{share} since {standing['since'][:16].replace('T', ' ')}"


def _serving(shop: str, serving: Mapping[str, Any]) -> str:
    told = f"{shop} is served by {serving['live']}"
    if serving["canary"]:
        told += f", {serving['share']} % of the conversations by {serving['canary']}"
    return told + (f"; {serving['shadow']} writes beside" if serving["shadow"] else "")

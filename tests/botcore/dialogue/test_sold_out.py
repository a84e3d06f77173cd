"""Sold-out products are shown to who asks for them, in the turn that asks."""

from __future__ import annotations

import pytest

from botcore.dialogue.sold_out import asks_for_sold_out

ASKING = [
    "show me rugs even if they are sold out",
    "wool rugs, including the ones out of stock",
    "I don't mind if it's unavailable right now, which red rugs do you have?",
    "sold out items are fine too",
    "when will the Ember Rug be back in stock?",
    "when do you restock the red rug",
    "缺货的也可以看看",
    "红色地毯什么时候补货？",
    "就算卖完了也让我看看",
    "紅色地毯什麼時候到貨",
]
NOT_ASKING = [
    "show me rugs",
    "nothing that is sold out please",
    "is the red rug sold out?",
    "only what is in stock",
    "can I send it back when it is too small?",
    "when do you open",
    "有货的地毯",
    "这个缺货吗",
    "什么时候发货",
]


@pytest.mark.parametrize("message", ASKING)
def test_asking_for_sold_out_goods(message: str) -> None:
    assert asks_for_sold_out(message)


@pytest.mark.parametrize("message", NOT_ASKING)
def test_not_asking_for_sold_out_goods(message: str) -> None:
    assert not asks_for_sold_out(message)


def test_a_sold_out_rug_is_shown_only_where_asked_for_and_marked(talk) -> None:
    def shown(reply) -> dict[str, str]:
        return {card.sku: card.detail for card in reply.cards}

    assert "R4" not in shown(talk("red wool rugs"))
    asked = shown(talk("red wool rugs, even if they are sold out"))
    assert asked["R4"].startswith("sold out")
    assert "R4" not in shown(talk("and wool rugs in any colour?"))

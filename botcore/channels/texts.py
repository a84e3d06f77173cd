"""The few words that channels put around a reply, in every language we speak. Replies are not made here."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "choose": "Tell me more",
        "open": "Open in shop",
        "source": "From: {}",
        "products": "Products",
        "helpful": "Was this helpful?",
        "up": "Helpful",
        "down": "Not helpful",
        "thanks": "Thank you",
        "by_number": "Reply with a number to hear more",
        "judge_by_number": "{up} = helpful, {down} = not helpful",
        "between": "; ",
        "hello": "hi",
        "more": "Reply “more” for the rest",
        "wait": "Still looking: reply “more” in a moment to see it",
    },
    "zh": {
        "choose": "看看这个",
        "open": "打开商品",
        "source": "来自：{}",
        "products": "商品",
        "helpful": "这个回答有帮助吗？",
        "up": "有帮助",
        "down": "没帮助",
        "thanks": "谢谢",
        "by_number": "回复数字了解更多",
        "judge_by_number": "{up} = 有帮助，{down} = 没帮助",
        "between": "；",
        "hello": "你好",
        "more": "回复“继续”看余下内容",
        "wait": "正在查找，请稍后回复“继续”查看",
    },
}


def texts_in(language: str) -> Mapping[str, str]:
    """The words in the language of a reply, or in English."""
    return TEXTS["zh" if language.lower().startswith("zh") else "en"]

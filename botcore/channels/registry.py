"""Which channels there are: by dotted path, imported only when used."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from botcore.channels.base import Channel
from botcore.models import ChannelAccount
from botcore.security import unseal

CHANNELS = {
    "telegram": "botcore.channels.telegram.Telegram",
    "whatsapp": "botcore.channels.meta.whatsapp.WhatsApp",
    "messenger": "botcore.channels.meta.messenger.Messenger",
    "instagram": "botcore.channels.meta.messenger.Instagram",
    "slack": "botcore.channels.slack.Slack",
    "discord": "botcore.channels.discord.Discord",
    "teams": "botcore.channels.teams.channel.Teams",
    "line": "botcore.channels.line.Line",
    "wechat": "botcore.channels.wechat.channel.WeChat",
    "feishu": "botcore.channels.feishu.Feishu",
    "dingtalk": "botcore.channels.dingtalk.DingTalk",
    "webchat": "botcore.channels.webchat.channel.WebChat",
    "twilio": "botcore.channels.twilio.Twilio",
    "generic": "botcore.channels.generic.channel.Generic",
    "terminal": "botcore.channels.terminal.Terminal",
}


def channel_class(name: str) -> type[Channel]:
    """The class of a channel. Raises ``LookupError`` for a name nobody registered."""
    if name not in CHANNELS:
        raise LookupError(f'no channel is called "{name}"; there are {", ".join(sorted(CHANNELS))}')
    return import_string(CHANNELS[name])


def channel_for(account: ChannelAccount) -> Channel:
    """The account's channel with its secrets opened."""
    return channel_class(account.channel)(unseal(account.sealed_config), account.key)


def webhook_url(account: ChannelAccount) -> str:
    """Where the platform is to send its events."""
    return f"{settings.PUBLIC_URL}/webhooks/{account.channel}/{account.key}"

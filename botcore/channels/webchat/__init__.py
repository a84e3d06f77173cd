"""The bot's own chat: a page and a widget for any site, fed by server-sent events straight from the stored replies."""

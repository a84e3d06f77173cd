"""Telling a shop's own systems what happened, by Standard Webhooks (https://www.standardwebhooks.com)."""

"""A shop's own app, by Standard Webhooks (https://www.standardwebhooks.com) both ways. ``openapi.json`` is the contract."""

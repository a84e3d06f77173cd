"""The REST API under ``/api/v1/``: everything a shop's own systems may read and do, with a token of that shop.

A view translates, makes one domain call and translates back. The contract is ``/api/v1/openapi.json``.
"""

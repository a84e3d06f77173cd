"""The contract with a shop's app, for whoever writes that app."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

SECONDS = 3600


@functools.cache
def contract() -> dict[str, Any]:
    """Both directions as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0)."""
    described: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    return described | {"servers": [{"url": settings.PUBLIC_URL}]}


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    response = JsonResponse(contract(), json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = f"public, max-age={SECONDS}"
    response["Access-Control-Allow-Origin"] = "*"
    return response

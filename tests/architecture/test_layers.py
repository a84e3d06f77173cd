"""Imports point one way, and the web process starts without what only workers need."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from botcore.environment import PROJECT

PRODUCTION = ("catalog", "botcore", "workers", "admin_console")
HEAVY = ("torch", "transformers", "openvino", "openvino_genai", "sentence_transformers", "bitsandbytes", "peft", "trl")

EVERY_ADDRESS = """
import json, sys
from botcore.asgi import application
from django.urls import get_resolver

def resolve(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from resolve(pattern)
        else:
            yield pattern.callback

views = list(resolve(get_resolver()))
print(json.dumps({"views": len(views), "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def sources() -> list[Path]:
    return [file for package in PRODUCTION for file in sorted((PROJECT / package).rglob("*.py"))]


def imported(file: Path) -> set[str]:
    """The packages that a file imports, at any depth of its code."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_the_contracts_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_web_process_starts_without_any_model_code():
    done = subprocess.run(
        [sys.executable, "-c", EVERY_ADDRESS], cwd=PROJECT, env={**os.environ}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert loaded["views"] > 10
    assert set(loaded["modules"]) & {*HEAVY, "workers"} <= {"workers"}
    assert not set(loaded["modules"]) & set(HEAVY)


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(PROJECT)))
def test_production_never_imports_tests(file):
    assert not imported(file) & {"tests", "benchmarks", "pytest", "factory", "hypothesis"}

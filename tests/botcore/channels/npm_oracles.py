"""npm packages that imitate or check platforms: installed once a session, and skipped where there is no npm to do so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "npm"
INSTALL_SECONDS = 120


@pytest.fixture(scope="session")
def npm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts of ``npm/`` beside the packages they need."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install its packages in {INSTALL_SECONDS} s")
    if done.returncode:
        pytest.skip(f"npm could not install its packages: {done.stderr[-300:]}")
    return folder

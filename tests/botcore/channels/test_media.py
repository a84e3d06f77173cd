"""Pictures are served from under the media root and nowhere else."""

from __future__ import annotations

import pytest


@pytest.fixture
def root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    (settings.MEDIA_ROOT / "demo").mkdir(parents=True)
    (settings.MEDIA_ROOT / "demo" / "a b.jpg").write_bytes(b"jpeg")
    (tmp_path / "secret").write_text("no")
    (settings.MEDIA_ROOT / "way-out").symlink_to(tmp_path / "secret")
    return settings.MEDIA_ROOT


def test_a_picture_comes_with_its_type_and_may_be_kept(client, root):
    response = client.get("/media/demo/a%20b.jpg")
    assert (response.content, response["Content-Type"]) == (b"jpeg", "image/jpeg")
    assert response["Cache-Control"] == "public, max-age=86400"
    assert (
        client.get("/media/demo/a%20b.jpg", headers={"If-Modified-Since": response["Last-Modified"]}).status_code == 304
    )


@pytest.mark.parametrize(
    "path", ["../secret", "demo/../../secret", "%2e%2e/secret", "way-out", "demo", "nothing", "a%00b"]
)
def test_everything_else_is_not_there(client, root, path):
    assert client.get(f"/media/{path}").status_code == 404


def test_what_is_no_picture_is_not_shown_by_the_browser(client, root):
    (root / "page.html").write_text("<script>")
    assert client.get("/media/page.html")["Content-Disposition"] == "attachment"

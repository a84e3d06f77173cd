"""What an operator may set, and what they are told when it is wrong."""

from __future__ import annotations

import os
import random
import secrets
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botcore.environment import PROJECT, SERVED_PORT, ConfigurationError, Environment

WRONG = {
    "PORT": ["0", "65536", "eighty", "-1", "80.5", "1e3", "9" * 6000],
    "DEBUG": ["maybe", "2"],
    "DAOGOU_ENGINE": ["cuda", "OpenVINO"],
    "DAOGOU_SAMPLES": ["0", "17", "many"],
    "REPLY_SECONDS": ["0", "61", "4.5"],
    "MEDIA_MEGABYTES": ["0", "65", "8 MB"],
    "LOG_LEVEL": ["debug", "LOUD"],
    "PUBLIC_URL": ["chat.example.com", "ftp://chat.example.com", "https://", "http://[::1", "x\nhttps://y"],
    "DATABASE_URL": ["mysql://localhost/shop", "shop", "postgresql://localhost", "postgresql://localhost/", "http://[::1"],
    "BROKER_URL": ["kafka://localhost", "localhost:5672", "amqp://[::1"],
    "VAR_DIR": ["/proc/version", "/proc/version/inside", "/proc"],
}  # fmt: skip

FOLDERS = ("IMAGE_ENCODER", "SPEECH_RECOGNISER")


def read(var_dir: Path, **values: str) -> Environment:
    return Environment.read({"VAR_DIR": str(var_dir), **values})


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, values in WRONG.items() for v in values], ids=lambda x: x[:30]
)
def test_a_wrong_value_gives_one_line_that_names_it(tmp_path, name, value):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("name", [name for name in WRONG if name != "VAR_DIR"])
def test_the_line_shows_something_to_write_that_is_then_accepted(tmp_path, name):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{name: WRONG[name][0]})
    advice = str(caught.value).split("; ")[-1].removeprefix("write ").removeprefix("for example ")
    advice = advice.removeprefix("one of ").split(" or ")[0].split(", ")[0].removeprefix(f"{name}=")
    assert read(tmp_path, **{name: advice})


@pytest.mark.parametrize(
    "name", sorted({*WRONG, "SECRET_KEY", "ALLOWED_HOSTS", "DAOGOU_ADAPTER", *FOLDERS} - {"VAR_DIR"})
)
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_no_text_at_all_makes_reading_fail_in_another_way(tmp_path_factory, name, value):
    try:
        read(tmp_path_factory.getbasetemp(), **{name: value})
    except ConfigurationError as error:
        assert str(error).startswith(name)
        assert len(str(error).splitlines()) == 1


def test_a_secret_in_a_wrong_address_is_not_repeated(tmp_path):
    for name in ("DATABASE_URL", "BROKER_URL"):
        with pytest.raises(ConfigurationError) as caught:
            read(tmp_path, **{name: "mysql://me:hunter2@localhost/shop"})
        assert "hunter2" not in str(caught.value)


def test_nothing_set_means_everything_built_in(tmp_path):
    environment = read(tmp_path)
    assert (environment.database_url, environment.broker_url, environment.engine) == ("", "", "auto")
    assert (environment.port, environment.public_url) == (8000, "http://127.0.0.1:8000")
    assert (environment.debug, environment.allowed_hosts, environment.samples) == (False, (), 4)


def test_what_runs_on_another_port_is_spoken_of_with_that_port(tmp_path):
    (tmp_path / SERVED_PORT).write_text("8123")
    assert read(tmp_path).public_url == "http://127.0.0.1:8123"
    assert read(tmp_path, PUBLIC_URL="https://shop.example").public_url == "https://shop.example"
    (tmp_path / SERVED_PORT).write_text("")
    assert read(tmp_path).public_url == "http://127.0.0.1:8000"


def test_an_empty_value_is_as_good_as_none(tmp_path):
    assert read(tmp_path, **dict.fromkeys([n for n in WRONG if n != "VAR_DIR"], "")) == read(tmp_path)


def test_what_is_set_is_read(tmp_path):
    environment = read(tmp_path, PORT="9000", ALLOWED_HOSTS="a.example, b.example", DEBUG="Yes", SECRET_KEY="given")
    assert (environment.port, environment.public_url) == (9000, "http://127.0.0.1:9000")
    assert (environment.allowed_hosts, environment.debug) == (("a.example", "b.example"), True)
    assert environment.secret_key == "given"
    assert not (tmp_path / "secret-key").exists()


def test_a_relative_var_dir_lies_in_the_project(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Environment.read({"VAR_DIR": "var/test"}).var_dir == PROJECT / "var/test"


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path):
    first = read(tmp_path).secret_key
    assert len(first) >= 50
    assert read(tmp_path).secret_key == first
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert read(tmp_path / "another").secret_key != first


def test_first_starts_at_the_same_moment_agree_on_one_secret(tmp_path, monkeypatch):
    def slow(size: int) -> str:
        time.sleep(random.uniform(0, 0.02))
        return os.urandom(size).hex()

    monkeypatch.setattr(secrets, "token_urlsafe", slow)
    with ThreadPoolExecutor(16) as pool:
        agreed = set(pool.map(lambda _: read(tmp_path).secret_key, range(16)))
    assert [len(secret) for secret in agreed] == [96]
    assert [file.name for file in tmp_path.iterdir()] == ["secret-key"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_model_is_named_by_its_folder(tmp_path, name):
    assert getattr(read(tmp_path), name.lower()) is None
    with pytest.raises(ConfigurationError, match=f'^{name}=".*" is no model.s folder'):
        read(tmp_path, **{name: str(tmp_path / "clip")})
    with pytest.raises(ConfigurationError):
        read(tmp_path, **{name: "x" * 5000})
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "config.json").write_text("{}")
    assert getattr(read(tmp_path, **{name: str(tmp_path / "clip")}), name.lower()) == tmp_path / "clip"


MAIL = {"MAIL_URL": "smtp://ann:p%40ss@mail.example.com", "MAIL_FROM": "alerts@example.com"}


def test_mail_is_sent_with_tls_but_on_this_machine(tmp_path):
    server = read(tmp_path, **MAIL).mail
    assert (server.host, server.port, server.user, server.password) == ("mail.example.com", 587, "ann", "p@ss")
    assert (server.starttls, server.tls_from_start) == (True, False)
    server = read(tmp_path, **{**MAIL, "MAIL_URL": "smtps://mail.example.com"}).mail
    assert (server.port, server.starttls, server.tls_from_start) == (465, False, True)
    server = read(tmp_path, **{**MAIL, "MAIL_URL": "smtp://localhost:2525"}).mail
    assert (server.port, server.starttls, server.tls_from_start) == (2525, False, False)
    assert read(tmp_path).mail is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"MAIL_URL": ""},
        {"MAIL_FROM": ""},
        {"MAIL_URL": "http://ann:s3cret@mail.example.com"},
        {"MAIL_URL": "smtp://ann:s3cret@mail.example.com:99999"},
        {"MAIL_URL": "smtp://ann:s3cret@"},
        {"MAIL_FROM": "nobody"},
        {"MAIL_FROM": "a@b.example\nBcc: c@d.example"},
    ],
)
def test_a_wrong_mail_server_is_named_without_its_password(tmp_path, wrong):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{**MAIL, **wrong})
    assert "MAIL_" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1

"""Everything an operator can set, read in one place from the environment and an optional ``.env`` file, and checked.

``settings.py`` is the only reader. A wrong value raises ``ConfigurationError`` with one line that says how to mend it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import dj_database_url
from dotenv import dotenv_values

PROJECT = Path(__file__).resolve().parent.parent

DATABASE_SCHEMES = ("postgres", "postgresql")
BROKER_SCHEMES = ("amqp", "amqps", "redis", "rediss", "filesystem")
ENGINES = ("auto", "openvino", "transformers")


class ConfigurationError(Exception):
    """A setting is wrong; the message names it and says what to write instead."""


@dataclass(frozen=True)
class MailServer:
    """How mails are sent: TLS from the start, after STARTTLS, or (to this machine alone) not at all."""

    host: str
    port: int
    user: str
    tls_from_start: bool
    starttls: bool
    password: str = field(repr=False)


@dataclass(frozen=True)
class Environment:
    """The operator's choices. Empty ``database_url`` and ``broker_url`` mean the built-in ones under ``var_dir``."""

    var_dir: Path
    port: int
    public_url: str
    database_url: str
    broker_url: str
    secret_key: str
    debug: bool
    allowed_hosts: tuple[str, ...]
    engine: str
    base_model: str
    adapter: Path | None
    samples: int
    reply_seconds: float
    image_encoder: Path | None
    speech_recogniser: Path | None
    media_megabytes: int
    api_per_minute: int
    api_burst: int
    require_second_factor: bool
    log_level: str
    mail: MailServer | None
    mail_from: str

    @classmethod
    def read(cls, values: Mapping[str, str] | None = None) -> Environment:
        """From ``values``, or from the process's environment over the project's ``.env``.

        Raises ``ConfigurationError``.
        """
        if values is None:
            values = {**{k: v or "" for k, v in dotenv_values(PROJECT / ".env").items()}, **os.environ}
        var_dir = _var_dir(values.get("VAR_DIR") or "var")
        port = _integer(values, "PORT", 8000, 1, 65535)
        mail = _mail_server(values.get("MAIL_URL", ""))
        return cls(
            var_dir=var_dir,
            port=port,
            public_url=_public_url(values.get("PUBLIC_URL") or f"http://127.0.0.1:{_served_port(var_dir) or port}"),
            database_url=_database_url(values.get("DATABASE_URL", "")),
            broker_url=_broker_url(values.get("BROKER_URL", "")),
            secret_key=values.get("SECRET_KEY") or _kept_secret(var_dir / "secret-key"),
            debug=_boolean(values, "DEBUG"),
            allowed_hosts=tuple(h for h in re.split(r"[,\s]+", values.get("ALLOWED_HOSTS", "")) if h),
            engine=_choice(values, "DAOGOU_ENGINE", "auto", ENGINES),
            base_model=values.get("DAOGOU_BASE_MODEL", ""),
            adapter=Path(values["DAOGOU_ADAPTER"]).resolve() if values.get("DAOGOU_ADAPTER") else None,
            samples=_integer(values, "DAOGOU_SAMPLES", 4, 1, 16),
            reply_seconds=_integer(values, "REPLY_SECONDS", 4, 1, 60),
            image_encoder=_model(values, "IMAGE_ENCODER"),
            speech_recogniser=_model(values, "SPEECH_RECOGNISER"),
            media_megabytes=_integer(values, "MEDIA_MEGABYTES", 8, 1, 64),
            api_per_minute=_integer(values, "API_PER_MINUTE", 600, 1, 1_000_000),
            api_burst=_integer(values, "API_BURST", 100, 1, 100_000),
            require_second_factor=_boolean(values, "REQUIRE_SECOND_FACTOR"),
            log_level=_choice(values, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
            mail=mail,
            mail_from=_mail_from(values.get("MAIL_FROM", ""), mail),
        )


SERVED_PORT = "port"
"""File in ``VAR_DIR`` while ``manage.py up`` runs: commands beside it speak of the port that it was given."""


def _served_port(var_dir: Path) -> int | None:
    try:
        return int((var_dir / SERVED_PORT).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _wrong(name: str, text: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f'{name}="{" ".join(text.split())[:80]}" {problem}')


def _split(address: str) -> SplitResult:
    """The parts of an address, all empty where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _integer(values: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = values.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise _wrong(name, text, f"is not a number from {low} to {high}; write {name}={default}")
    return int(text)


def _boolean(values: Mapping[str, str], name: str) -> bool:
    text = (values.get(name) or "0").lower()
    if text not in ("0", "1", "true", "false", "yes", "no"):
        raise _wrong(name, text, f"is neither on nor off; write {name}=1 or {name}=0")
    return text in ("1", "true", "yes")


def _choice(values: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = values.get(name) or default
    if text not in choices:
        raise _wrong(name, text, f"is not known; write one of {', '.join(choices)}")
    return text


def _model(values: Mapping[str, str], name: str) -> Path | None:
    """The folder of a model as Hugging Face's libraries save it; None where none is named."""
    if not (text := values.get(name)):
        return None
    folder = Path(text)
    if not os.path.isfile(folder / "config.json"):  # noqa: PTH113 (pathlib's own raises for a name that is too long)
        raise _wrong(name, text, "is no model's folder (it has no config.json); name one, or leave it out")
    return folder.resolve()


def _var_dir(text: str) -> Path:
    path = Path(text) if Path(text).is_absolute() else PROJECT / text
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def _unusable(var_dir: Path, error: OSError) -> ConfigurationError:
    return _wrong("VAR_DIR", str(var_dir), f"cannot be used ({error.strerror}); name a folder this user may write")


def _public_url(text: str) -> str:
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or text.split() != [text]:
        raise _wrong("PUBLIC_URL", text, "is not an address; write for example PUBLIC_URL=https://chat.example.com")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    if not text:
        return ""
    example = "write for example DATABASE_URL=postgresql://user:password@localhost:5432/daogou"
    if _split(text).scheme not in DATABASE_SCHEMES:
        raise ConfigurationError(f"DATABASE_URL does not name a PostgreSQL database; {example}")
    try:
        if not dj_database_url.parse(text).get("NAME"):
            raise ConfigurationError(f"DATABASE_URL names no database after the host; {example}")
    except ValueError as error:
        raise ConfigurationError(f"DATABASE_URL cannot be read; {example}") from error
    return text


def _broker_url(text: str) -> str:
    if text and _split(text).scheme not in BROKER_SCHEMES:
        raise ConfigurationError(
            "BROKER_URL names no broker we know; write amqp://user:password@host:5672// or redis://host:6379/0, "
            "or leave it out for the built-in one"
        )
    return text


THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def _mail_server(text: str) -> MailServer | None:
    """The text may hold a password and is never part of an error."""
    if not text:
        return None
    wrong = ConfigurationError(
        "MAIL_URL names no mail server; write smtp://user:password@mail.example.com:587 (STARTTLS) or smtps://…:465, "
        "with %-escapes in user and password, or leave it out"
    )
    parts = _split(text)
    try:
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise wrong
    implicit = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname,
        port=port or (465 if implicit else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls_from_start=implicit,
        starttls=not implicit and parts.hostname not in THIS_MACHINE,
    )


def _mail_from(text: str, mail: MailServer | None) -> str:
    """The sender's address, which is set with the server or not at all."""
    if bool(text) != bool(mail):
        raise ConfigurationError("MAIL_URL and MAIL_FROM go together: set both, or neither")
    if text and not re.fullmatch(r"[^@\s<>\r\n]+@[^@\s<>]+", text):
        raise _wrong("MAIL_FROM", text, "is no address; write for example MAIL_FROM=alerts@example.com")
    return text


def _kept_secret(path: Path) -> str:
    """This installation's own secret, made once. Linked into place whole: processes that start at once agree on one."""
    try:
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret-key-") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                with contextlib.suppress(FileExistsError):
                    os.link(file.name, path)
        return path.read_text().strip()
    except OSError as error:
        raise _unusable(path.parent, error) from error

"""Django's settings, made from :mod:`botcore.environment`, the only place that reads what an operator set."""

import os
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from botcore.embedded_postgres import EmbeddedPostgres
from botcore.environment import Environment

ENVIRONMENT = Environment.read()

# Static files are small, and under ASGI they are read whole before they are sent.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
# Models load in seconds: neither their bars nor a name that peft has not changed yet are news to whoever runs a shop.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = ENVIRONMENT.var_dir
SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.debug
PUBLIC_URL = ENVIRONMENT.public_url
ALLOWED_HOSTS = [*ENVIRONMENT.allowed_hosts, "localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or ""]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC_URL.startswith("https") else None

INSTALLED_APPS = [
    "botcore.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "axes",
    "catalog",
    "botcore",
    "workers",
    "admin_console",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "botcore.security.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "botcore.sign_in.StillSignedIn",
    "botcore.audit.Recorded",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "botcore.urls"
ASGI_APPLICATION = "botcore.asgi.application"
WSGI_APPLICATION = None

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database: an operator's, or our own ----------------------------------------------------------------------------

EMBEDDED_POSTGRES = None if ENVIRONMENT.database_url else EmbeddedPostgres(VAR_DIR / "postgres")
DATABASES: dict[str, Any] = {
    "default": EMBEDDED_POSTGRES.settings()
    if EMBEDDED_POSTGRES
    else dict(dj_database_url.parse(ENVIRONMENT.database_url))
}
DATABASES["default"].update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- accounts -------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:home"
LOGOUT_REDIRECT_URL = "console:login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = "botcore.sign_in.counted_by"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code"]
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "console/locked_out.html"
PASSWORD_RESET_TIMEOUT = 3_600
REQUIRE_SECOND_FACTOR = ENVIRONMENT.require_second_factor
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https")

# --- language, files ------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
WEBHOOK_BODY_LIMIT = 1_000_000
UPLOAD_LIMIT = 101 * 1024 * 1024
"""Bytes of a request to the console: a feed of the largest size that is read, and what goes around it."""
DATA_UPLOAD_MAX_MEMORY_SIZE = WEBHOOK_BODY_LIMIT

# --- queues ---------------------------------------------------------------------------------------------------------

BROKER_URL = ENVIRONMENT.broker_url
BROKER_DIR = VAR_DIR / "broker"
TURN_LEASE_SECONDS = 20
"""A worker that has not stored the reply by then is taken for dead and its turn is given to another."""
SWEEP_SECONDS = 5
POPULARITY_SECONDS = 6 * 3600
LINKS_SECONDS = 24 * 3600
PICTURES_SECONDS = 300
METRICS_SECONDS = 20
"""How often metrics are counted and alert rules judged: an alert comes within two looks."""
HOLDOUT_SECONDS = 3600
FEEDS_SECONDS = 60
"""How often it is looked which feeds are due."""
DRIFT_SECONDS = 24 * 3600
RANKER_SECONDS = 24 * 3600
MODELS_SECONDS = 24 * 3600
SELF_TRAINING_SECONDS = 7 * 24 * 3600
REQUESTS_SECONDS = 3600
RETENTION_SECONDS = 3600
"""How often shops forget the conversations that they keep no longer."""
STREAMS_SECONDS = 20
"""How often texts that came in are read and surges looked for: an alert is there within a minute."""
ROLLOUT_SECONDS = 30
"""How often the health of new versions of the model is looked at."""
REPLY_READY = VAR_DIR / "reply.ready"
"""Left by a reply worker that has loaded its models."""

RANKER_DIR = VAR_DIR / "rankers"
"""Rankers trained on this installation, a folder by shop (``workers/training/ranker.py``)."""

IMPORTS_DIR = VAR_DIR / "imports"
"""Uploaded and fetched feeds until they are imported."""

QUERIES_DIR = VAR_DIR / "queries"
"""What shops have learned of their customers' words (``workers/training/encoder.py``), a folder by shop."""

# --- mail -----------------------------------------------------------------------------------------------------------

MAIL_FROM = ENVIRONMENT.mail_from
"""Empty where the operator gave us no server to send mail by."""
DEFAULT_FROM_EMAIL = MAIL_FROM or "webmaster@localhost"
if ENVIRONMENT.mail:
    EMAIL_HOST, EMAIL_PORT = ENVIRONMENT.mail.host, ENVIRONMENT.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENVIRONMENT.mail.user, ENVIRONMENT.mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = ENVIRONMENT.mail.tls_from_start, ENVIRONMENT.mail.starttls
EMAIL_TIMEOUT = 10

# --- the model ------------------------------------------------------------------------------------------------------

DAOGOU_ENGINE = ENVIRONMENT.engine
DAOGOU_BASE_MODEL = ENVIRONMENT.base_model
DAOGOU_ADAPTER = ENVIRONMENT.adapter
DAOGOU_SAMPLES = ENVIRONMENT.samples
REPLY_SECONDS = ENVIRONMENT.reply_seconds

IMAGE_ENCODER = ENVIRONMENT.image_encoder
SPEECH_RECOGNISER = ENVIRONMENT.speech_recogniser
MEDIA_LIMIT = ENVIRONMENT.media_megabytes * 1_000_000
"""Bytes of a customer's picture or voice message, and of a product's picture, beyond which it is left alone."""

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}

API_PER_MINUTE = ENVIRONMENT.api_per_minute
API_BURST = ENVIRONMENT.api_burst

SPECTACULAR_SETTINGS = {
    "TITLE": "Daogou",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": ["botcore.api.document.complete"],
}

LOGGING_CONFIG = "botcore.logs.configure"
LOGGING = {"level": ENVIRONMENT.log_level}

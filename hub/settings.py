"""The only settings file. Driven by the environment through `hub.env`; decides nothing by hostname."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF

from hub import env

HUB = env.read()
ROOT = Path(__file__).resolve().parent.parent
# Pages, styles and documentation lie beside the code in a clone, and inside the package where pip installed it.
SHIPPED = ROOT if (ROOT / "templates").is_dir() else ROOT / "hub" / "shipped"
DATA_DIR = Path(HUB["HUB_DATA_DIR"]).expanduser().resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)


def _secret_key() -> str:
    """The configured key, else one made on first run and kept beside the data."""
    if HUB["HUB_SECRET_KEY"]:
        return str(HUB["HUB_SECRET_KEY"])
    path = DATA_DIR / "secret_key"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


SECRET_KEY = _secret_key()
DEBUG = HUB["HUB_DEBUG"]
PORT = env.port(os.environ.get("PORT", "8000"))
PUBLIC_URL = (HUB["HUB_PUBLIC_URL"] or f"http://127.0.0.1:{PORT}").rstrip("/")
PRODUCTION = PUBLIC_URL.startswith("https://")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "127.0.0.1"
ALLOWED_HOSTS = (
    [PUBLIC_HOST] if PRODUCTION else [PUBLIC_HOST, "127.0.0.1", "localhost", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PRODUCTION else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_dramatiq",
    "rest_framework",
    "hub",
    "trainer",
]
MIDDLEWARE = [
    "hub.web.health.ProbeMiddleware",
    "hub.wire.errors.ErrorMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # What stands between these two is for pages.
    "hub.wire.shortcut.ShortcutMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "hub.wire.gate.GateMiddleware",
]
ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SHIPPED / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hub.web.context.site",
                "trainer.web.context.unseen",
            ],
            "builtins": ["django.templatetags.static", "hub.web.tags"],
        },
    }
]

# Database: SQLite by default. WAL and IMMEDIATE together are what keeps 'database is locked' away.
if HUB["HUB_DATABASE_URL"]:
    DATABASES = {
        "default": {
            **environ.Env.db_url_config(HUB["HUB_DATABASE_URL"]),
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}},
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "hub.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA mmap_size=134217728;"
                    "PRAGMA journal_size_limit=67108864;PRAGMA cache_size=-20000;PRAGMA temp_store=MEMORY;"
                ),
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BLOBS = env.blob_storage(HUB["HUB_BLOBS_URL"], DATA_DIR)
STORAGES = {
    "default": BLOBS,
    "blobs": BLOBS,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [SHIPPED / "static"]
WHITENOISE_USE_FINDERS = False
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MODELS_DIR = Path(HUB["HUB_MODELS_DIR"] or DATA_DIR / "models")

# Broker, cache and locks: one server, three databases.


def _private_socket() -> Path:
    """Socket of the embedded Valkey; unix socket paths end at about 100 bytes, so deep folders go to /tmp."""
    path = DATA_DIR / "valkey.sock"
    if len(str(path)) < 100:
        return path
    import hashlib
    import tempfile

    digest = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"glossa-{os.getuid()}-{digest}" / "valkey.sock"


VALKEY_SOCKET = _private_socket()
BROKER_IS_EMBEDDED = not HUB["HUB_BROKER_URL"]


def _broker_url(database: int) -> str:
    """URL of one of the broker server's databases: 0 jobs, 1 cache."""
    if BROKER_IS_EMBEDDED:
        return f"unix://{VALKEY_SOCKET}?db={database}"
    parts = urlsplit(HUB["HUB_BROKER_URL"])
    if parts.scheme == "unix":
        return parts._replace(query=f"db={database}").geturl()
    base = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{base + database}").geturl()


BROKER_URL = _broker_url(0)
CACHES = {
    "default": {
        "BACKEND": "hub.wire.cache.FailSafeRedisCache",
        "LOCATION": _broker_url(1),
        "TIMEOUT": 300,
    }
}
DRAMATIQ_BROKER = {
    "BROKER": "dramatiq.brokers.redis.RedisBroker",
    "OPTIONS": {
        "url": BROKER_URL,
        "namespace": "hub",
        "heartbeat_timeout": 30_000 if BROKER_IS_EMBEDDED else 60_000,
        "maintenance_chance": 1_000_000 if BROKER_IS_EMBEDDED else 100_000,
        "dead_message_ttl": 7 * 86_400_000,
    },
    "MIDDLEWARE": [
        "dramatiq.middleware.AgeLimit",
        "dramatiq.middleware.TimeLimit",
        "dramatiq.middleware.Callbacks",
        "dramatiq.middleware.Retries",
        "dramatiq.middleware.ShutdownNotifications",
        "dramatiq.middleware.CurrentMessage",
        "django_dramatiq.middleware.DbConnectionsMiddleware",
    ],
}
DRAMATIQ_AUTODISCOVER_MODULES: list[str] = []
QUEUES = {"default": "hub.worker", "gpu": "trainer.worker"}

# Accounts.
AUTH_USER_MODEL = "hub.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "hub.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if PRODUCTION else "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,10/5m/key", "reset_password": "20/d/ip,5/d/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

SESSION_COOKIE_AGE = 14 * 86_400
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "hub.wire.errors.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Probes come from inside, past the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Whether its whole domain is only reached by TLS, the operator alone knows. Without TLS `hub.W003` speaks for all.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if not PRODUCTION:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# Uploads: the wire room spools to disk itself; Django only sees small forms and up to 50 pictures.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FILES = 60
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
FILE_UPLOAD_HANDLERS = ["hub.wire.uploads.HashingUploadHandler"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "hub.api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if HUB["HUB_EMAIL_URL"]:
    _mail = environ.Env.email_url_config(HUB["HUB_EMAIL_URL"])
    globals().update(_mail)

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"hub": {"level": "INFO"}, "trainer": {"level": "INFO"}},
}

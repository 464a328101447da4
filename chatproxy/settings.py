"""Django settings, read from the environment once.

Every value a deployer may set is listed in ``docs/settings.md``. Names beginning with ``CONNECT_``
are about AWS, those with ``CHAT_`` about us; any of them may come from a file instead, named by the
same variable with ``_FILE`` appended. What is missing or contradictory is told by ``checks/``,
all of it at once, so nothing here raises for an absent value or for one of the wrong kind.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from chatproxy.environment import Environment
from chatproxy.logs import known_level, logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- what kind of run this is -------------------------------------------------------------------
CHAT_DEMO = env.bool("CHAT_DEMO", default=False)
DEBUG = env.bool("CHAT_DEBUG", default=False)
# Never empty, or Django would raise before our check can explain; the check refuses it.
SECRET_KEY = env.str("CHAT_SECRET_KEY", default="") or "missing"
CHAT_VAULT_KEYS = env.list("CHAT_VAULT_KEYS", default=[])

# --- where we are reached -----------------------------------------------------------------------
CHAT_PUBLIC_URL = env.address("CHAT_PUBLIC_URL", default="")
_public = urlsplit(CHAT_PUBLIC_URL)
_hosts = [_public.hostname] if _public.hostname else []
ALLOWED_HOSTS = env.list("CHAT_ALLOWED_HOSTS", default=_hosts)
if CHAT_DEMO:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [CHAT_PUBLIC_URL] if _public.hostname else []
_is_https = _public.scheme == "https"

# --- Amazon Connect -----------------------------------------------------------------------------
CONNECT_REGION = env.str("CONNECT_REGION", default="")
CONNECT_INSTANCE_ID = env.str("CONNECT_INSTANCE_ID", default="")
CONNECT_CONTACT_FLOW_ID = env.str("CONNECT_CONTACT_FLOW_ID", default="")
CONNECT_ENDPOINT_URL = env.address("CONNECT_ENDPOINT_URL", default="")
CONNECT_PARTICIPANT_ENDPOINT_URL = env.address("CONNECT_PARTICIPANT_ENDPOINT_URL", default="")
CONNECT_WEBSOCKET_HOSTS = env.list("CONNECT_WEBSOCKET_HOSTS", default=[])
CONNECT_CONNECT_TIMEOUT_S = env.float("CONNECT_CONNECT_TIMEOUT_S", default=3.05)
CONNECT_READ_TIMEOUT_S = env.float("CONNECT_READ_TIMEOUT_S", default=10.0)
CONNECT_QUOTAS = env.json("CONNECT_QUOTAS", default={})

# --- the chat itself ----------------------------------------------------------------------------
CHAT_RETENTION_DAYS = env.int("CHAT_RETENTION_DAYS", default=30)
CHAT_SESSION_IDLE_SECONDS = env.int("CHAT_SESSION_IDLE_SECONDS", default=25 * 3600)
CHAT_ENDED_READABLE_SECONDS = env.int("CHAT_ENDED_READABLE_SECONDS", default=24 * 3600)
CHAT_OPENED_CACHE_SECONDS = env.float("CHAT_OPENED_CACHE_SECONDS", default=15.0)
CHAT_TABS_PER_SESSION = env.int("CHAT_TABS_PER_SESSION", default=8)
CHAT_TAB_BUFFER_BYTES = env.int("CHAT_TAB_BUFFER_BYTES", default=1024 * 1024)
CHAT_STARTS_PER_ADDRESS = env.str("CHAT_STARTS_PER_ADDRESS", default="10/minute")
CHAT_REQUESTS_PER_KEY = env.str("CHAT_REQUESTS_PER_KEY", default="50/second")
CHAT_TRUSTED_PROXIES = env.list("CHAT_TRUSTED_PROXIES", default=[])
CHAT_START_CHALLENGE = env.str("CHAT_START_CHALLENGE", default="")
CHAT_METRICS_TOKEN = env.str("CHAT_METRICS_TOKEN", default="")
CHAT_GOVERNOR = env.bool("CHAT_GOVERNOR", default=True)
CHAT_FAST_PATH = env.bool("CHAT_FAST_PATH", default=True)
CHAT_LOG_LEVEL = env.str("CHAT_LOG_LEVEL", default="INFO")
CHAT_LOG_FORMAT = env.str("CHAT_LOG_FORMAT", default="json")

# --- Django -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "chatproxy.widgets",
    "chatproxy.sessions",
    "chatproxy.api",
    "chatproxy.sessions.apps.OperatorsAdminConfig",  # django.contrib.admin with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "ninja",
]

MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",
    "chatproxy.api.doors.Doors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "chatproxy.urls"
ASGI_APPLICATION = "chatproxy.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_database = env.db_url(
    "DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'chatproxy.sqlite3'}"
)
if _database["ENGINE"].endswith("sqlite3"):
    # WAL lets the relay write while requests read; IMMEDIATE makes a busy writer wait its turn
    # instead of failing half-way through a transaction. Each thread has a connection with a cache
    # of its own, which would grow to 2 MB; the system's cache behind it is one for all.
    _database["OPTIONS"] = {
        "timeout": 10,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;"
        ),
    }
    _database["CONN_MAX_AGE"] = None
else:
    # Seconds for a database that is away: by default the pool would hold each thread for 30, longer
    # than a process that is told to stop may take.
    _pool = {"min_size": 1, "max_size": 10, "timeout": 5.0}
    # A host that is gone without a word is noticed in 25 seconds, not after the kernel's two hours.
    _patience = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
    }
    _database["OPTIONS"] = {**_patience, **_database.get("OPTIONS", {}), "pool": _pool}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.address("REDIS_URL", default="")
CHANNEL_LAYERS = {
    "default": (
        {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # redis-py's default socket timeout is shorter than the layer's own blocking read.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 20}], "capacity": 1000},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
    )
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# The demo serves each file from where it lies; elsewhere collectstatic gathers them first.
STATIC_ROOT = None if CHAT_DEMO or DEBUG else BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if CHAT_DEMO or DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = CHAT_DEMO or DEBUG
WIDGET_DIST = BASE_DIR / "widget_static" / "dist"

# --- security -----------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-admin" if _is_https else "chatproxy_admin"
CSRF_COOKIE_NAME = "__Host-csrf" if _is_https else "chatproxy_csrf"
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
SECURE_SSL_REDIRECT = False  # the balancer's job: health checks reach us over plain http
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CHAT_TRUSTED_PROXIES else None
# Not "no-referrer": browsers then send "Origin: null" with a form, and nobody could log in.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

CORS_ALLOWED_ORIGINS: list[str] = []  # origins come per widget, through the signal in api/apps.py
CORS_URLS_REGEX = r"^/(api|participant)/"  # the widget's files are for every origin, and say so
CORS_ALLOW_CREDENTIALS = False
CORS_PREFLIGHT_MAX_AGE = 7200
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "x-amz-bearer",
    "x-amz-user-agent",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
]
CORS_EXPOSE_HEADERS = ["x-amzn-errortype", "x-amzn-requestid", "retry-after", "etag"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

LOGGING = logging_config(level=known_level(CHAT_LOG_LEVEL), as_json=CHAT_LOG_FORMAT == "json")
NINJA_PAGINATION_PER_PAGE = 100
# For the check: what could not be read, so that the defaults above stand in for it, and what looks
# like a setting and is none.
UNREAD = env.unread
UNKNOWN = env.unknown("CHAT_", "CONNECT_")

"""Django settings of the sandbox's process, where it serves the agent console; no database."""

import secrets
from pathlib import Path

SECRET_KEY = secrets.token_urlsafe(32)  # nothing outlives the process
# Cookies know no ports: under its own name, the cookie leaves that of the proxy's admin alone.
CSRF_COOKIE_NAME = "console_csrf"
CSRF_COOKIE_PATH = "/console/"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ROOT_URLCONF = "chatproxy.sandbox.urls"
INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "console" / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES: dict[str, dict[str, object]] = {}
STATIC_URL = "/console/static/"
USE_TZ = True
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 100 * 1024 * 1024

"""Django settings: flat, from `rmn_site.config`. Importing this module starts and contacts nothing."""

from __future__ import annotations

import os
from datetime import timedelta

import pghistory
from django.core.exceptions import ImproperlyConfigured

from rmn_site.config import PROJECT_ROOT, ConfigurationError, load_config
from rmn_site.database import database_from_url
from rmn_site.local import paths as local_paths
from rmn_site.logs import logging_config
from rmn_site.mail import mail_settings
from rmn_site.queues import celery_url

try:
    CONFIG = load_config()
except ConfigurationError as error:
    raise ImproperlyConfigured(str(error)) from error

BASE_DIR = PROJECT_ROOT
SECRET_KEY = CONFIG.secret_key
DEBUG = CONFIG.debug
ALLOWED_HOSTS = CONFIG.allowed_hosts
CSRF_TRUSTED_ORIGINS = CONFIG.csrf_trusted_origins
BASE_DOMAIN = CONFIG.base_domain
DEMO_MODE = CONFIG.is_demo

# Apps. django-tenants places whole apps: shared ones in the public schema, tenant ones in each tenant's, both in both.
BOTH_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "accounts",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "knox",
    "pgtrigger",
    "pghistory",
]
SHARED_APPS = [
    # First, for their commands create_tenant and delete_tenant to win over those of django-tenants.
    "tenants",
    "accounts",
    "django_tenants",
    "jobs.dispatch",
    "django_celery_beat",
    "django.contrib.staticfiles",
    "django_prometheus",
    "django_structlog",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rules",
    *(app for app in BOTH_APPS if app != "accounts"),
]
TENANT_APPS = [
    *BOTH_APPS,
    "jobs",
    "governance",
    "adapters_registry",
    "inference_worker",
    "harmonization",
    "metrics",
    "optimization",
    "measurement",
    "creative",
    "planning",
    "training",
    "demo",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
# pgtrigger asks that every trigger's schema be known at check time; here it is the tenant's, chosen at run time.
SILENCED_SYSTEM_CHECKS = ["commands.E001"]

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
PUBLIC_SCHEMA_NAME = "public"
GET_EXECUTOR_FUNCTION = "tenants.migrate.executor_for"
ROOT_URLCONF = "rmn_site.urls"
PUBLIC_SCHEMA_URLCONF = "rmn_site.urls_public"
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
# Never skip setting the search path: a rolled back transaction restores the old one behind Django's back.
TENANT_LIMIT_SET_CALLS = False

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Outside of everything that may answer by itself, so that no answer is without them.
    "accounts.policy.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.TenantMiddleware",
    # Before CSRF, which reads forms.
    "accounts.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "tenants.middleware.LogContextMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "accounts.middleware.ProblemMiddleware",
    "axes.middleware.AxesMiddleware",
    "tenants.middleware.TenantMetricsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rmn_site.ui.context.frame",
            ],
            "libraries": {"ui": "rmn_site.ui.templatetags.ui"},
        },
    },
]
WSGI_APPLICATION = "rmn_site.wsgi.application"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# Servers: the ones named, else the embedded ones of this folder (which `make serve` and `make demo` start).
DATA_HOME = CONFIG.data_home or local_paths.data_home()
DATABASES = {"default": database_from_url(CONFIG.database_url or local_paths.embedded_database_url(DATA_HOME))}
REDIS_URL = CONFIG.redis_url or local_paths.embedded_redis_url(DATA_HOME)
CACHES = {
    "default": {
        "BACKEND": "rmn_site.cache.TolerantRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "django_tenants.cache.make_key",
        "REVERSE_KEY_FUNCTION": "django_tenants.cache.reverse_key",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGE_ROOT = CONFIG.storage_root or DATA_HOME / "storage"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
HISTORY_DAYS = CONFIG.history_days
IMPORT_ROOTS = CONFIG.import_roots
UPLOAD_MAX_BYTES = CONFIG.upload_max_mb * 1024 * 1024
# Django's limit on bodies that are not files; uploads are limited where they are received.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = DATA_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = CONFIG.env != "production"
WHITENOISE_AUTOREFRESH = CONFIG.env in {"development", "test"}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": STORAGE_ROOT}},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if CONFIG.env == "production"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# People: e-mail and password, a second factor where they set one up, lock-out after repeated failures.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# axes locks an address out after five wrong passwords, in the tenant's own tables; this wider limit is left for what
# axes does not see, the codes of the second factor.
ACCOUNT_RATE_LIMITS = {"login_failed": "60/m/ip,10/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "RMN"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.lockout.username_of"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "account/lockout.html"
AXES_IPWARE_PROXY_COUNT = CONFIG.trusted_proxies
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
PGHISTORY_APPEND_ONLY = True
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
# Removing a role or a brand is as much a fact of its history as granting it.
PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())

if CONFIG.env == "production":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics$"]
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    if CONFIG.trusted_proxies:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "rmn_site.ui.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
# What the admin's theme cannot do without (docs/threat-model.md, "The admin's policy").
ADMIN_CONTENT_SECURITY_POLICY = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}

# REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.rest.authentication.TenantTokenAuthentication",
        "accounts.rest.authentication.TenantSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.rest.pagination.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_CLASSES": [
        "accounts.rest.throttling.TenantRateThrottle",
        "accounts.rest.throttling.UserRateThrottle",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.rest.problem_details.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": CONFIG.trusted_proxies,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_RATE_PER_MINUTE = CONFIG.api_rate_per_minute
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105
REST_KNOX = {
    "TOKEN_MODEL": "accounts.ApiToken",
    "TOKEN_TTL": timedelta(days=90),
    "TOKEN_PREFIX": "rmn_",
    "AUTH_HEADER_PREFIX": "Token",
    "AUTO_REFRESH": False,
    "TOKEN_LIMIT_PER_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RMN API",
    "DESCRIPTION": "Harmonise, plan, optimise and measure retail-media spend across networks.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AudienceKindEnum": "harmonization.models.Audience.Kind",
        "CrosswalkStateEnum": "harmonization.models.CrosswalkEntry.State",
        "ExperimentActionEnum": "measurement.models.Experiment.Action",
        "ExperimentKindEnum": "measurement.models.Experiment.Kind",
        "ExperimentStateEnum": "measurement.models.Experiment.State",
        "LoadStatusEnum": "harmonization.models.Load.Status",
        "ScenarioStatusEnum": "planning.models.Scenario.Status",
        "UploadKindEnum": "harmonization.models.Upload.Kind",
        "SolveStatusEnum": [("optimal", "optimal"), ("infeasible", "infeasible")],
    },
}

# Jobs: PostgreSQL holds the truth, Celery only wakes workers up (see the README of `jobs`).
CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 43200,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # Of a publisher: a request that submits a job must not wait for a broker that is away, the reaper sends again.
    # Workers go by CELERY_BROKER_CONNECTION_MAX_RETRIES and keep trying.
    "max_retries": 0,
    "global_keyprefix": "rmn:celery:",
}
CELERY_BEAT_SCHEDULER = "rmn_site.beat:TenantDatabaseScheduler"
CELERY_TIMEZONE = "UTC"
DJANGO_CELERY_BEAT_TZ_AWARE = True
# Nothing reads results, so there are none to clean up: without this, beat would install a task for that.
CELERY_RESULT_EXPIRES = None
JOB_CELERY_APP = "rmn_site.celery.app"
JOB_CHILD_SETTINGS = "rmn_site.settings_child"
JOB_QUEUES = ["default", "harmonize", "solve", "train", "gpu"]
JOB_LEASE_SECONDS = CONFIG.job_lease_seconds
JOB_HEARTBEAT_SECONDS = CONFIG.job_heartbeat_seconds
# How often lost leases and lost messages are looked for, and after how long a message counts as lost.
JOB_REAP_SECONDS = min(15, JOB_LEASE_SECONDS / 4)
JOB_RESEND_SECONDS = JOB_LEASE_SECONDS
JOB_MEMORY_MB = CONFIG.job_memory_mb
# A job that is asked to stop, or whose worker is, has this long before its process is killed.
JOB_GRACE_SECONDS = CONFIG.job_grace_seconds
JOB_LOG_LINES = 2000
# A module to import in every process that has to know further handlers; tests name theirs here.
JOB_TEST_HANDLERS = "tests.jobs.handlers" if CONFIG.env == "test" else None

LOGGING = logging_config(level=CONFIG.log_level, style=CONFIG.log_format)
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = CONFIG.metrics_token
DEFAULT_FROM_EMAIL = CONFIG.email_from
globals().update(mail_settings(CONFIG.email_url))
UNFOLD = {
    "SITE_TITLE": "RMN",
    "SITE_HEADER": "RMN",
    "SITE_SYMBOL": "storefront",
    "SITE_ICON": "/static/mark.svg",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/mark.svg"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}

if CONFIG.env == "test":
    # Hashing is the slowest thing a test would do thousands of times.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    if name := os.environ.get("RMN_TEST_DATABASE"):
        DATABASES["default"]["NAME"] = name

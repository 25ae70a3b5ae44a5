"""Settings of commands, of workers and of the processes that run jobs: without a look for every app's admin pages."""

from rmn_site.settings import *  # noqa: F403
from rmn_site.settings import INSTALLED_APPS as _ALL

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig" if app == "django.contrib.admin" else app for app in _ALL
]

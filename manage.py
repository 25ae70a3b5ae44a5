#!/usr/bin/env python
"""The command line of RMN."""

import os
import sys

#: Commands that look at every app's admin pages; the others start in two thirds of the time without them.
WITH_ADMIN = ("check", "runserver", "shell", "test", "testserver")


def main() -> None:
    settings = "rmn_site.settings" if sys.argv[1:2] and sys.argv[1] in WITH_ADMIN else "rmn_site.settings_child"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

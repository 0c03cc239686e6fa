#!/usr/bin/env python
"""Django's command line: https://docs.djangoproject.com/en/6.1/ref/django-admin/"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    execute_from_command_line(sys.argv)

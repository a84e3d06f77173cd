#!/usr/bin/env python
"""Every command of Daogou. The embedded database runs for as long as the command needs it."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    from botcore.environment import ConfigurationError

    try:
        from django.core.management import execute_from_command_line

        from botcore.installation import database_for_command

        with database_for_command(sys.argv):
            execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"daogou: {error}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python
"""Django's command line for chatproxy."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproxy.settings")
    if sys.argv[1:2] == ["demo"]:  # its settings must be there before Django reads any
        from chatproxy.demo import adopt_environment

        adopt_environment(sys.argv[2:])
    if sys.argv[1:2] == ["cluster"]:  # starts processes that need settings, and needs none itself
        from chatproxy.cluster.command import main as cluster

        sys.exit(cluster(sys.argv[2:]))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

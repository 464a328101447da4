"""What every test may ask for. The servers are in ``processes.py`` and ``postgres.py``."""

pytest_plugins = ["tests.processes", "tests.postgres"]

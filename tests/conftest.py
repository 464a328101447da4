"""What every test may ask for. The servers are in ``processes.py``."""

pytest_plugins = ["tests.processes"]

"""Who may open the demo's admin. Public on purpose: see ``demo.py`` on where it works."""

ADMIN_NAME = "demo"
ADMIN_PASSWORD = "demo-only"  # noqa: S105  (see above)

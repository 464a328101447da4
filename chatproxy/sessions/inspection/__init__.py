"""What the admin shows of sessions, and what an operator may do; ``admin.py`` wires it."""

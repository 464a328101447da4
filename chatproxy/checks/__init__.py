"""``manage.py check``: what is missing or contradictory in the settings, and how to set it.

One rule a mistake, in the module of what it is about: where we are reached and where our data is
(``places.py``), Amazon Connect (``connect.py``), the values of everything else (``values.py``).
Values that may hold a secret are never repeated.
"""

from __future__ import annotations

from django.core.checks import CheckMessage, register

from chatproxy.checks import connect, places, values


@register()
def check_settings(**_: object) -> list[CheckMessage]:
    """All rules at once, so that one start tells everything there is to mend."""
    rules = (*values.RULES, *places.RULES, *connect.RULES)
    return [message for rule in rules for message in rule()]

"""The doors, without a server."""


def no(_request: object, _answer: str) -> bool:
    """A start challenge that nobody meets."""
    return False

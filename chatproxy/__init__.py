"""chatproxy: a chat widget and its backend-for-frontend on Amazon Connect."""

__version__ = "0.1.0"

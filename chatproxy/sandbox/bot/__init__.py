"""The bot that answers when no person does, and can show every kind of message the service knows.

    director      Bot: watches the center, decides which script runs, and gives it its pauses
    words         the words it listens to, each with its script
    answers       what it says to a picked option, a filled form, a file, or plain text
    conversation  one chat as a script sees it: saying things, with typing before
    samples       one interactive message of every template; the agent console uses them too
    texts  paper  the words it says; a PDF to send

A script is a generator that yields pauses, in units of ``options.bot_delay_s``.
"""

from chatproxy.sandbox.bot.director import Bot

__all__ = ["Bot"]

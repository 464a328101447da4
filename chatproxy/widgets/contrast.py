"""Whether an accent colour can be read and seen, by WCAG 2's formula.

The widget writes black or white on the accent, whichever reads better, so text is always legible;
an accent too near the panel's own colour still makes buttons and bubbles hard to find.
"""

from __future__ import annotations

from dataclasses import dataclass

SURFACES = {"light": "#ffffff", "dark": "#14171d"}
OURS = "#2f55e0"
_SEEN = 3.0
_WHITE_UP_TO = 0.183  # luminance; as in the widget's style sheet


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an accent means for the people who look at it."""

    text_colour: str
    text_ratio: float
    faint_on: tuple[str, ...]

    def __str__(self) -> str:
        said = f"Text on it is {self.text_colour} ({self.text_ratio:.1f} : 1)."
        if self.faint_on:
            where = " and ".join(self.faint_on)
            said += f" Hard to see on a {where} page: less than 3 : 1 against the panel."
        return said


def judge(accent: str) -> Verdict:
    """The verdict on one accent colour, ``#rrggbb``."""
    is_dark = luminance(accent) < _WHITE_UP_TO
    name, text = ("white", "#ffffff") if is_dark else ("black", "#000000")
    faint = tuple(kind for kind, surface in SURFACES.items() if ratio(accent, surface) < _SEEN)
    if accent.lower() == OURS:
        faint = ()  # the widget takes a lighter twin of it in the dark
    return Verdict(name, ratio(accent, text), faint)

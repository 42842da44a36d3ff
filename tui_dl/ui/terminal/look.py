"""How a cell looks, and the fewest codes that lead from one look to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.color import ColorSystem

if TYPE_CHECKING:
    from rich.color import Color
    from rich.style import Style

ATTRIBUTES: Final = (
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("blink", "5"),
    ("blink2", "6"),
    ("reverse", "7"),
    ("conceal", "8"),
    ("strike", "9"),
    ("underline2", "21"),
    ("frame", "51"),
    ("encircle", "52"),
    ("overline", "53"),
)
"""rich's names of attributes and their SGR codes (ECMA-48 8.3.117)."""

COLOR_SYSTEMS: Final = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}
MOST_LOOKS: Final = 4096
"""Styles remembered; styles carry meta data, so that there may be many for few looks."""


class Look(NamedTuple):
    """What SGR and OSC 8 make of a cell."""

    attributes: str
    """SGR codes of the attributes, joined by `;`, without colours."""
    foreground: str
    """SGR codes of the text's colour; `39` is the terminal's own."""
    background: str
    """SGR codes of the ground's colour; `49` is the terminal's own."""
    link: str
    """Target of a hyperlink, or nothing."""


PLAIN: Final = Look("", "39", "49", "")


def leap(before: Look | None, after: Look) -> str:
    """Give the codes that turn `before` into `after`; None means that the look in force is unknown."""
    link = "" if after.link == (before.link if before else "") else f"\x1b]8;;{after.link}\x1b\\"
    if after == PLAIN:
        return f"{link}\x1b[m"
    if before is not None and before.attributes in ("", after.attributes):
        codes = [code for code, old in zip(after[:3], before[:3], strict=True) if code != old]
        return f"{link}\x1b[{';'.join(codes)}m" if codes else link
    codes = ["0"] + [code for code in after[:3] if code not in ("", "39", "49")]
    return f"{link}\x1b[{';'.join(codes)}m"


class LookBook:
    """Turns rich styles into looks for one colour system; equal looks are the same object."""

    def __init__(self, color_system: str | None) -> None:
        self._system = COLOR_SYSTEMS.get(color_system or "truecolor", ColorSystem.TRUECOLOR)
        self._of_style: dict[Style, Look] = {}
        self._interned: dict[Look, Look] = {PLAIN: PLAIN}

    def look(self, style: Style | None) -> Look:
        """Give the look of `style`."""
        if style is None:
            return PLAIN
        found = self._of_style.get(style)
        if found is None:
            if len(self._of_style) >= MOST_LOOKS:
                self._of_style.clear()
            found = self._of_style[style] = self._derive(style)
        return found

    def _derive(self, style: Style) -> Look:
        attributes = ";".join(code for name, code in ATTRIBUTES if getattr(style, name))
        link = style.link if style.link and style.link.isascii() and style.link.isprintable() else ""
        look = Look(attributes, self._codes(style.color, is_text=True), self._codes(style.bgcolor, is_text=False), link)
        return self._interned.setdefault(look, look)

    def _codes(self, color: Color | None, *, is_text: bool) -> str:
        if color is None:
            return "39" if is_text else "49"
        return ";".join(color.downgrade(self._system).get_ansi_codes(is_text))

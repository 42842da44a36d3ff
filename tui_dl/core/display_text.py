"""The one sanitiser: text from outside becomes one safe line, without secrets, before anybody sees it.

Nothing that a server, a file or a list says reaches a terminal, a log or a title but through `display_text()`.
Markup is not this file's matter: whoever shows the line keeps markup off.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

REPLACEMENT: Final = "\ufffd"
"""Stands for every character that could act on a terminal or hide from the eye."""
ELLIPSIS: Final = "\u2026"
"""Ends a line that was cut to its cells."""
MASK: Final = "***"
"""Stands for a secret."""

_JOINERS: Final = (0x200C, 0x200D)
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_VARIATION_SELECTORS: Final = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x180B, 0x180C, 0x180D, 0x180F)
_SPACES: Final = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_FIRST_REGIONAL: Final = 0x1F1E6

# Terminals disagree about the width of emoji sequences, so each is shown as its plain parts: modifiers vanish,
# flags become their two letters.
_PLAIN: Final[dict[int, str]] = {
    **dict.fromkeys((*_JOINERS, *_SKIN_TONES, *_VARIATION_SELECTORS), ""),
    **dict.fromkeys(_SPACES, " "),
    **{_FIRST_REGIONAL + index: chr(ord("A") + index) for index in range(26)},
}
# Letters and marks that Unicode calls printable but no font draws: fillers, the grapheme joiner.
_INVISIBLE: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]")
_MOST_MARKS: Final = 2
"""Combining marks kept on one character; more of them paint over the neighbouring rows."""


def display_text(text: str, max_cells: int | None = None) -> str:
    """Return untrusted text as one printable line, at most `max_cells` wide (cut with an ellipsis).

    Control characters, escape sequences' ESC, bidi controls, zero-width and private characters, tags and lone
    surrogates become U+FFFD. The result is printable, in NFC, and unchanged by a second pass.
    """
    if not (text.isascii() and text.isprintable()):
        shown = _one_pass(text)
        while shown != text:  # ends: after the first pass every change shortens
            text, shown = shown, _one_pass(shown)
    return text if max_cells is None else _cut(text, max_cells)


def ascii_text(text: str) -> str:
    """Return a safe line for a terminal whose locale is not UTF-8: a `?` for each cell that is not ASCII."""
    shown = display_text(text)
    if shown.isascii():
        return shown
    return "".join(char if char.isascii() else "?" * _cells(char) for char in shown)


def _one_pass(text: str) -> str:
    text = unicodedata.normalize("NFC", text.translate(_PLAIN))
    if not text.isprintable():
        text = "".join(char if char.isprintable() else REPLACEMENT for char in text)
    return _thin_marks(_INVISIBLE.sub(REPLACEMENT, text))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"}


def _thin_marks(text: str) -> str:
    """Drop marks without a base (they would land on a foreign cell) and all beyond `_MOST_MARKS` on one base."""
    kept: list[str] = []
    marks = _MOST_MARKS
    for char in text:
        marks = marks + 1 if _is_mark(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _cells(char: str) -> int:
    if _is_mark(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cell_count(text: str) -> int:
    """Return how many cells of a terminal a safe line takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cut(text: str, max_cells: int) -> str:
    if len(text) <= max_cells and text.isascii():
        return text
    if max_cells <= 0:
        return ""
    used = 0
    fitting = 0  # characters that leave room for the ellipsis
    for index, char in enumerate(text):
        used += _cells(char)
        if used > max_cells:
            return text[:fitting] + ELLIPSIS
        if used < max_cells:
            fitting = index + 1
    return text


# Words that make a query key or a header secret: long ones anywhere in it, short ones as a word of their own.
_SECRET_PART: Final = re.compile(
    r"token|secret|passw|signature|credential|cookie|session|apikey|api_key|accesskey|authori[sz]ation", re.IGNORECASE
)
_SECRET_WORD: Final = re.compile(
    r"(?:^|[^a-z])(?:key|sig|lsig|auth|pass|pwd|jwt|sid|hmac|hdnts|hdnea|hdntl)(?:$|[^a-z])", re.IGNORECASE
)
_SECRET_HEADER: Final = re.compile(r"key|auth(?!or(?!i[sz]))", re.IGNORECASE)

_USERINFO: Final = re.compile(r"//[^\s/?#\"<>]*@")
_PARAMETER: Final = re.compile(r"(?<=[?&;#])([^\s=&;#?]{1,128})=([^\s&;#\"'<>]*)")
_SCHEME_WITH_SECRET: Final = re.compile(r"\b((?i:Bearer|Basic))\s+(?=[^\s,;]*[0-9A-Z=])[^\s,;\"']{4,}")
_HEADER_IN_TEXT: Final = re.compile(
    r"\b((?:proxy-)?authorization|set-cookie2?|cookie|(?:[a-z0-9]{1,20}-){1,4}(?:token|secret|key|password))"
    r"([\"']?\s{0,4}:\s{0,4})[^\r\n]+",
    re.IGNORECASE,
)


def has_secret_name(key: str) -> bool:
    """Whether a query key or a header's name looks like that of a token, key or signature."""
    key = unquote(key)
    # `accessToken`, `awsKey`: a capital inside begins a word too
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", key)
    return bool(_SECRET_PART.search(key) or _SECRET_WORD.search(words))


def _mask_parameter(match: re.Match[str]) -> str:
    key, value = match.groups()
    return f"{key}={MASK}" if value and has_secret_name(key) else match[0]


def mask_url(url: str) -> str:
    """Hide user info and the values of keys that look like tokens, keys or signatures; the rest stays as it is."""
    return _PARAMETER.sub(_mask_parameter, _USERINFO.sub(f"//{MASK}@", url))


def mask_secrets(text: str) -> str:
    """Hide what is secret in a text that may hold addresses, credentials and header lines (for logs and errors)."""
    text = _HEADER_IN_TEXT.sub(rf"\1\2{MASK}", text)
    return mask_url(_SCHEME_WITH_SECRET.sub(rf"\1 {MASK}", text))


def is_secret_header(name: str) -> bool:
    """Whether a header's value must never be shown, logged or sent to another origin."""
    return bool(_SECRET_HEADER.search(name)) or has_secret_name(name)


def mask_header(name: str, value: str) -> str:
    """Return the value of a header as it may be shown: hidden, or with the secrets inside it hidden."""
    return MASK if is_secret_header(name) else mask_secrets(value)

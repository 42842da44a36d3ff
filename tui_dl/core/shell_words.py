"""Words of a command line as a shell would hand them on: bash with its quotes, cmd.exe with its carets.

Nothing is expanded: what a shell would replace (`$HOME`, backticks) is refused by name. The standard library's `shlex`
knows neither `$'...'`, which browsers write wherever a value holds a quote or a control character, nor carets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui_dl.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One command of a text."""

    words: tuple[str, ...]
    """Its words, quotes taken off; empty where there was nothing but a separator."""
    end: int
    """Offset in the text after the command and what separates it from the next."""


def read_command(text: str, start: int = 0) -> ShellCommand:
    """Return the command that begins at `start`; raise `UsageError` for what no shell would take or we do not expand.

    A command ends at a line end, `;`, `&` or `|` outside quotes. Line ends are LF.
    """
    return _read_cmd(text, start) if _is_for_cmd(text, start) else _read_bash(text, start)


_FIRST_SIGN: Final = re.compile(r"\^[\"&^%]|\^[ \t]*\n|'|\"|\\[ \t]*\n")
"""What tells the two shells apart: a caret that escapes, a quote, a backslash at a line's end."""
_CARET_AT_END: Final = re.compile(r"\^[ \t]*$", re.MULTILINE)


def _is_for_cmd(text: str, start: int) -> bool:
    sign = _FIRST_SIGN.search(text, start)
    if sign is None:
        return False
    if sign[0] == '"':  # both have these: only cmd.exe continues a line with a caret
        return _CARET_AT_END.search(text, start) is not None
    return sign[0].startswith("^")


# -- bash --------------------------------------------------------------------------------------------------------------

_BASH: Final = re.compile(
    r"""(?P<continued>\\[ \t]*(?:\n|\Z))
    |(?P<blank>[ \t]+)
    |(?P<end>\n|;|&&|&(?=\s|\Z)|\|\|?)
    |(?P<ampersand>&)
    |(?P<comment>(?<![^\s;&|])\#[^\n]*)
    |\$'(?P<ansi>[^'\\]*(?:\\.[^'\\]*)*)'
    |'(?P<single>[^']*)'
    |\$?"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)"
    |\\(?P<escaped>.)
    |(?P<expanded>`|\$[\w({])
    |(?P<redirected>[<>])
    |(?P<open>['"])
    |(?P<plain>\$|[^\s;&|'"\\`$<>]+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_REFUSED: Final = {
    "ampersand": "an & outside quotes ends the command for the shell: put the address in quotes",
    "expanded": "the shell would replace $ or ` with something else, which tui-dl does not: write the text itself",
    "redirected": "< and > are the shell's: take them out, and name the file with -o",
    "open": "a quote is not closed; was the whole command copied?",
}
_IN_DOUBLE: Final = re.compile(r"\\(?:([$`\"\\])|\n)")
_EXPANDED_IN_DOUBLE: Final = re.compile(r"(?<!\\)(?:\\\\)*(?:`|\$[\w({])")


def _read_bash(text: str, start: int) -> ShellCommand:
    words: list[str] = []
    word: list[str] | None = None
    at = start
    while at < len(text) and (token := _BASH.match(text, at)) is not None:
        kind = token.lastgroup or ""
        at = token.end()
        if kind in _REFUSED:
            raise UsageError(_REFUSED[kind])
        if kind in ("blank", "end"):
            if word is not None:
                words.append("".join(word))
                word = None
            if kind == "end":
                break
        elif kind not in ("continued", "comment"):
            word = word if word is not None else []
            word.append(_unquoted(kind, token[kind]))
    if word is not None:
        words.append("".join(word))
    return ShellCommand(tuple(words), at)


def _unquoted(kind: str, text: str) -> str:
    if kind == "double":
        if _EXPANDED_IN_DOUBLE.search(text):
            raise UsageError(_REFUSED["expanded"])
        return _IN_DOUBLE.sub(lambda match: match[1] or "", text)
    return ansi_c(text) if kind == "ansi" else text


_ANSI_C: Final = re.compile(
    r"""(?P<octets>(?:\\x[0-9A-Fa-f]{1,2}|\\[0-7]{1,3})+)
    |(?P<units>(?:\\u[0-9A-Fa-f]{1,4})+)
    |\\U(?P<point>[0-9A-Fa-f]{1,8})
    |\\c(?P<control>.)
    |\\(?P<letter>.)""",
    re.VERBOSE | re.DOTALL,
)
_LETTERS: Final = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True)) | {one: one for one in "\\'\"?"}
_LAST_POINT: Final = 0x10FFFF


def ansi_c(text: str) -> str:
    """Return what stands between `$'` and `'` with its escapes replaced (Bash manual §3.1.2.4).

    Octets are UTF-8 where they can be, else Latin-1, as Firefox writes them; halves of a pair are joined.
    """
    return _ANSI_C.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    if octets := match["octets"]:
        return _from_octets(octets)
    if units := match["units"]:
        pairs = b"".join(int(one, 16).to_bytes(2, "big") for one in units.split("\\u")[1:])
        return pairs.decode("utf-16-be", "replace")
    if point := match["point"]:
        value = int(point, 16)
        return chr(value) if value <= _LAST_POINT and not 0xD800 <= value < 0xE000 else "\ufffd"
    if control := match["control"]:
        return chr(ord(control.upper()) & 0x1F)
    return _LETTERS.get(match["letter"], match[0])


def _from_octets(text: str) -> str:
    values = [int(one[1:], 16) if one[0] == "x" else int(one, 8) & 0xFF for one in text.split("\\")[1:]]
    octets = bytes(values)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


# -- cmd.exe -----------------------------------------------------------------------------------------------------------

_CMD: Final = re.compile(
    r"""\^[ \t]*\n(?P<continued>.?)
    |\^(?P<escaped>.)
    |(?P<quoted>"[^"\n]*"?)
    |(?P<end>\n|&&?|\|\|?)
    |(?P<redirected>[<>])
    |(?P<plain>[^\^"&|<>\n]+)
    |(?P<caret>\^)""",
    re.VERBOSE | re.DOTALL,
)
_ARGUMENTS: Final = re.compile(
    r"""(?P<blank>[ \t]+)|\\(?P<escaped>[\\"])|(?P<quote>")|(?P<plain>[^ \t\\"]+|\\)""", re.VERBOSE
)


def _read_cmd(text: str, start: int) -> ShellCommand:
    """Take the carets off as cmd.exe does, then split as the C library of Windows does."""
    line: list[str] = []
    at = start
    while at < len(text) and (token := _CMD.match(text, at)) is not None:
        at = token.end()
        kind = token.lastgroup or ""
        if kind == "end":
            break
        if kind in _REFUSED:
            raise UsageError(_REFUSED[kind])
        if kind != "caret":
            line.append(token[kind])
    return ShellCommand(_arguments("".join(line)), at)


def _arguments(line: str) -> tuple[str, ...]:
    words: list[str] = []
    word: list[str] | None = None
    is_quoted = False
    at = 0
    while (token := _ARGUMENTS.match(line, at)) is not None:
        at, kind = token.end(), token.lastgroup or ""
        if kind == "blank" and not is_quoted:
            if word is not None:
                words.append("".join(word))
                word = None
            continue
        word = word if word is not None else []
        if kind == "quote":
            if is_quoted and line.startswith('"', at):  # a doubled quote stands for one
                word.append('"')
                at += 1
            else:
                is_quoted = not is_quoted
        else:
            word.append(token[kind])
    if is_quoted:
        raise UsageError(_REFUSED["open"])
    return (*words, "".join(word)) if word is not None else tuple(words)

"""Safe file names: whatever a server or an address says becomes one harmless path component.

The rules are Firefox's and Chromium's (`test_filename_sanitize.js`, `filename_util.cc`), applied on every system,
because downloads travel to NTFS, SMB and exFAT. Nothing here raises for what came from outside.
"""

from __future__ import annotations

import re
import unicodedata
from binascii import a2b_base64, a2b_qp
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

MOST_NAME_BYTES: Final = 255
"""Longest component of Linux file systems, in UTF-8."""
PART_RESERVE_BYTES: Final = len(".tui-dl.part")
"""Room for the suffix of a part file."""
SUFFIX_RESERVE_BYTES: Final = PART_RESERVE_BYTES + len(" (999)")
"""Room for a number and the suffix of a part file: what `safe_name()` is usually asked to reserve."""
FALLBACK: Final = "download"
"""The name of what has none."""

_MOST_RESERVE_BYTES: Final = 200
_MOST_EXTENSION_CHARS: Final = 16

_SEPARATORS: Final = re.compile(r'[/\\:*?"<>|]')
_SPACES: Final = re.compile(r"\s+")
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Printable by category, drawn by no font: two names that differ in them look the same.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_DEVICES: Final = frozenset(
    (
        *("con", "prn", "aux", "nul", "clock$", "conin$", "conout$"),
        *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"),
    )
)
_SYSTEM_FILES: Final = frozenset(("desktop.ini", "thumbs.db"))
# Shortcuts act when a file manager merely shows or clicks them; `.tui-dl.part` would be taken for our own part file.
_DANGEROUS: Final = (".desktop", ".url", ".lnk", ".scf", ".webloc", ".local", ".tui-dl.part")
_DEFUSED: Final = ".download"

_EXTENSION: Final = re.compile(
    rf"(?<=.)(?:\.(?:tar|7z|zip|part\d{{1,4}}))?\.[^\s.]{{1,{_MOST_EXTENSION_CHARS}}}\Z", re.IGNORECASE
)


def safe_name(raw: str, *, reserve_bytes: int) -> str:
    """Return one path component that holds what can be kept of `raw`.

    At most `255 - reserve_bytes` bytes of UTF-8, in NFC, without separators, control, format or surrogate characters,
    not beginning with a dot or a dash, no Windows device, no shortcut; never empty. A second pass changes nothing.
    """
    if not 0 <= reserve_bytes <= _MOST_RESERVE_BYTES:
        raise ValueError(f"cannot reserve {reserve_bytes} bytes of a file name")
    return _bounded(_tame(raw) or FALLBACK, MOST_NAME_BYTES - reserve_bytes)


def numbered(name: str, number: int, *, reserve_bytes: int = PART_RESERVE_BYTES) -> str:
    """Return `name (1).ext` for `name.ext` and 1, within the same bound of bytes; 0 leaves the name as it is."""
    if number == 0:
        return name
    stem, extension = _split_extension(name)
    suffix = f" ({number}){extension}"
    room = MOST_NAME_BYTES - reserve_bytes - len(suffix.encode())
    return _cut(stem, room).rstrip(" .") + suffix


def name_from_url(url: str) -> str:
    """Return a safe name from the last segment of an address's path, else its host, else `download`.

    Percent escapes are decoded once, so `%2F` and `%252e` cannot become separators or dots of a path.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # a bracket that is no IPv6 address
        return FALLBACK
    segment = _decoded(unquote_to_bytes(_octets(parts.path.rpartition("/")[2])))
    return safe_name(_tame(segment) or host, reserve_bytes=SUFFIX_RESERVE_BYTES)


def folders_from_url(url: str) -> list[str]:
    """Return the decoded segments of an address's path before the last one, not yet safe; `..` leads one up."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return []
    folders: list[str] = []
    for segment in path.split("/")[:-1]:
        one = _decoded(unquote_to_bytes(_octets(segment))) if "%" in segment else segment
        if one.strip(" ."):
            folders.append(one)
        elif one == ".." and folders:
            folders.pop()
    return folders


def split_extension(name: str) -> tuple[str, str]:
    """Return stem and extension, its dot included; `.tar.gz` and the like are one extension."""
    return _split_extension(name)


def name_from_content_disposition(value: str) -> str | None:
    """Return a safe name from a `Content-Disposition` header, or None if it names nothing (RFC 6266, RFC 8187).

    `filename*` counts before the parts of RFC 2231, those before `filename`. Of a path only the last segment is used.
    """
    if not value:
        return None
    parameters = _parameters(_decoded(_octets(value)))
    named = (
        _extended(parameters.get("filename*", ""))
        or _continued(parameters)
        or _without_encoded_words(parameters.get("filename", ""))
    )
    tame = _tame(re.split(r"[/\\]", named)[-1])
    return safe_name(tame, reserve_bytes=SUFFIX_RESERVE_BYTES) if tame else None


def _octets(text: str) -> bytes:
    """Return the bytes of a text in which undecodable ones may stand as surrogate escapes (as aiohttp gives them)."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _tame_char(char: str) -> str:
    if char.isprintable():
        return char
    category = unicodedata.category(char)
    if category == "Cc" or (category == "Cf" and char not in _BIDI):
        return ""
    return " " if category[0] == "Z" else "_"


def _tame(raw: str) -> str:
    """Return `raw` without what harms, of any length, maybe empty."""
    name = unicodedata.normalize("NFC", raw) if not raw.isascii() else raw
    if not name.isprintable():
        name = "".join(map(_tame_char, name))
    name = _SEPARATORS.sub("_", _INVISIBLE.sub("", name))
    # what was removed may have kept a mark from its letter
    name = unicodedata.normalize("NFC", _SPACES.sub(" ", name)).strip(" .")
    if name.startswith("-"):
        name = f"_{name}"
    device = name.partition(".")[0].rstrip().casefold()
    if device in _DEVICES or name.casefold() in _SYSTEM_FILES:
        name = f"_{name}"
    return name


def _bounded(name: str, most_bytes: int) -> str:
    name = _fit(name, most_bytes)
    # after the cut, which may have uncovered such an ending
    return _fit(name + _DEFUSED, most_bytes) if name.casefold().endswith(_DANGEROUS) else name


def _fit(name: str, most_bytes: int) -> str:
    """Cut the stem so that the whole fits; the extension stays."""
    if len(name.encode()) <= most_bytes:
        return name
    stem, extension = _split_extension(name)
    return _cut(stem, most_bytes - len(extension.encode())).rstrip(" .") + extension


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[: max(most_bytes, 0)].decode("utf-8", "ignore")


def _split_extension(name: str) -> tuple[str, str]:
    match = _EXTENSION.search(name)
    return (name[: match.start()], match[0]) if match else (name, "")


def _parameters(header: str) -> dict[str, str]:
    """Return the parameters by lower-case name; of equal names the first wins. As in browsers the type may lack."""
    found: dict[str, str] = {}
    position = 0
    while position < len(header):
        end = _find(header, ";", position)
        equals = header.find("=", position, end)
        if equals < 0:
            position = end + 1
            continue
        key = header[position:equals].strip().lower()
        value, position = _value(header, equals + 1)
        found.setdefault(key, value)
    return found


def _find(text: str, char: str, start: int) -> int:
    index = text.find(char, start)
    return len(text) if index < 0 else index


_QUOTED: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)', re.DOTALL)


def _value(header: str, start: int) -> tuple[str, int]:
    """Read a quoted string (open ones end with the header) or a token, and where the next parameter begins."""
    quoted = _QUOTED.match(header, start)
    if quoted is None:
        end = _find(header, ";", start)
        return header[start:end].strip(), end + 1
    return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), _find(header, ";", quoted.end()) + 1


_CODECS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "iso-8859-1": "latin-1", "latin1": "latin-1"}


def _charset_decoded(charset: str, octets: bytes) -> str:
    """Decode by one of the two charsets of RFC 8187 §3.2.1; empty where that fails."""
    codec = _CODECS.get(charset.strip().lower(), "")
    try:
        return octets.decode(codec) if codec else ""
    except UnicodeDecodeError:
        return ""


def _extended(value: str) -> str:
    """Decode `charset'language'percent-encoded` (RFC 8187 §3.2); empty if it is not that."""
    charset, _, rest = value.partition("'")
    _, apostrophe, encoded = rest.partition("'")
    return _charset_decoded(charset, unquote_to_bytes(_octets(encoded))) if apostrophe else ""


def _continued(parameters: dict[str, str]) -> str:
    """Join `filename*0`, `filename*1*` ... (RFC 2231 §3, §4.1); empty if there is none."""
    charset = ""
    octets = b""
    index = 0
    while True:
        if (encoded := parameters.get(f"filename*{index}*")) is not None:
            if index == 0 and encoded.count("'") >= 2:
                charset, _, encoded = encoded.split("'", 2)
            octets += unquote_to_bytes(_octets(encoded))
        elif (plain := parameters.get(f"filename*{index}")) is not None:
            octets += _octets(plain)
        else:
            break
        index += 1
    return _charset_decoded(charset, octets) if charset else _decoded(octets)


_ENCODED_WORD: Final = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,40})?\?([BbQq])\?([^?\s]*)\?=")
_BETWEEN_WORDS: Final = re.compile(r"(?<=\?=)\s+(?==\?)")
_MAIL_CHARSETS: Final = frozenset(
    (
        *("utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251"),
        *("windows-1252", "koi8-r", "iso-2022-jp", "shift_jis", "euc-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr"),
    )
)


def _without_encoded_words(text: str) -> str:
    """Decode the mail form `=?UTF-8?B?...?=` that some servers send (RFC 2047); what is broken stays as it is."""
    return _ENCODED_WORD.sub(_decode_word, _BETWEEN_WORDS.sub("", text)) if "=?" in text else text


def _decode_word(match: re.Match[str]) -> str:
    charset, form, encoded = match.groups()
    if charset.lower() not in _MAIL_CHARSETS:
        return match[0]
    try:
        octets = a2b_base64(encoded.encode() + b"==") if form in "Bb" else a2b_qp(encoded.encode(), header=True)
        return octets.decode(charset)
    except ValueError:  # binascii.Error and UnicodeDecodeError are such
        return match[0]

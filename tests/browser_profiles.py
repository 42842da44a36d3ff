"""Profiles of browsers as the browsers make them: Firefox's database, and Chromium's with its encryption on Linux."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from yt_dlp.aes import aes_cbc_encrypt_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FAR_S: Final = 4_000_000_000
"""An expiry long after every test, seconds since 1970."""
SINCE_1601_S: Final = 11_644_473_600
FIREFOX_SCHEMA: Final = 16
"""From this version of its database on Firefox counts milliseconds."""
CHROMIUM_SCHEMA: Final = 24
"""From this version of its database on a digest of the host goes before each value."""
_FIREFOX_TABLE: Final = (
    "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT,"
    " value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER,"
    " isSecure INTEGER, isHttpOnly INTEGER, UNIQUE (name, host, path, originAttributes))"
)
_CHROMIUM_TABLE: Final = (
    "CREATE TABLE cookies (creation_utc INTEGER NOT NULL, host_key TEXT NOT NULL, top_frame_site_key TEXT NOT NULL,"
    " name TEXT NOT NULL, value TEXT NOT NULL, encrypted_value BLOB NOT NULL, path TEXT NOT NULL,"
    " expires_utc INTEGER NOT NULL, is_secure INTEGER NOT NULL, is_httponly INTEGER NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Crumb:
    """A cookie of a browser."""

    host: str = "127.0.0.1"
    """Host, with a dot before it for all below it, too."""
    name: str = "id"
    """Its name."""
    value: str = "c4nary"
    """Its value."""
    path: str = "/"
    """Path that it is for."""
    expires_s: int = FAR_S
    """Seconds since 1970; 0 until the browser ends."""
    is_secure: bool = False
    """Whether it is for https alone."""


def firefox(folder: Path, crumbs: Sequence[Crumb]) -> str:
    """Make a profile of Firefox; return what names it."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "cookies.sqlite")) as database, database:
        database.execute(f"PRAGMA user_version = {FIREFOX_SCHEMA}")
        database.execute(_FIREFOX_TABLE)
        database.executemany(
            "INSERT INTO moz_cookies (host, name, value, path, expiry, isSecure, isHttpOnly) VALUES (?,?,?,?,?,?,1)",
            [(one.host, one.name, one.value, one.path, one.expires_s * 1000, one.is_secure) for one in crumbs],
        )
    return f"firefox:{folder}"


def chromium(folder: Path, crumbs: Sequence[Crumb], *, version: bytes = b"v10", password: bytes = b"peanuts") -> str:
    """Make a profile of Chromium; return what names it. Of version 11 the password lies in a keyring."""
    folder.mkdir(parents=True)
    key = hashlib.pbkdf2_hmac("sha1", password, b"saltysalt", 1, 16)
    with closing(sqlite3.connect(folder / "Cookies")) as database, database:
        database.execute("CREATE TABLE meta (key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)")
        database.execute("INSERT INTO meta VALUES ('version', ?)", (str(CHROMIUM_SCHEMA),))
        database.execute(_CHROMIUM_TABLE)
        for one in crumbs:
            plain = hashlib.sha256(one.host.encode()).digest() + one.value.encode()
            secret = version + aes_cbc_encrypt_bytes(plain, key, b" " * 16)
            expires = (one.expires_s + SINCE_1601_S) * 1_000_000 if one.expires_s else 0
            values = (one.host, one.name, secret, one.path, expires, one.is_secure)
            database.execute("INSERT INTO cookies VALUES (0, ?, '', ?, '', ?, ?, ?, ?, 1)", values)
    return f"chromium:{folder}"

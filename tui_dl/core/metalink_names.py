"""What tells a Metalink from any other file: how it is called, and how a server names its type. Cheap to import."""

from __future__ import annotations

from typing import Final

MEDIA_TYPES: Final = frozenset({"application/metalink4+xml", "application/metalink+xml"})
MOST_METALINK_BYTES: Final = 16 * 1024 * 1024
"""Longest document that is read: a DVD in pieces of 256 KiB takes 2 MiB."""
SUFFIXES: Final = (".meta4", ".metalink")


def is_metalink_name(path: str) -> bool:
    """Whether a path or the path of an address names a Metalink document."""
    return path.partition("?")[0].partition("#")[0].lower().endswith(SUFFIXES)


def is_metalink_path(word: str) -> bool:
    """Whether a word that was typed names a Metalink file rather than an address."""
    return "://" not in word and word.lower().endswith(SUFFIXES)


def is_metalink_type(content_type: str) -> bool:
    """Whether a `Content-Type` is that of a Metalink document."""
    return content_type.partition(";")[0].strip().lower() in MEDIA_TYPES

"""The first import of aiohttp in a program of its own, without the system's authorities."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADERS: Final = ("load_default_certs", "set_default_verify_paths")


def import_aiohttp() -> None:
    """Import aiohttp; its own TLS context then trusts nobody.

    It reads all authorities of the system into a context that we never use (`engine.trust` makes ours when the first is
    wanted), which is a tenth of the way to a first request. Not for the library: who imports it may use aiohttp, too.
    """
    with _trusting_nobody():
        import_module("aiohttp")


@contextmanager
def _trusting_nobody() -> Iterator[None]:
    own = {name: vars(ssl.SSLContext).get(name) for name in _LOADERS}
    for name in _LOADERS:
        setattr(ssl.SSLContext, name, _load_none)
    try:
        yield
    finally:
        for name, method in own.items():
            if method is None:  # inherited
                delattr(ssl.SSLContext, name)
            else:
                setattr(ssl.SSLContext, name, method)


def _load_none(_context: ssl.SSLContext, *_words: Any) -> None:
    """Load nothing."""

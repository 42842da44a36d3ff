"""The log of a command that is to be quick: what it takes is imported only where somebody asked for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def logging_if_asked(given: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Log as `logging_to()` does where `--log` or `-v` say so; nothing that could be told is loaded otherwise."""
    if given["log_file"] is None and not given["verbose"]:
        return nullcontext()
    from tui_dl.cli.log import logging_to  # noqa: PLC0415  # see above

    return logging_to(given["log_file"], given["verbose"])

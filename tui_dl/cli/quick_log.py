"""The log of a command that is to be quick: what it takes is imported only where somebody asked for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def logging_if_asked(given: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Log as `logging_to()` does where `--log` or `-v` say so; nothing that could be told is loaded otherwise."""
    if given["log_file"] is None and not given["verbose"]:
        return nullcontext()
    from tui_dl.cli.log import logging_to  # noqa: PLC0415  # see above

    return logging_to(given["log_file"], given["verbose"])


@contextmanager
def logging_nothing() -> Iterator[None]:
    """Keep what is logged off a terminal that shows the screen, until the context ends."""
    import logging  # noqa: PLC0415  # only a screen has that need

    loggers = [logging.getLogger(name) for name in ("tui_dl", "asyncio")]
    silent = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(silent)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(silent)
            logger.propagate = True

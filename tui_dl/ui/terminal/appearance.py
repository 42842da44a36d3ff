"""The colours of an app follow the environment of the terminal it is shown on, not that of its process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rich.console import Console
from textual.filter import Monochrome, NoColor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

NAMES = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR")
"""What rich and Textual read to choose colours."""


def dress(app: App[Any], environment: Mapping[str, str]) -> None:
    """Give `app` a console for `environment`, unless its process' own environment says the same."""
    if "NO_COLOR" in environment and app.native_ansi_color:
        # Textual chose its filter before the theme was set: greys, which 16 colours show as black on black.
        kept = (NoColor() if isinstance(one, Monochrome) else one for one in app._filters)  # noqa: SLF001 - no public door
        app._filters[:] = kept  # noqa: SLF001 - as above
    if all(environment.get(name) == os.environ.get(name) for name in NAMES):
        return
    wanted = {name: text for name, text in environment.items() if name != "NO_COLOR"}
    fresh = Console(
        file=app.console.file,
        markup=True,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ=wanted,
        force_terminal=True,
        safe_box=False,
        soft_wrap=False,
    )
    app.console = fresh
    if "NO_COLOR" in environment and not app.no_color:
        app.no_color = True
        app._filters.append(NoColor() if app.native_ansi_color else Monochrome())  # noqa: SLF001 - no public door

"""Where the style sheet is: beside the package in a wheel, at the top of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

NAME: Final = "styles.tcss"


def stylesheet_path(package: Path | None = None) -> Path:
    """Return the path of the style sheet; FileNotFoundError where the installation lost it."""
    package = Path(__file__).parent.parent if package is None else package
    for folder in (package, package.parent):
        if (path := folder / NAME).is_file():
            return path
    raise FileNotFoundError(f"{NAME} is neither in {package} nor above it; install tui-dl anew")

"""Entry point of `tui-dl` and of `python -m tui_dl`."""

from __future__ import annotations

import sys

from tui_dl.cli.main import run


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

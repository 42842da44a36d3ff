"""The README's tables as the code has them; `python -m tests.cli.readme_tables` writes them into it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.cli.config import toml_value
from tui_dl.core import errors
from tui_dl.core.errors import REASONS
from tui_dl.core.settings import SETTINGS
from tui_dl.ui.keymap import key_table

if TYPE_CHECKING:
    from collections.abc import Callable

README: Final = Path(errors.__file__).parents[2] / "README.md"
_TABLE: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def settings_table() -> str:
    """Return every setting with its default and meaning."""
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for facts in SETTINGS.values():
        alias = f" (also `{facts.alias}`)" if facts.alias else ""
        choices = f" One of {', '.join(f'`{one}`' for one in facts.choices)}." if facts.choices else ""
        lines.append(f"| `{facts.name}`{alias} | `{toml_value(facts.default)}` | {facts.help}{choices} |")
    return "\n".join(lines) + "\n"


def reasons_table() -> str:
    """Return every reason code with its meaning and the way out."""
    lines = ["| code | meaning | what to do |", "| --- | --- | --- |"]
    lines += [f"| `{reason}` | {facts.meaning} | {facts.hint} |" for reason, facts in REASONS.items()]
    return "\n".join(lines) + "\n"


TABLES: Final[dict[str, Callable[[], str]]] = {
    "settings": settings_table,
    "reasons": reasons_table,
    "keys": key_table,
}


def with_tables(text: str) -> str:
    """Return a README with its tables as they must be."""
    return _TABLE.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)


def tables_of(text: str) -> list[str]:
    """Return the names of the tables that a README holds."""
    return [match[2] for match in _TABLE.finditer(text)]


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")

"""What a curl command, or an address alone, asks for: one download. Cheap to import."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tui_dl.core.display_text import is_secret_header


@dataclass(frozen=True, slots=True)
class CurlDownload:
    """One address of a curl command with all that belongs to it."""

    url: str
    """Checked address without user info, which became a header."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Request headers, cookies and credentials among them; each name once."""
    name: str = ""
    """File name that `-o` gave, safe; empty for none."""
    folder: str = ""
    """Folder that `-o` or `--output-dir` gave, as it was written; empty for none."""
    proxy: str = field(default="", repr=False)
    """Proxy that `-x` gave; empty for none."""
    is_insecure: bool = False
    """Whether `-k` was given: any certificate is accepted."""

    @property
    def secret_headers(self) -> tuple[str, ...]:
        """Names of the headers whose values are never shown, lower case."""
        return tuple(name.lower() for name, _ in self.headers if is_secret_header(name))

    @property
    def summary(self) -> str:
        """What was understood besides the address, in a few words without any value."""
        number = len(self.headers)
        words = [f"{number} header{'' if number == 1 else 's'}"] if number else []
        words += [f"{name} ***" for name in self.secret_headers]
        return ", ".join(words)


def with_headers(download: CurlDownload, more: tuple[tuple[str, str], ...]) -> CurlDownload:
    """Return the same download with these headers, each in place of one of the same name."""
    named = {name.lower() for name, _ in more}
    kept = tuple(one for one in download.headers if one[0].lower() not in named)
    return replace(download, headers=(*kept, *more))

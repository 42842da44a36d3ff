"""Names that file systems may take for one: those that differ in case or in how accents are written."""

from __future__ import annotations

import unicodedata


def folded(name: str) -> str:
    """Return what two names share that vfat, exFAT, NTFS, APFS or a casefolded ext4 may take for one.

    It folds at least as much as each of them: where it differs, they differ on every system.
    """
    if name.isascii():
        return name.lower()
    # Twice: folding may make a letter that composes (and APFS compares decomposed).
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).casefold()

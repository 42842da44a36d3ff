"""The journal: SQLite behind one writer thread."""

"""Tests and benchmarks."""

import os

# The programs that are started here keep what they compile, as installed ones do: else each start compiles all of it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

"""The rows of the benchmark table, one file for each kind of work."""

"""Files: the writer threads, part files, durable renames, free space."""

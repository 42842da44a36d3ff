"""Between Textual and the terminal: driver, writer that never blocks, cell diff."""

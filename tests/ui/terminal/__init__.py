"""The layer between Textual and the terminal, tested through a real pseudo terminal."""

"""Commands of a person's own on events: run without a shell, bounded in number and time, never in a download's way."""

"""The session: downloads that outlive the terminal, and the doors through which other programs drive them."""

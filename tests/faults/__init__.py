"""The fault server: a scripted HTTP server that misbehaves on purpose, and its own tests."""

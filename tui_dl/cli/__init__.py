"""Composition root and commands: the only room that knows every layer."""

"""Widgets: each draws one part of the main screen."""

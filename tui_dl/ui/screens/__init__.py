"""Screens: the main one, the add dialog, help, questions."""

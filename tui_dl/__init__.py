"""tui_dl: a terminal download manager."""

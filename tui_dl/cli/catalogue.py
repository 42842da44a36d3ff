"""Which commands there are, and where their code is; imported only when they run."""

from __future__ import annotations

from typing import Final

SCREEN: Final = "[screen]"
"""Internal name of what runs without a command's name; no person can mean it by accident."""
COMMANDS: Final = {
    "get": ("tui_dl.cli.get", "Download in the foreground without the screen, then exit."),
    "add": ("tui_dl.cli.add", "Add downloads to the queue of the background session."),
    "ls": ("tui_dl.cli.ls", "List downloads, or failures by reason and host."),
    "pause": ("tui_dl.cli.control", "Pause downloads."),
    "resume": ("tui_dl.cli.control", "Let paused downloads go on."),
    "cancel": ("tui_dl.cli.control", "Cancel downloads."),
    "retry": ("tui_dl.cli.control", "Try again what failed or was cancelled."),
    "move": ("tui_dl.cli.control", "Move downloads in the queue."),
    "priority": ("tui_dl.cli.control", "Give downloads a high, normal or low priority."),
    "limit": ("tui_dl.cli.limit", "Limit the speed of everything, of a host, or of downloads."),
    "wait": ("tui_dl.cli.wait", "Wait until downloads are done; the exit code tells how they ended."),
    "refresh": ("tui_dl.cli.refresh", "Give a download in the queue a fresh link."),
    "archive": ("tui_dl.cli.archive", "Show or forget what --archive remembers as done."),
    "stop": ("tui_dl.cli.stop", "End the background session; downloads go on at the next start."),
    "ytdlp": ("tui_dl.cli.ytdlp", "yt-dlp's own command line, several videos at once, with this engine."),
    "service": ("tui_dl.cli.service", "Keep a session from boot on (systemd)."),
    "demo": ("tui_dl.cli.demo", "Try it on a local server with files of every temper."),
    "config": ("tui_dl.cli.config", "Show, check or begin the settings file."),
    "completion": ("tui_dl.cli.completion", "Print what makes bash, zsh or fish complete with the Tab key."),
    "doctor": ("tui_dl.cli.doctor", "Check this system and say what to do where something is wrong."),
}
"""Commands with the module that holds each and the line that the help shows."""

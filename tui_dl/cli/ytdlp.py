"""`tui-dl ytdlp`: yt-dlp's own command line, several videos at once, every transfer by this engine."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from tui_dl.cli.log import logging_to
from tui_dl.cli.settings_file import effective_settings
from tui_dl.core.errors import UsageError
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS
from tui_dl.disk.locations import find_locations
from tui_dl.media.library import require_yt_dlp
from tui_dl.media.upgrading import this_place, upgrade, wish_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.cli.engine_thread import EngineThread
    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.media.manager import AsyncDownloadManager

SWITCHES: Final = {"--async-downloads": True, "--no-async-downloads": False}
VALUES: Final = {
    "--concurrent-downloads": "concurrent_downloads",
    "--chunk-size": "chunk_size",
    "--async-timeout": "timeout",
    "--async-retry-delay": "retry_delay",
    "--async-max-retries": "max_retries",
}
"""Our options with a value, and the setting that each one is; yt-dlp has none of these names."""
LOG: Final = "--log"
QUEUE: Final = "--queue"
HELP: Final = """Usage: tui-dl ytdlp [OPTIONS] [yt-dlp's own options] URL [URL...]

  yt-dlp with this engine: several videos at once, its own lines, files and exit codes. Options of tui-dl:

    --no-async-downloads       Download as stock yt-dlp does
    --concurrent-downloads N   Videos at once [3]
    --chunk-size SIZE          Most bytes gathered before a write [1048576]
    --async-timeout SECONDS    Seconds without a byte until a connection is given up [--socket-timeout, or 30]
    --async-retry-delay S      Seconds before a transfer is tried again; doubles [--retry-sleep]
    --async-max-retries N      Further attempts of a transfer [--retries, --fragment-retries]
    --log FILE                 Write a log of the engine, secrets masked
    --queue                    Hand the addresses to the background session and return
    -U, --update-to TARGET     Update yt-dlp where it lies, by pip, pipx or uv

  All others, and the configuration, are those of yt-dlp:
"""


@dataclass(frozen=True, slots=True)
class OwnOptions:
    """What was taken out of the command line."""

    is_on: bool | None
    """Whether the engine is wanted, None where nobody said so."""
    values: Mapping[str, Any]
    """Settings that were given, checked."""
    log_file: str | None
    """File for a log, None for none."""
    rest: tuple[str, ...]
    """What is yt-dlp's."""
    is_queued: bool = False
    """Whether the background session is to do it."""


class RawCommand(click.Command):
    """A command whose arguments are somebody else's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take all of them as they are."""
        ctx.params["arguments"] = tuple(args)
        return []


@click.command(cls=RawCommand, add_help_option=False)
def ytdlp(arguments: tuple[str, ...]) -> int:
    """Run yt-dlp's command line with this engine."""
    require_yt_dlp()
    own = split_options(arguments)
    effective = effective_settings(find_locations(os.environ).config_file, os.environ, {})
    is_on = effective.settings.async_downloads if own.is_on is None else own.is_on
    if set(own.rest) & {"-h", "--help"}:
        sys.stdout.write(HELP + "\n")
        sys.stdout.flush()
    if (wish := wish_of(own.rest)) is not None:
        code = upgrade(wish.target, this_place())
        if code or not wish.has_more:
            return code
        _again(arguments)
    if own.is_queued:
        from tui_dl.cli.media_queue import hand_over  # noqa: PLC0415  # most commands download themselves

        with logging_to(own.log_file, 0):
            return hand_over(own.rest)
    from tui_dl.media.command import run_yt_dlp  # noqa: PLC0415  # only here is yt-dlp wanted

    with logging_to(own.log_file, 0):
        return Run(own, effective).run() if is_on else run_yt_dlp(own.rest, None)


def _again(arguments: Sequence[str]) -> NoReturn:
    """Begin anew with the version that is there now."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    words = [sys.executable, "-P", "-m", "tui_dl", "ytdlp", *arguments[:end], "--no-update", *arguments[end:]]
    os.execv(sys.executable, words)  # noqa: S606  # this program


def split_options(arguments: Sequence[str]) -> OwnOptions:
    """Return our options and those of yt-dlp; behind `--` all is yt-dlp's. Raises `UsageError`."""
    is_on: bool | None = None
    values: dict[str, Any] = {}
    log_file: str | None = None
    is_queued = False
    rest: list[str] = []
    line = iter(arguments)
    for one in line:
        name, has_value, value = one.partition("=")
        if one == "--":
            rest += [one, *line]
        elif one == QUEUE:
            is_queued = True
        elif one in SWITCHES:
            is_on = SWITCHES[one]
        elif name in VALUES or name == LOG:
            text = value if has_value else next(line, None)
            if text is None:
                raise UsageError(f"{name} needs a value")
            if name == LOG:
                log_file = text
            else:
                values[VALUES[name]] = _value(name, text)
        else:
            rest.append(one)
    return OwnOptions(is_on, values, log_file, tuple(rest), is_queued)


def _value(option: str, text: str) -> Any:
    facts = SETTINGS[VALUES[option]]
    try:
        return coerce(facts, text)
    except UsageError as error:
        raise UsageError(f"{option}: {error.message.removeprefix(f'{facts.name}: ')}") from None


class Run:
    """One run: a manager, and an engine beside it once yt-dlp has read its options."""

    def __init__(self, own: OwnOptions, effective: EffectiveSettings) -> None:
        self._own, self._effective = own, effective
        self._thread: EngineThread | None = None
        self._manager = self._make_manager()

    def _make_manager(self) -> AsyncDownloadManager:
        from tui_dl.media.manager import VIDEOS_AT_ONCE, AsyncDownloadManager, RetryPlan  # noqa: PLC0415  # as above

        settings, origins, given = self._effective.settings, self._effective.origins, self._own.values
        at_once = settings.concurrent_downloads if "concurrent_downloads" in origins else VIDEOS_AT_ONCE
        return AsyncDownloadManager(
            concurrent_downloads=given.get("concurrent_downloads", at_once),
            connections=settings.connections,
            chunk_bytes=given.get("chunk_size", settings.chunk_size),
            retry=RetryPlan(given.get("max_retries"), given.get("retry_delay")),
            on_params=self._start_engine,
        )

    def run(self) -> int:
        """Run yt-dlp to its end and return its exit code."""
        from tui_dl.media.command import run_yt_dlp  # noqa: PLC0415  # as above

        previous = signal.signal(signal.SIGTERM, self._on_term)
        try:
            return run_yt_dlp(self._own.rest, self._manager)
        finally:
            self._manager.close()
            if self._thread is not None:
                self._thread.stop()
            signal.signal(signal.SIGTERM, previous)

    def _start_engine(self, manager: AsyncDownloadManager, params: Mapping[str, Any]) -> None:
        """Open an engine that reaches servers as yt-dlp's options say, unless nothing will be transferred."""
        from tui_dl.cli.engine_thread import EngineThread  # noqa: PLC0415  # what only prints needs no aiohttp
        from tui_dl.media.engine_settings import settings_for  # noqa: PLC0415  # as above

        if params.get("simulate") or params.get("skip_download"):
            manager.is_on = False
            return
        settings = settings_for(self._effective.settings, params, timeout_s=self._own.values.get("timeout"))
        thread = self._thread = EngineThread(settings)

        def wait() -> None:
            thread.wait()
            manager.attach(thread.engine, thread.loop)  # type: ignore[arg-type]  # it is there once it is ready

        manager.attach_when(wait)

    def _on_term(self, _number: int, _frame: object) -> None:
        """End as yt-dlp does on this signal, but leave no program behind."""
        self._manager.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

"""Commands: what a person wants, as plain data. Keys, mouse, palette and other programs use one door."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.query import TaskQuery


class CommandName(StrEnum):
    """Everything the engine can be told. The arguments of each are named beside it."""

    ADD = "add"
    """`urls: list[str]`, `dir: str`, optional `name: str` (one URL only), `batch: str` (its name), `options: dict`
    as TaskOptions.
    Or `downloads: list[dict]`, each with a `url` and optionally `name`, `dir` and `options` of its own, and what the
    reader of a list knows: `priority: int`, `line: int`, `extra: str`, as `NewTask` has them. Besides them
    `globs: list[str]`: patterns as `core.url_globs` knows them, each standing for many addresses; and `paused: bool`:
    they wait for a person before they start. The outcome's `ids` are new, its `known_ids` were there."""
    PAUSE = "pause"
    RESUME = "resume"
    TOGGLE_PAUSE = "toggle-pause"
    """Pauses what runs or is queued, resumes what is paused, each row by itself."""
    TOGGLE_ALL = "toggle-all"
    """Pauses all if anything runs or is queued, else resumes all."""
    CANCEL = "cancel"
    """Keeps part file and row."""
    DELETE_PART = "delete-part"
    """Cancels and deletes the part file; the row stays as cancelled."""
    RETRY = "retry"
    """Optional `restart: bool`: drop what is held first."""
    RETRY_FAILED = "retry-failed"
    REFRESH = "refresh"
    """`url: str`, optional `headers: list[list[str]]`: another address for the one target, what is held kept. Without
    `headers` those of the task stay, as far as they may go to the new host."""
    MOVE_UP = "move-up"
    MOVE_DOWN = "move-down"
    MOVE_TO = "move-to"
    """`position: int`, optional `how: str`: counted from the first unfinished row ("set", the default), from where the
    first target is ("cur") or from the last ("end", 0 or less). The targets, in their order, stand together there;
    the outcome's `value` is the place of the first."""
    SET_CONCURRENCY = "set-concurrency"
    """`value: int` (tasks at once) or `delta: int`."""
    SET_PER_HOST = "set-per-host"
    """`value: int` or `delta: int`: connections to one host over all tasks."""
    SET_CONNECTIONS = "set-connections"
    """`value: int` or `delta: int` for each target."""
    SET_LIMIT = "set-limit"
    """`limit: int | str | None` (bytes per second, a size, or a timetable; `bps` is the same): of each target, of
    `host: str`, or of everything. None or 0: no limit. A plain limit holds until the next switch of a timetable that
    is in force, with `for_good: bool` instead of it."""
    SET_PRIORITY = "set-priority"
    """`value: str` (high, normal, low) or `delta: int` for each target."""
    SET_OPTIONS = "set-options"
    """`options: dict` as TaskOptions, those named alone change; for each target, from its next attempt on."""
    SET_SETTINGS = "set-settings"
    """`settings: dict`: names and values of `live_settings.LIVE`, for everything, until the session ends."""
    CHOOSE = "choose"
    """Of entries of a playlist (of a head: all of them), optional `chosen: bool` (without it each is turned round):
    whether it is wanted."""
    DOWNLOAD_CHOSEN = "download-chosen"
    """Of playlists that wait for a person's choice, or of their entries: start those that are chosen."""
    SET_FORMAT = "set-format"
    """`choice: dict` as `MediaChoice.as_json()`, optional `for_all: bool` (all entries of the playlist, and those that
    are still to come) and `remembers: bool` (for later downloads of the same site): the form that media are wanted in,
    from their next attempt on."""
    CLEAR_FINISHED = "clear-finished"
    """Removes rows of finished tasks (files stay)."""
    UNDO = "undo"
    """Brings back the rows of the last removal."""


@dataclass(frozen=True, slots=True)
class Command:
    """One intent."""

    name: CommandName
    """What to do."""
    ids: tuple[int, ...] = ()
    """Tasks meant."""
    query: TaskQuery | None = None
    """Tasks meant by a question instead of ids."""
    excluding_ids: tuple[int, ...] = ()
    """Tasks that the question finds and that are not meant: those let go after all were selected."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """JSON values, as `CommandName` says for each."""


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command."""

    changed: int = 0
    """Tasks that it changed."""
    ids: tuple[int, ...] = ()
    """Tasks that it added or changed, where few."""
    message: str = ""
    """One clause for the person; empty where the screen shows it anyway."""
    is_refused: bool = False
    """Whether nothing was done; the message says why."""
    known_ids: tuple[int, ...] = ()
    """Tasks that an add found there already, where few."""
    value: int | None = None
    """The number that it arrived at, where its description names one."""

"""Settings: each a value with name, type, bounds and help; text is read as a person types it."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.presets import PRESETS
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import ALIASES, SETTINGS, Settings, setting_named, settings_with
from tui_dl.core.sizes import parse_size


def test_every_field_is_a_setting_with_help() -> None:
    """File, environment and help know each of them; `hosts` and `keys` have tables of their own."""
    assert {*SETTINGS, "hosts", "keys"} == {one.name for one in fields(Settings)}
    for facts in SETTINGS.values():
        assert facts.help.endswith(".")
        assert facts.type in (int, float, bool, str)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_default_is_legal(name: str) -> None:
    """What holds where nobody says otherwise passes its own check."""
    facts = SETTINGS[name]
    assert coerce(facts, facts.default) == facts.default


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_legal(name: str) -> None:
    """A preset sets what exists, within bounds."""
    chosen = settings_with(Settings(), PRESETS[name])
    assert chosen.concurrent_downloads == PRESETS[name]["concurrent_downloads"]


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        *[("0", 0), ("1048576", 1 << 20), ("512K", 512 << 10), ("1.5M", 3 << 19), ("2GiB", 2 << 30), ("1T", 1 << 40)],
        *[("5MB/s", 5 << 20), (" 7 k ", 7 << 10), ("1kb", 1024), ("3B", 3)],
    ],
)
def test_sizes_are_binary(text: str, size_bytes: int) -> None:
    """K, M, G and T are powers of 1024, however they are written."""
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "K", "-1", "-5M", "1X", "five", "1e999", "nan", "inf", "0x10", "1,5M", "M5"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """The words name what was typed."""
    with pytest.raises(UsageError, match="size"):
        parse_size(text)


@given(st.text(max_size=20))
def test_no_text_raises_anything_but_our_error(text: str) -> None:
    """Whatever a person types."""
    with suppress(UsageError):
        assert parse_size(text) >= 0


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("connections", "4", 4),
        ("timeout", "2.5", 2.5),
        ("timeout", 30, 30.0),
        ("limit_rate", "5M", 5 << 20),
        ("chunk_size", "8192", 8192),
        ("mouse", "off", False),
        ("mouse", "YES", True),
        ("on_exists", "skip", "skip"),
        ("dir", "~/x", "~/x"),
    ],
)
def test_text_becomes_the_settings_type(name: str, value: Any, expected: Any) -> None:
    """As files, environment and options give it."""
    found = coerce(SETTINGS[name], value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("connections", "four"),
        ("connections", 0),
        ("connections", 65),
        ("connections", 2.5),
        ("connections", True),
        ("connections", None),
        ("timeout", 0),
        ("timeout", math.nan),
        ("timeout", "inf"),
        ("mouse", "maybe"),
        ("mouse", 1),
        ("on_exists", "destroy"),
        ("dir", 5),
        ("chunk_size", "1"),
        ("limit_rate", -1),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name: str, value: Any) -> None:
    """Wrong types and bounds are told with the setting."""
    with pytest.raises(UsageError, match=name):
        coerce(SETTINGS[name], value)


def test_the_nearest_right_name_is_told() -> None:
    """A slip of the fingers costs one look."""
    with pytest.raises(UsageError, match="concurrent_downloads"):
        setting_named("concurent_downloads")


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_the_longer_names_work(alias: str) -> None:
    """Both spellings are one setting."""
    assert setting_named(alias).name == ALIASES[alias]


def test_two_spellings_that_differ_are_refused() -> None:
    """And two that agree are not."""
    assert settings_with(Settings(), {"timeout": 5, "async_timeout": 5.0}).timeout == 5.0
    with pytest.raises(UsageError, match="twice"):
        settings_with(Settings(), {"timeout": 5, "async_timeout": 6})


def test_the_base_is_left_as_it_is() -> None:
    """Settings are frozen; a change is a new value."""
    base = Settings()
    assert settings_with(base, {"connections": 3}).connections == 3
    assert base == Settings()

"""What the marks of the format picker come to, and how its table fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.media_scene import FORMATS
from tui_dl.core.media import PRESETS, MediaChoice, MediaFormat
from tui_dl.ui.format import Units
from tui_dl.ui.format_choice import AS_CONFIGURED, FormatRequest, Marks, words_of
from tui_dl.ui.format_table import table_lines
from tui_dl.ui.glyphs import ASCII, UNICODE

BY_ID = {one.id: one for one in FORMATS.formats}


@pytest.mark.parametrize(
    ("ids", "form"),
    [
        (["137", "140"], "137+140"),
        (["140", "137"], "137+140"),
        (["137", "136", "140"], "136+140"),
        (["22"], "22"),
        (["137", "140", "22"], "22"),
        (["22", "140"], "140"),
        (["22", "137"], "137"),
        (["137", "140", "137"], "140"),
    ],
)
def test_a_picture_and_a_sound_go_together(ids: list[str], form: str) -> None:
    """Whatever has both stands alone, and of each there is one."""
    marks = Marks(MediaChoice())
    for one in ids:
        marks.toggle_format(BY_ID[one])
    assert marks.choice() == MediaChoice(form, format=form)


def test_a_preset_and_formats_exclude_each_other() -> None:
    """What was marked last counts."""
    marks = Marks(PRESETS[0])
    assert marks.preset == PRESETS[0]
    marks.toggle_format(BY_ID["22"])
    assert marks.choice().format == "22"
    marks.mark_preset(PRESETS[2])
    assert (marks.formats, marks.choice()) == ((), PRESETS[2])


def test_what_was_chosen_before_is_marked() -> None:
    """A preset at once, formats when they have come; what the site has no longer stays chosen."""
    assert Marks(MediaChoice()).preset == AS_CONFIGURED
    assert Marks(replace(PRESETS[1], subtitles=("en",))).has_subtitle("en")
    marks = Marks(MediaChoice("137+140", format="137+140"))
    marks.take_formats(FORMATS)
    assert [one.id for one in marks.formats] == ["137", "140"]
    gone = Marks(MediaChoice("999", format="999"))
    gone.take_formats(FORMATS)
    assert (gone.formats, gone.choice().format) == ((), "999")


def test_formats_that_come_late_change_no_mark() -> None:
    """A person who was faster than the site is right."""
    marks = Marks(MediaChoice("137", format="137"))
    marks.mark_preset(PRESETS[2])
    marks.take_formats(FORMATS)
    assert marks.choice() == PRESETS[2]


def test_subtitles_go_with_any_form() -> None:
    """In the order in which they were marked; twice is not at all."""
    marks = Marks(PRESETS[2])
    for language in ("en", "de", "en"):
        marks.toggle_subtitle(language)
    assert marks.choice() == replace(PRESETS[2], subtitles=("de",))
    assert words_of(marks.choice()) == "720p, subtitles de"


def test_a_request_says_only_what_was_asked() -> None:
    """As the command takes it."""
    assert FormatRequest(PRESETS[2]).arguments() == {"choice": PRESETS[2].as_json()}
    assert FormatRequest(MediaChoice(), True, True).arguments() == {"choice": {}, "for_all": True, "remembers": True}


_TEXTS = st.text(max_size=12)
_FORMATS = st.builds(
    MediaFormat,
    *(_TEXTS, _TEXTS),
    width=st.none() | st.integers(0, 9999),
    height=st.none() | st.integers(0, 9999),
    fps=st.none() | st.floats(0, 240),
    video_codec=_TEXTS,
    note=_TEXTS,
    has_video=st.booleans(),
    has_audio=st.booleans(),
    size_bytes=st.none() | st.integers(0, 10**15),
    bitrate_kbps=st.none() | st.floats(0, 1e6),
)


@given(st.lists(_FORMATS, max_size=5), st.integers(26, 120))
def test_the_table_fits_any_width(formats: list[MediaFormat], width: int) -> None:
    """A line for each format, each as long as the head, none too long."""
    for glyphs in (UNICODE, ASCII):
        head, lines = table_lines(formats, Units(), glyphs, width)
        assert len(lines) == len(formats)
        assert {cell_len(line) for line in lines} <= {cell_len(head)}
        assert cell_len(head) <= width
        assert all(line.isprintable() for line in lines)


def test_the_most_wanted_columns_stay() -> None:
    """What it is and how large comes before how it is made."""
    assert table_lines(FORMATS.formats, Units(), UNICODE, 100)[0].split() == [
        *("id", "ext", "resolution", "fps", "codecs", "size", "bitrate", "by", "note")
    ]
    assert table_lines(FORMATS.formats, Units(), UNICODE, 32)[0].split() == ["id", "ext", "resolution", "size"]

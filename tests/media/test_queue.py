"""Media in the queue: one video, playlists, choices, pauses, and what is told of them."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING

import pytest

from tests.media.clips import page_of, rss
from tests.media.queue_stage import Queue, until
from tests.media.runs import files_in, run_native
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.media import Kind, MediaChoice
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.core.ports import EngineSnapshot


async def test_rows_end_with_the_files_of_stock_yt_dlp(queue: Queue, site: Site, tmp_path: Path) -> None:
    """Plain files, streams, merges, playlists: the same bytes under the same names, all by the engine."""
    paths = ["html5.html", "hls/master.m3u8", "base.mpd", "feed.rss", "three.html", "aes/media.m3u8"]
    urls = [f"{site.url}/{path}" for path in paths]
    for url in urls:
        await queue.add(url)
    assert await queue.idle() == []
    # All of its entries were told at once.
    assert site.asked["/three.html"] == 1
    assert await run_native(urls, ["--no-cache-dir"], tmp_path / "native") == 0
    assert files_in(queue.dir) == files_in(tmp_path / "native")
    heads = await queue.rows(Kind.PLAYLIST)
    assert {(task.facts.title, task.status, task.facts.done_count) for task in heads} == {
        ("Feed", Status.COMPLETED, 3),
        ("Three", Status.COMPLETED, 3),
    }
    assert [task.facts.title for task in await queue.rows()][:3] == ["Episode 1", "Episode 2", "Episode 3"]
    assert queue.media.counts.native == {}
    (merged,) = [task for task in await queue.rows(Kind.MEDIA) if task.facts.title == "base"]
    assert (merged.facts.format_label, merged.facts.is_by_yt_dlp) == ("320x180 mp4", False)
    assert merged.total_bytes == (queue.dir / merged.filename).stat().st_size


async def test_one_bar_shows_all_parts_of_a_video(queue: Queue, site: Site) -> None:
    """Picture and sound count together, and what is made of them is named."""
    seen: list[EngineSnapshot] = []
    site.rate_bps = 500_000.0
    task = await queue.add(f"{site.url}/base.mpd", "-f", "bv+ba")

    def has_ended() -> bool:
        seen.append(queue.engine.snapshot())
        return task.id not in seen[-1].live

    await until(lambda: task.id in queue.engine.snapshot().live)
    await until(has_ended)
    working = (Status.DOWNLOADING, Status.PROCESSING)
    held = [one.live[task.id] for one in seen if task.id in one.live]
    shown = [one for one in held if one.task.status in working]
    sizes = [one.downloaded_bytes for one in shown]
    assert sizes == sorted(sizes)
    parts = [(site.root / name).stat().st_size for name in ("video.mp4", "audio.m4a")]
    assert max(sizes) == sum(parts)
    assert (await queue.ended(task)).status is Status.COMPLETED


async def test_a_playlist_waits_for_a_choice_and_gives_the_chosen(queue: Queue, site: Site) -> None:
    """On a screen entries wait; what is deselected is skipped, and the head sums them up."""
    head = await queue.add(f"{site.url}/feed.rss", asks=True)
    await until(lambda: queue.engine.playlists.are_there)
    await until(lambda: queue.engine.progress(head.id) is None)
    await queue.engine.playlists.settle()
    one, two, three = await queue.rows()
    assert {task.reason for task in (one, two, three, await queue.row(head))} == {Reason.CHOICE}
    assert site.asked["/v360.mp4?n=1"] == 0
    await queue.order(CommandName.CHOOSE, two)
    await queue.order(CommandName.SET_FORMAT, three, choice=MediaChoice("mp3", "ba/b", audio="mp3").as_json())
    await queue.order(CommandName.DOWNLOAD_CHOSEN, head)
    assert await queue.idle() == []
    rows = [await queue.row(task) for task in (one, two, three, head)]
    assert [task.status for task in rows] == [Status.COMPLETED, Status.SKIPPED, Status.COMPLETED, Status.COMPLETED]
    assert rows[2].path.endswith(".mp3")
    facts = rows[3].facts
    assert (facts.entry_count, facts.chosen_count, facts.done_count) == (3, 2, 2)
    assert len(files_in(queue.dir)) == 2


async def test_a_playlist_that_is_added_again_brings_what_is_new(queue: Queue, site: Site) -> None:
    """Entries that are there are left alone."""
    url = site.write("grows.rss", rss(2))
    head = await queue.add(url)
    await queue.idle()
    site.write("grows.rss", rss(3))
    again = await queue.add(url)
    assert again.id == head.id
    await until(lambda: len(files_in(queue.dir)) == 3)
    await queue.idle()
    assert [task.status for task in await queue.rows()] == [Status.COMPLETED] * 3
    assert (await queue.row(head)).facts.done_count == 3


async def test_forms_are_told_and_what_was_read_is_used(queue: Queue, site: Site) -> None:
    """The page is asked for once; of a playlist its first entry is told."""
    task = await queue.add(f"{site.url}/html5.html", asks=True)
    settings = {"media_ask": "always"}
    await queue.engine.execute(Command(CommandName.SET_SETTINGS, arguments={"settings": settings}))
    await until(lambda: queue.engine.progress(task.id) is None)
    row = await queue.row(task)
    if row.status is Status.WAITING:  # it was read after the setting was changed
        assert row.reason is Reason.CHOICE
    formats = await queue.engine.media_formats(task.id)
    assert [one.id for one in formats.formats] == ["360p", "720p"]
    assert formats.subtitles == ("en",)
    assert formats.site.startswith("127.0.0.1")
    assert site.asked["/html5.html"] <= 2


async def test_options_of_yt_dlp_hold_for_a_playlist(queue: Queue, site: Site) -> None:
    """Items that are wanted, in the order that is wanted, named by the playlist's fields."""
    options = ("-I", "2:3", "--playlist-reverse", "-o", "%(playlist_title)s %(playlist_index)s.%(ext)s")
    await queue.add(f"{site.url}/feed.rss", *options)
    await queue.idle()
    assert [task.facts.title for task in await queue.rows()] == ["Episode 3", "Episode 2"]
    assert list(files_in(queue.dir)) == ["Feed 2.mp4", "Feed 3.mp4"]


async def test_a_form_is_remembered_for_its_site(queue: Queue, site: Site) -> None:
    """A later video of the same site comes in it."""
    first = await queue.add(f"{site.url}/html5.html")
    choice = MediaChoice("360p", format="360p").as_json()
    await queue.order(CommandName.SET_FORMAT, first, choice=choice, remembers=True)
    await queue.idle()
    second = await queue.ended(await queue.add(f"{site.url}/html5.html?again", "-o", "second.mp4"))
    assert second.facts.choice.name == "360p"
    assert second.total_bytes == (site.root / "v360.mp4").stat().st_size


async def test_a_pause_frees_the_slot_and_goes_on_with_the_same_bytes(queue: Queue, site: Site) -> None:
    """Half of a file is here; only the rest and what is compared is asked for again."""
    await queue.close()
    await queue.open(concurrent_downloads=1)
    url = site.write("gated.html", page_of("/gate/v720.mp4"))
    task = await queue.add(url)
    size = (site.root / "v720.mp4").stat().st_size
    await until(lambda: (one := queue.engine.progress(task.id)) and one.downloaded_bytes >= size // 3)
    await queue.order(CommandName.PAUSE, task)
    row = await queue.row(task)
    assert (row.status, row.part_path.endswith(".part")) == (Status.PAUSED, True)
    other = await queue.ended(await queue.add(f"{site.url}/v360.mp4"))
    assert other.status is Status.COMPLETED
    site.gate.set()
    await queue.order(CommandName.RESUME, task)
    row = await queue.ended(task)
    assert row.status is Status.COMPLETED
    asked = [int(headers["range"][6:].split("-")[0]) for path, headers in site.seen if path == "/gate/v720.mp4"]
    assert max(asked) >= size // 3 - 65536
    assert site.asked["/gated.html"] == 1
    assert (queue.dir / row.filename).read_bytes() == (site.root / "v720.mp4").read_bytes()


async def test_links_that_do_not_hold_any_more_are_read_anew(queue: Queue, site: Site) -> None:
    """A paused row goes on with what was read, and reads again only where that is refused now."""
    page = site.write("links.html", page_of("/gate/v720.mp4?old"))
    task = await queue.add(page)
    await until(lambda: (one := queue.engine.progress(task.id)) and one.downloaded_bytes > 0)
    await queue.order(CommandName.PAUSE, task)
    site.gate.set()
    site.write("links.html", page_of("/v720.mp4?new"))
    site.redirects["/gate/v720.mp4"] = "/gone/"
    await queue.order(CommandName.RESUME, task)
    row = await queue.ended(task)
    del site.redirects["/gate/v720.mp4"]
    assert row.status is Status.COMPLETED
    assert site.asked["/links.html"] == 2
    assert (queue.dir / row.filename).read_bytes() == (site.root / "v720.mp4").read_bytes()


async def test_cancelling_a_reading_ends_its_process(queue: Queue, site: Site) -> None:
    """The row is cancelled at once, though the page never comes."""
    site.write("hung.html", "x" * 400_000)
    task = await queue.add(f"{site.url}/gate/hung.html")
    await until(lambda: site.asked["/gate/hung.html"])
    (reader,) = queue.media._readers._all  # type: ignore[union-attr]
    began_at = time.monotonic()
    await queue.order(CommandName.CANCEL, task)
    assert time.monotonic() - began_at < 3.0
    assert (await queue.row(task)).status is Status.CANCELLED
    await asyncio.to_thread(reader.join)
    assert reader._process.returncode is not None


async def test_a_restart_goes_on_with_entries(queue: Queue, site: Site) -> None:
    """What was read is in the journal; the page of an entry is read anew."""
    await queue.close()
    await queue.open(keeps=True, per_site=1)
    url = site.write("held.rss", rss(3, path="gate/v720.mp4"))
    await queue.add(url)
    await until(lambda: site.asked["/gate/v720.mp4?n=1"])
    await queue.close()
    site.gate.set()
    await queue.open(keeps=True)
    assert await queue.idle() == []
    assert [task.status for task in await queue.rows()] == [Status.COMPLETED] * 3
    (head,) = await queue.rows(Kind.PLAYLIST)
    assert (head.status, head.facts.done_count) == (Status.COMPLETED, 3)
    assert site.asked["/held.rss"] == 1


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test leaves while its own filters of warnings hold, after all other fixtures have ended."""
    yield
    gc.collect()


# yt-dlp's own client leaves the socket of an error to the collector.
@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(("missing", "denied"), [(1, 3), (3, 1)], ids=["before", "after"])
async def test_what_lacks_fragments_is_incomplete_whoever_fetches_the_rest(
    queue: Queue, site: Site, missing: int, denied: int
) -> None:
    """Also where yt-dlp's own downloader gets a fragment that this engine does not get."""
    lines = (site.root / "hls" / "media.m3u8").read_text().splitlines()
    names = [line for line in lines if line.endswith(".ts")]
    holes = {names[missing]: "nowhere.ts", names[denied]: f"/deny/hls/{names[denied]}"}
    url = site.write("hls/poor.m3u8", "\n".join(holes.get(line, line) for line in lines))
    task = await queue.add(url, "--fragment-retries", "0")
    row = await queue.ended(task)
    assert (row.status, row.reason, row.facts.missing) == (Status.FAILED, Reason.INCOMPLETE, 1)
    site.write("hls/nowhere.ts", (site.root / "hls" / names[missing]).read_bytes())
    await queue.order(CommandName.RETRY, task)
    row = await queue.ended(task)
    (site.root / "hls/nowhere.ts").unlink()
    assert row.status is Status.COMPLETED
    whole = await queue.ended(await queue.add(f"{site.url}/hls/media.m3u8"))
    assert (queue.dir / row.filename).read_bytes() == (queue.dir / whole.filename).read_bytes()


async def test_only_missing_fragments_are_fetched_again(queue: Queue, site: Site, tmp_path: Path) -> None:
    """What lacks them is failed and kept as it is; a retry puts them where they belong."""
    lines = (site.root / "hls" / "media.m3u8").read_text().splitlines()
    names = [line for line in lines if line.endswith(".ts")]
    holes = {names[1]: "hole1.ts", names[3]: "hole3.ts"}
    listed = "\n".join(holes.get(line, line) for line in lines)
    url = site.write("hls/holes.m3u8", listed)
    task = await queue.add(url, "--fragment-retries", "0")
    row = await queue.ended(task)
    assert (row.status, row.reason, row.facts.missing) == (Status.FAILED, Reason.INCOMPLETE, 2)
    assert files_in(queue.dir).keys() == {"holes [holes].mp4.part", "holes [holes].mp4.ytdl"}
    site.write("hls/hole1.ts", (site.root / "hls" / names[1]).read_bytes())
    site.forget()
    await queue.order(CommandName.RETRY, task)
    row = await queue.ended(task)
    assert (row.reason, row.facts.missing) == (Reason.INCOMPLETE, 1)
    assert {path for path in site.asked if path.endswith(".ts")} == {"/hls/hole1.ts", "/hls/hole3.ts"}
    site.write("hls/hole3.ts", (site.root / "hls" / names[3]).read_bytes())
    site.forget()
    await queue.order(CommandName.RETRY, task)
    row = await queue.ended(task)
    assert row.status is Status.COMPLETED
    assert {path for path in site.asked if path.endswith(".ts")} == {"/hls/hole3.ts"}
    await run_native([url], [], tmp_path / "native")
    assert files_in(queue.dir) == files_in(tmp_path / "native")


async def test_what_is_there_or_archived_is_skipped(queue: Queue, site: Site, tmp_path: Path) -> None:
    """Each with its reason; the archive is yt-dlp's own file."""
    archive = ("--download-archive", str(tmp_path / "archive.txt"))
    first = await queue.ended(await queue.add(f"{site.url}/v360.mp4", *archive))
    assert first.status is Status.COMPLETED
    assert (tmp_path / "archive.txt").read_text() == "generic v360\n"
    again = await queue.ended(await queue.add(f"{site.url}/v360.mp4?again", *archive))
    assert (again.status, again.reason) == (Status.SKIPPED, Reason.ARCHIVED)
    there = await queue.ended(await queue.add(f"{site.url}/v360.mp4?there"))
    assert (there.status, there.reason, there.path) == (Status.SKIPPED, Reason.TARGET_EXISTS, first.path)


async def test_the_journal_archives_videos_by_their_ids(queue: Queue, site: Site) -> None:
    """With `archive` a video is not downloaded again, whatever its address."""
    await queue.close()
    await queue.open(archive=True)
    first = await queue.ended(await queue.add(f"{site.url}/v360.mp4"))
    again = await queue.ended(await queue.add(f"{site.url}/v360.mp4?again", "-o", "again.mp4"))
    assert (first.status, again.status, again.reason) == (Status.COMPLETED, Status.SKIPPED, Reason.ARCHIVED)


async def test_deleting_parts_leaves_nothing(queue: Queue, site: Site) -> None:
    """The part of one format, and what another one is already."""
    (queue.dir).mkdir(parents=True)
    (queue.dir / "base2.mp4").write_text("somebody else's")
    site.write("gate/audio.m4a", "")
    manifest = (site.root / "base.mpd").read_text().replace("audio.m4a", "gate/v720.mp4")
    task = await queue.add(site.write("base2.mpd", manifest), "-f", "v+a", "-o", "base2 %(id)s.%(ext)s")
    await until(lambda: site.asked["/gate/v720.mp4"])
    await until(lambda: (one := queue.engine.progress(task.id)) and one.task.part_path.endswith(".fa.m4a.part"))
    assert len(files_in(queue.dir)) == 3
    await queue.order(CommandName.DELETE_PART, task)
    assert list(files_in(queue.dir)) == ["base2.mp4"]
    assert (await queue.row(task)).status is Status.CANCELLED


async def test_deleting_parts_leaves_what_only_looks_like_them(queue: Queue, site: Site) -> None:
    """Files of others whose names begin alike: whole ones that are no format of this video, and halves."""
    names = ["show.mp4", "show.zip.part", "show.fun.m4a", "show.final.fz.mp4", "show.final.zip.part"]
    queue.dir.mkdir(parents=True)
    for name in names:
        (queue.dir / name).write_text("somebody else's")
    manifest = (site.root / "base.mpd").read_text().replace("audio.m4a", "gate/v720.mp4")
    url = site.write("base3.mpd", manifest)
    task = await queue.add(url, "-f", "v+a", "-o", "show.final.%(ext)s")
    await until(lambda: (one := queue.engine.progress(task.id)) and one.task.part_path.endswith(".fa.m4a.part"))
    assert len(files_in(queue.dir)) == len(names) + 2
    await queue.order(CommandName.DELETE_PART, task)
    assert sorted(files_in(queue.dir)) == sorted(names)


async def test_too_many_requests_park_the_site(queue: Queue, site: Site) -> None:
    """Its rows wait, and say so; they go on by themselves."""
    task = await queue.add(f"{site.url}/many/v360.mp4")
    await until(lambda: task.id in queue.engine.scheduler.waiting)
    row = await queue.row(task)
    assert row.reason is Reason.HOST_PARKED
    assert "429" in row.reason_text
    assert any("parked" in notice for notice in queue.engine.snapshot().notices)
    assert (await queue.ended(task)).status is Status.COMPLETED


async def test_a_site_has_few_videos_at_once(queue: Queue, site: Site) -> None:
    """However many slots there are."""
    await queue.close()
    await queue.open(concurrent_downloads=10, per_site=2)
    url = site.write("polite.rss", rss(6, path="gate/v720.mp4"))
    await queue.add(url)
    await until(lambda: sum(site.asked[f"/gate/v720.mp4?n={number}"] > 0 for number in range(1, 7)) >= 2)
    assert queue.engine.context.sites._videos.total() == 2
    for number in range(4):
        await queue.add(f"{site.url}/v360.mp4?n={number}", "-o", f"alone {number}.mp4")
    for number in range(4):
        await queue.add(f"{site.url}/page{number}", "-o", f"found {number}.mp4", as_kind="found")
        site.redirects[f"/page{number}"] = "/stream.html"
    site.gate.set()
    assert await queue.idle() == []
    assert len(files_in(queue.dir)) == 6 + 4 + 4


async def test_what_gives_nothing_fails_with_its_reason(queue: Queue, site: Site) -> None:
    """A missing page, a page without media, a playlist without entries."""
    site.write("empty.html", "<html><title>Empty</title></html>")
    site.write("no.rss", rss(0))
    reasons = {"gone/x.html": Reason.NOT_FOUND, "empty.html": Reason.NO_MEDIA, "no.rss": Reason.NO_MEDIA}
    for path, reason in reasons.items():
        row = await queue.ended(await queue.add(f"{site.url}/{path}"))
        assert (row.status, row.reason) == (Status.FAILED, reason), path


async def test_without_yt_dlp_the_row_says_what_to_install(
    queue: Queue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else is tried."""
    monkeypatch.setattr("tui_dl.media.worker.is_installed", lambda: False)
    row = await queue.ended(await queue.add(f"{site.url}/feed.rss"))
    assert (row.status, row.reason) == (Status.FAILED, Reason.EXTRA_MISSING)
    assert "pip install" in row.reason_text or "inject" in row.reason_text
    plain = await queue.ended(await queue.add(f"{site.url}/raw", as_kind="found", yt_dlp=()))
    assert plain.reason is Reason.NOT_FOUND


async def test_what_an_address_is_turns_out(queue: Queue, site: Site) -> None:
    """Files by their names, pages by what is on them; a page without media is kept as the page it is."""
    site.redirects |= {"/page": "/stream.html", "/note": "/plain.html", "/page.html": "/stream.html"}
    site.write("plain.html", "<html><title>Plain</title></html>")
    cases = (("v360.mp4", True, Kind.FILE), ("page", False, Kind.MEDIA), ("note", False, Kind.FILE))
    for path, asks, kind in (*cases, ("page.html", True, Kind.MEDIA)):
        task = await queue.add(f"{site.url}/{path}", as_kind="found", yt_dlp=(), asks=asks, has_config=False)
        row = await queue.ended(task)
        assert (row.status in (Status.COMPLETED, Status.SKIPPED), row.kind) == (True, kind), path


async def test_the_configuration_that_holds_is_named(
    queue: Queue, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is used for a row, its log says which file; where it is not, nothing."""
    config = tmp_path / "yt-dlp" / "config"
    config.parent.mkdir()
    config.write_text("--no-mtime\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    named = {}
    for number, has_config in enumerate((True, False)):
        task = await queue.ended(await queue.add(f"{site.url}/html5.html?{number}", has_config=has_config))
        named[has_config] = [line for line in await queue.log(task) if line.startswith("configuration")]
    assert named == {True: [f"configuration: {config}"], False: []}

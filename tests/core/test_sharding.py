"""Names in tar shards: patterns, keys without a dot that no two samples share, extensions, facts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.settings import MOST_SAMPLES
from tui_dl.core.sharding import extension_of, facts_of, key_of, parse_pattern, sample_of
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask

FILES = "/data/.tui-dl-shards/files"


def _task(filename: str = "cat.jpg", **facts: object) -> DownloadTask:
    base = {"dir": FILES, "status": Status.COMPLETED, "path": f"{FILES}/{filename}", "total_bytes": 3}
    return DownloadTask(id=1, url="https://a.example/cat", filename=filename, **{**base, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "name", "span"),
    [
        ("shard-{:06}.tar", "shard-000007.tar", "shard-{000000..000007}.tar"),
        ("shard-%06d.tar", "shard-000007.tar", "shard-{000000..000007}.tar"),
        ("train-{}.tar", "train-7.tar", "train-{0..7}.tar"),
        ("{:03d}-of-many.tar", "007-of-many.tar", "{000..007}-of-many.tar"),
    ],
)
def test_a_pattern_names_shards_as_webdataset_expands_them(text: str, name: str, span: str) -> None:
    """Python's and C's way of writing the number are both taken; one shard is named plainly."""
    pattern = parse_pattern(text)
    assert (pattern.name(7), pattern.span(0, 7), pattern.span(7, 7)) == (name, span, name)


@pytest.mark.parametrize(
    "text", ["shard.tar", "shard-{}.zip", "{}-{}.tar", "a/{}.tar", "../{}.tar", "-{}.tar", "{:x}.tar", "{0}.tar", ""]
)
def test_a_pattern_that_cannot_name_is_refused(text: str) -> None:
    """No number, two of them, another kind of file, a folder, an option's look: refused with an example."""
    with pytest.raises(UsageError, match="shard_name"):
        parse_pattern(text)


@given(st.tuples(st.integers(0, 2_000_000), st.integers(0, MOST_SAMPLES - 1)), st.data())
def test_no_two_samples_share_a_key(one: tuple[int, int], data: st.DataObject) -> None:
    """Whatever the sizes of shards were; a dot would end the key for webdataset."""
    other = data.draw(st.tuples(st.integers(0, 2_000_000), st.integers(0, MOST_SAMPLES - 1)))
    assert (key_of(*one) == key_of(*other)) == (one == other)
    assert "." not in key_of(*one)


@pytest.mark.parametrize(
    ("filename", "content_type", "extension"),
    [
        ("cat.JPG", "", "jpg"),
        ("model.v1.2.safetensors", "", "safetensors"),
        ("logs.tar.gz", "", "tar.gz"),
        ("v1.2.gz", "", "gz"),
        ("image", "image/webp; q=1", "webp"),
        ("image", "", "bin"),
        (".hidden", "", "bin"),
        ("release-1.2", "", "bin"),
        ("odd.é", "image/png", "png"),
        ("odd.a b", "", "bin"),
        ("x." + "y" * 40, "", "bin"),
    ],
)
def test_the_extension_is_that_of_the_name_else_of_the_type(filename: str, content_type: str, extension: str) -> None:
    """Lower case, as readers ask for it; what only looks like one is none."""
    assert extension_of(filename, content_type) == extension


def test_a_payload_that_is_json_does_not_take_the_name_of_the_facts() -> None:
    """Two members of one name are no sample; readers still see JSON."""
    sample = sample_of(_task("a.json"), "000001000002", FILES)
    assert (sample.payload, sample.facts_name) == ("000001000002.data.json", "000001000002.json")


def test_facts_bear_the_columns_of_the_list() -> None:
    """A caption is where readers look for it; a column that has the name of a fact of ours is kept beside it."""
    task = _task(
        dir=f"{FILES}/pets",
        line=7,
        final_url="https://a.example/cat",
        extra=json.dumps({"caption": "a cat", "status": "new"}),
        http_status=200,
    )
    facts = facts_of(task, "k", FILES)
    assert facts == {
        "key": "k",
        "url": "https://a.example/cat",
        "filename": "pets/cat.jpg",
        "line": 7,
        "status": 200,
        "bytes": 3,
        "caption": "a cat",
        "list_status": "new",
    }


def test_an_address_that_redirected_is_told_with_its_end() -> None:
    """Both are known then; else one."""
    assert facts_of(_task(final_url="https://b.example/x"), "k", FILES)["final_url"] == "https://b.example/x"
    assert "final_url" not in facts_of(_task(final_url="https://a.example/cat"), "k", FILES)

"""What people type into the filter, and what each piece of it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.query import SortKey, Term, TermKind
from tui_dl.core.query_text import BadTerm, parse_query, parse_terms
from tui_dl.core.status import Status

GIB = 1024**3


def test_nothing_typed_asks_for_all_rows() -> None:
    """An empty filter has no terms."""
    assert parse_terms("  \t ") == ()


def test_words_are_texts_that_must_all_be_there() -> None:
    """Each word by itself is one condition."""
    assert parse_terms("debian dvd") == (Term(TermKind.TEXT, "debian"), Term(TermKind.TEXT, "dvd"))


def test_quotes_keep_words_together_and_from_being_keys() -> None:
    """What stands in quotation marks is one text whatever it holds."""
    assert parse_terms('"two words" "host:x"') == (Term(TermKind.TEXT, "two words"), Term(TermKind.TEXT, "host:x"))


def test_an_address_is_a_text() -> None:
    """A pasted address is searched for, not taken for a key."""
    assert parse_terms("https://a.test/x") == (Term(TermKind.TEXT, "https://a.test/x"),)


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("host:x.test", Term(TermKind.HOST, "x.test")),
        ("HOST:x", Term(TermKind.HOST, "x")),
        ("host:=x.test", Term(TermKind.HOST, "x.test", is_exact=True)),
        ("-host:y", Term(TermKind.HOST, "y", is_negated=True)),
        ("name:*.iso", Term(TermKind.NAME, "*.iso")),
        ('batch:"my list"', Term(TermKind.BATCH, "my list")),
        ("reason:404", Term(TermKind.REASON, "404")),
        ("url:token", Term(TermKind.URL, "token")),
        ("folder:/srv", Term(TermKind.DIR, "/srv")),
        ("-word", Term(TermKind.TEXT, "word", is_negated=True)),
        ('-"two words"', Term(TermKind.TEXT, "two words", is_negated=True)),
        ("status:failed", Term(TermKind.STATUS, statuses=frozenset({Status.FAILED}))),
        ("status:failed,paused", Term(TermKind.STATUS, statuses=frozenset({Status.FAILED, Status.PAUSED}))),
        ("-status:done", Term(TermKind.STATUS, statuses=frozenset({Status.COMPLETED}), is_negated=True)),
        ("size:>1G", Term(TermKind.SIZE, least_bytes=GIB + 1)),
        ("size:>=1G", Term(TermKind.SIZE, least_bytes=GIB)),
        ("size:<1G", Term(TermKind.SIZE, most_bytes=GIB - 1)),
        ("size:<=1.5K", Term(TermKind.SIZE, most_bytes=1536)),
        ("size:0", Term(TermKind.SIZE, least_bytes=0, most_bytes=0)),
        ("size:1K..2K", Term(TermKind.SIZE, least_bytes=1024, most_bytes=2048)),
        ("size:1K..", Term(TermKind.SIZE, least_bytes=1024)),
    ],
)
def test_each_term_means_one_condition(typed: str, term: Term) -> None:
    """A key, its value, and what stands before them."""
    assert parse_terms(typed) == (term,)


def test_commas_list_several_hosts() -> None:
    """Each host is a term of its own."""
    assert parse_terms("host:a,b") == (Term(TermKind.HOST, "a"), Term(TermKind.HOST, "b"))


@pytest.mark.parametrize(
    ("typed", "term", "hint"),
    [
        ("debian statsu:failed", "statsu:failed", "status"),
        ("zzz:1", "zzz:1", "host"),
        ("status:faild", "status:faild", "failed"),
        ("size:big", "size:big", "512K"),
        ("size:>", "size:>", "not a size"),
        ("size:..", "size:..", "missing"),
        ("host: debian", "host:", "nothing follows"),
        ("host:,", "host:,", "nothing follows"),
        ('batch:"open', 'batch:"open', "not closed"),
        ("a -", "-", "nothing follows"),
    ],
)
def test_a_bad_term_is_named_with_a_way_out(typed: str, term: str, hint: str) -> None:
    """The error tells which piece is meant."""
    with pytest.raises(BadTerm) as caught:
        parse_terms(typed)
    assert caught.value.term == term
    assert hint in caught.value.message


def test_a_bad_term_is_shown_harmless() -> None:
    """What was pasted into a filter does not act on the terminal."""
    with pytest.raises(BadTerm) as caught:
        parse_terms("nokey:\x1b[31mred")
    assert "\x1b" not in caught.value.message


def test_the_query_carries_the_order() -> None:
    """Filter and order make one question."""
    query = parse_query("host:x", sort=SortKey.NAME, is_descending=True)
    assert (query.terms, query.sort, query.is_descending) == ((Term(TermKind.HOST, "x"),), SortKey.NAME, True)


@given(st.text(max_size=40) | st.lists(st.sampled_from(['"', "-", "host:", "size:", ">", "..", " ", "a"])).map("".join))
def test_any_text_is_read_or_refused(typed: str) -> None:
    """Nothing that can be typed raises anything but the error for people."""
    try:
        terms = parse_terms(typed)
    except BadTerm as error:
        assert error.message  # noqa: PT017  # either is right, and both are looked at
    else:
        assert bool(terms) == bool(typed.strip())


def test_half_a_term_is_led_to_the_term_that_is_offered() -> None:
    """`state:` is understood, too, but `status:` is what the help and the completion call it."""
    with pytest.raises(BadTerm) as caught:
        parse_terms("stat:")
    assert caught.value.message.startswith("stat: there is no term stat: (did you mean status: ?)")

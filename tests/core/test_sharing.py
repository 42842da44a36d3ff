"""Connections are shared by weight, without leaving any idle that somebody wants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.sharing import Claim, connection_shares, priority_number, priority_word, weight_of

HIGH, NORMAL, LOW = (weight_of(priority) for priority in (1, 0, -1))
CLAIMS = st.dictionaries(
    st.integers(1, 99), st.builds(Claim, st.sampled_from([HIGH, NORMAL, LOW]), st.integers(1, 64)), max_size=12
)


@pytest.mark.parametrize(
    ("allowed", "claims", "shares"),
    [
        (8, [(NORMAL, 64)], [8]), (8, [(NORMAL, 8), (NORMAL, 8)], [4, 4]), (10, [(HIGH, 9), (LOW, 9)], [8, 2]),
        (7, [(HIGH, 9), (NORMAL, 9), (LOW, 9)], [4, 2, 1]), (8, [(HIGH, 2), (LOW, 9)], [2, 6]),
        (8, [(LOW, 9), (HIGH, 9)], [2, 6]), (2, [(LOW, 9), (HIGH, 9)], [1, 1]), (3, [(LOW, 9), (HIGH, 9)], [1, 2]),
        (1, [(LOW, 9), (HIGH, 9), (LOW, 1)], [1, 1, 1]), (9, [(NORMAL, 9), (NORMAL, 9)], [5, 4]), (8, [], []),
    ],
)  # fmt: skip
def test_connections_are_dealt_by_weight(allowed: int, claims: list[tuple[int, int]], shares: list[int]) -> None:
    """By weight, at least one each, what one does not want goes to the others."""
    asked = {key: Claim(weight, wanted) for key, (weight, wanted) in enumerate(claims)}
    assert list(connection_shares(allowed, asked).values()) == shares


@given(st.integers(1, 100), CLAIMS)
def test_nothing_is_lost_and_nothing_is_invented(allowed: int, claims: dict[int, Claim]) -> None:
    """Nobody has more than it wants, the sum is what is allowed or wanted, a heavier one never has less."""
    shares = connection_shares(allowed, claims)
    assert shares.keys() == claims.keys()
    wanted = sum(claim.wanted for claim in claims.values())
    assert sum(shares.values()) == max(len(claims), min(allowed, wanted))
    for key, claim in claims.items():
        assert 1 <= shares[key] <= claim.wanted
        for other, rival in claims.items():
            if rival.weight > claim.weight:
                assert shares[other] >= min(shares[key], rival.wanted)


def test_priorities_are_words_for_people() -> None:
    """Words and numbers are each other's; an unknown word is refused with those that there are."""
    assert [priority_word(priority_number(word)) for word in ("High ", "normal", "LOW")] == ["high", "normal", "low"]
    assert [weight_of(number) for number in (1, 0, -1)] == [4, 2, 1]
    with pytest.raises(UsageError, match="high, normal, low"):
        priority_number("urgent")

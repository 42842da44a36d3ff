"""Names that a person resolves by hand: what is taken and what is refused."""

from __future__ import annotations

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.own_names import addresses_of, parse_dns_servers, parse_own_names


@pytest.mark.parametrize(
    ("text", "host", "port", "addresses"),
    [
        ("a.example:80:127.0.0.1", "A.example.", 80, ("127.0.0.1",)),
        ("a.example:80:127.0.0.1", "a.example", 81, ()),
        ("a.example:80:127.0.0.1", "b.example", 80, ()),
        ("a.example:443:127.0.0.1,[::1],2001:db8::1", "a.example", 443, ("127.0.0.1", "::1", "2001:db8::1")),
        ("*:80:127.0.0.1 a.example:80:127.0.0.2", "a.example", 80, ("127.0.0.2",)),
        ("*:80:127.0.0.1 a.example:80:127.0.0.2", "b.example", 80, ("127.0.0.1",)),
        ("a.example:80:127.0.0.1 a.example:80:127.0.0.2", "a.example", 80, ("127.0.0.2",)),
        ("b\u00fccher.example:80:127.0.0.1", "xn--bcher-kva.example", 80, ("127.0.0.1",)),
    ],
)
def test_whose_addresses_are_given(text: str, host: str, port: int, addresses: tuple[str, ...]) -> None:
    """By host and port; the star is for whoever has no entry of his own."""
    assert addresses_of(parse_own_names(text), host, port) == addresses


@pytest.mark.parametrize(
    "text",
    [
        *("a.example", "a.example:80", "a.example:80:", "a.example:80:b.example", "a.example:0:127.0.0.1", "-a:80"),
        *("a.example:99999:127.0.0.1", "a.example:80:127.0.0.1,", "a b:80:300.0.0.1", "127.0.0.1:80:127.0.0.2"),
        "[::1]:80:127.0.0.1",
    ],
)
def test_what_is_no_entry_is_refused(text: str) -> None:
    """With the option's name; an address needs no looking up, so that its entry would do nothing."""
    with pytest.raises(UsageError, match=r"^--resolve "):
        parse_own_names(text)


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("9.9.9.9, 1.1.1.1:5353", ("9.9.9.9", "1.1.1.1:5353")),
        ("[2620:fe::fe]:53,2620:fe::9", ("[2620:fe::fe]:53", "2620:fe::9")),
    ],
)
def test_name_servers(text: str, servers: tuple[str, ...]) -> None:
    """Addresses, each maybe with a port."""
    assert parse_dns_servers(text) == servers


@pytest.mark.parametrize("text", ["dns.example", "9.9.9.9:0", "9.9.9.9:x", "300.1.1.1"])
def test_a_name_is_no_name_server(text: str) -> None:
    """Nobody could look that one up."""
    with pytest.raises(UsageError, match=r"^--dns-servers "):
        parse_dns_servers(text)

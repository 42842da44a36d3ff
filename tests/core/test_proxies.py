"""Which proxy an address goes through, by option and by environment."""

from __future__ import annotations

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.proxies import ProxyAddress, ProxyRules, parse_proxy, proxy_rules

ONE = ProxyAddress("http", "one", 1)
TWO = ProxyAddress("http", "two", 2)


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://proxy:3128", ProxyAddress("http", "proxy", 3128)),
        ("proxy:3128", ProxyAddress("http", "proxy", 3128)),
        ("http://Proxy.Example/", ProxyAddress("http", "proxy.example", 80)),
        ("socks5h://me:p%40ss@[::1]:9050", ProxyAddress("socks5", "::1", 9050, "me", "p@ss")),
        ("socks4a://proxy", ProxyAddress("socks4a", "proxy", 1080)),
        ("socks4://proxy", ProxyAddress("socks4", "proxy", 1080)),
        ("https://proxy", ProxyAddress("https", "proxy", 443)),
        ("me:p@ss@proxy:1", ProxyAddress("http", "proxy", 1, "me", "p@ss")),
    ],
)
def test_proxies_are_read(text: str, proxy: ProxyAddress) -> None:
    """With scheme, credentials and port, or without."""
    assert parse_proxy(text, "--proxy") == proxy


@pytest.mark.parametrize(
    "text", ["", "httpss://u:c4nary@p:1", "ftp://c4nary@p", "p:0", "p:99999", "a b", "http://", "p/c4nary"]
)
def test_what_is_no_proxy_is_refused_without_being_shown(text: str) -> None:
    """The message names where it comes from."""
    with pytest.raises(UsageError, match=r"^--proxy: ") as caught:
        parse_proxy(text, "--proxy")
    assert "c4nary" not in str(caught.value)


def test_a_proxy_never_shows_its_credentials() -> None:
    """Neither as text nor by the name that messages use."""
    proxy = ProxyAddress("http", "::1", 80, "me", "c4nary")
    assert "c4nary" not in repr(proxy)
    assert proxy.authority == "[::1]:80"


@pytest.mark.parametrize(
    ("exceptions", "url", "is_direct"),
    [
        ("*", "http://e.org/", True),
        ("e.org", "http://e.org/", True),
        ("e.org", "http://a.e.org/", True),
        (".e.org", "http://a.e.org/", True),
        ("*.e.org", "http://a.e.org/", True),
        ("e.org", "http://notexample.org/", False),
        ("e.org", "http://fake-e.org/", False),
        ("e.org:8080", "http://e.org:8080/", True),
        ("e.org:8080", "http://e.org/", False),
        ("x, E.ORG", "http://e.org/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("0.0.1", "http://10.0.0.1/", False),
        ("::1", "http://[::1]/", True),
        ("[::1]:80", "http://[::1]/", True),
        ("", "http://e.org/", False),
    ],
)
def test_exceptions(exceptions: str, url: str, *, is_direct: bool) -> None:
    """A host and what is below it, never what merely ends alike."""
    rules = proxy_rules("http://one:1", exceptions, {})
    assert (rules.proxy_for(url) is None) is is_direct


@pytest.mark.parametrize(
    ("environment", "for_http", "for_https"),
    [
        ({}, None, None),
        ({"http_proxy": "one:1"}, ONE, None),
        ({"HTTP_PROXY": "one:1", "HTTPS_PROXY": "two:2"}, ONE, TWO),
        ({"HTTP_PROXY": "one:1", "REQUEST_METHOD": "GET"}, None, None),
        ({"all_proxy": "one:1", "https_proxy": "two:2"}, ONE, TWO),
        ({"http_proxy": "one:1", "HTTP_PROXY": "two:2"}, ONE, None),
    ],
)
def test_the_environment(
    environment: dict[str, str], for_http: ProxyAddress | None, for_https: ProxyAddress | None
) -> None:
    """Lower case before upper, each scheme's own before `all_proxy`."""
    rules = proxy_rules("", "", environment)
    assert (rules.proxy_for("http://e.org/"), rules.proxy_for("https://e.org/")) == (for_http, for_https)


def test_the_option_goes_before_the_environment() -> None:
    """But the environment's exceptions hold where no others are given."""
    rules = proxy_rules("one:1", "", {"http_proxy": "two:2", "no_proxy": "e.org"})
    assert rules.proxy_for("http://f.org/") == ONE
    assert rules.proxy_for("http://127.0.0.1/") == ONE
    assert rules.proxy_for("http://e.org/") is None


def test_a_wrong_variable_is_named() -> None:
    """So that a person finds it."""
    with pytest.raises(UsageError, match=r"^environment variable HTTPS_PROXY: "):
        proxy_rules("", "", {"HTTPS_PROXY": "gopher://p"})


def test_each_proxy_counts_once() -> None:
    """Also where it serves both schemes."""
    assert ProxyRules(ONE, ONE).proxies == (ONE,)

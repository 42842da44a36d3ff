"""Tables for single hosts: the most telling one counts, secrets stay with their host, errors say where."""

from __future__ import annotations

from typing import Any

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.host_rules import NO_RULE, HostRuleError, HostRules, parse_pattern
from tui_dl.core.host_tables import KEYS, host_rules, shown_values
from tui_dl.core.proxies import ProxyRules
from tui_dl.core.settings import Settings

RULES = host_rules(
    {
        "*": {"connections": 9, "user_agent": "any"},
        "*.example.org": {"connections": 2, "tasks": 3, "rate": "512K"},
        "*.cdn.example.org": {"connections": 4},
        "example.org": {"connections": 1},
        "files.example.org:8080": {"connections": 7},
        "files.example.org": {"connections": 6},
    }
)


@pytest.mark.parametrize(
    ("host", "connections"),
    [
        ("example.org", 1),
        ("a.example.org", 2),
        ("a.b.example.org", 2),
        ("a.cdn.example.org", 4),
        ("cdn.example.org", 2),
        ("files.example.org", 6),
        ("files.example.org:8080", 7),
        ("files.example.org:81", 6),
        ("notexample.org", 9),
        ("example.org.evil.net", 9),
        ("[::1]:8080", 9),
    ],
)
def test_the_most_telling_table_counts(host: str, connections: int) -> None:
    """A whole name before a domain, a longer domain before a shorter one, a port before none, `*` last."""
    assert RULES.of_host(host).connections == connections


def test_each_setting_comes_from_the_most_telling_table_that_has_it() -> None:
    """What a narrow table leaves open, a wider one says."""
    rule = RULES.of_host("files.example.org:8080")
    assert (rule.connections, rule.tasks, rule.rate, rule.user_agent) == (7, 3, 512 * 1024, "any")


def test_without_tables_nothing_is_said() -> None:
    """The default of the library."""
    assert HostRules().of_host("a.b") is NO_RULE
    assert HostRules().of_url("http://a.b/") is NO_RULE
    assert Settings().hosts.rate_of("a.b") == 0


@pytest.mark.parametrize(
    ("pattern", "url", "is_match"),
    [
        ("a.org:443", "https://a.org/x", True),
        ("a.org:443", "http://a.org/x", False),
        ("a.org:80", "http://a.org:80/x", True),
        ("A.org", "http://a.ORG/x", True),
        ("[::1]", "http://[::1]:9/x", True),
        ("*.a.org", "http://a.org/", False),
        ("a.org", "http://a.org.:8080/", True),
    ],
)
def test_an_address_is_matched_by_its_real_port(pattern: str, url: str, *, is_match: bool) -> None:
    """The scheme's own port counts where none is written."""
    assert (host_rules({pattern: {"tasks": 1}}).of_url(url).tasks == 1) is is_match


def test_a_row_without_port_is_matched_by_the_ports_of_both_schemes() -> None:
    """Rows name a port only where it is not their scheme's own."""
    rules = host_rules({"a.org:443": {"tasks": 1}, "b.org:8443": {"tasks": 1}})
    assert rules.of_host("a.org").tasks == 1
    assert rules.of_host("b.org").tasks is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"taks": 1}, r"a\.org: unknown setting 'taks'; did you mean 'tasks'\?"),
        ({"zzz": 1}, "known are connections, tasks"),
        ({"connections": 0}, "connections: 0 is out of bounds"),
        ({"connections": "3"}, "connections: expected a whole number"),
        ({"tasks": True}, "tasks: expected a whole number"),
        ({"rate": "fast"}, "rate: 'fast'"),
        ({"rate": 1.5}, "rate: expected"),
        ({"headers": "x"}, "headers: expected a table"),
        ({"headers": {"Range": "x"}}, "headers: 'Range' is no header"),
        ({"headers": {"Proxy-Authorization": "x"}}, "is no header"),
        ({"headers": {"a b": "x"}}, "is no header"),
        ({"headers": {"X-A": "s3cret\n"}}, "X-A: expected text without control"),
        ({"user": ":s3cret"}, "NAME:PASSWORD"),
        ({"user": 5}, "NAME:PASSWORD"),
        ({"user_agent": "\x00"}, "User-Agent: expected text"),
        ({"proxy": "gopher://s3cret@h"}, "proxy: proxies are reached by"),
        ({"proxy": 1}, "proxy: expected text"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_table_and_key(table: dict[str, Any], message: str) -> None:
    """No message shows a secret."""
    with pytest.raises(HostRuleError, match=message) as caught:
        host_rules({"a.org": table})
    assert (caught.value.pattern, caught.value.key) == ("a.org", next(iter(table)))
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    "text", ["", "http://a.org", "a.org/x", "a b", "*a.org", "a.*.org", "a.org:0", "a.org:99999", "**"]
)
def test_a_name_that_stands_for_no_host_is_refused(text: str) -> None:
    """Patterns are a whole name, `*.domain` or `*`, each maybe with a port."""
    with pytest.raises(HostRuleError, match="names no host"):
        parse_pattern(text)


def test_the_same_name_twice_is_refused() -> None:
    """Nothing would say which of them holds."""
    with pytest.raises(UsageError, match=r"a\.org is named twice"):
        host_rules({"a.org": {}, "A.ORG": {}})


SECRETS = host_rules(
    {
        "a.org": {
            "user": "me:s3cret",
            "headers": {"X-Api-Key": "s3cret"},
            "proxy": "http://u:s3cret@p:1",
            "user_agent": "b",
        }
    }
)


def test_a_named_host_gets_its_headers() -> None:
    """So does a path of the same origin."""
    sent = SECRETS.headers_for("http://a.org/x", is_named=True)
    assert sent.keys() == {"User-Agent", "Authorization", "X-Api-Key"}


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [("https://a.org/x", True), ("http://a.org/x", False), ("https://a.org:8443/x", False)],
)
def test_a_host_that_a_redirect_led_to_gets_secrets_over_https_alone(url: str, *, is_sent: bool) -> None:
    """A redirect could choose the plain scheme or another program's port."""
    assert ("Authorization" in SECRETS.headers_for(url, is_named=False)) is is_sent


def test_other_hosts_get_nothing() -> None:
    """The table is that host's alone."""
    assert SECRETS.headers_for("https://b.org/", is_named=True) == {}


def test_nothing_shown_is_secret() -> None:
    """Neither by `config show` nor by `repr()`."""
    ((_, rule),) = SECRETS.tables
    assert shown_values(rule).keys() == {"user", "headers", "proxy", "user_agent"}
    assert "s3cret" not in f"{shown_values(rule)} {rule!r} {Settings(hosts=SECRETS)!r}"


def test_a_rate_of_zero_is_shown() -> None:
    """It lifts what a wider table says."""
    ((_, rule),) = host_rules({"a.org": {"rate": 0}}).tables
    assert shown_values(rule) == {"rate": 0}


def test_a_host_may_have_its_own_proxy_or_none() -> None:
    """What is set for the host goes before the general proxy and its exceptions."""
    rules = host_rules(
        {"a.org": {"proxy": "socks5://s:1"}, "b.a.org": {"proxy": "direct"}, "*.a.org": {"proxy": "p:2"}}
    )
    proxies = ProxyRules(exceptions=("a.org",), hosts=rules)
    found = {host: proxies.proxy_for(f"http://{host}/") for host in ("a.org", "b.a.org", "c.a.org", "d.org")}
    assert {host: proxy and proxy.authority for host, proxy in found.items()} == {
        "a.org": "s:1", "b.a.org": None, "c.a.org": "p:2", "d.org": None,
    }  # fmt: skip
    assert {one.authority for one in proxies.proxies} == {"s:1", "p:2"}


def test_every_key_is_explained() -> None:
    """The template of the settings file shows them all."""
    assert all(text.endswith(".") for text in KEYS.values())

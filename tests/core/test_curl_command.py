"""A browser's "copy as cURL": understood as the download that it is, or refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.curl_command import DROPPED, is_curl, parse_curl
from tui_dl.core.curl_download import CurlDownload, with_headers
from tui_dl.core.errors import UsageError

URL = "https://host.example/f.iso"

CHROME_BASH = r"""curl 'https://host.example/f.iso?sig=a%20b&x=\[1\]' \
  -H 'accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' \
  -H 'accept-encoding: gzip, deflate, br, zstd' \
  -b 'sid=abc; theme=dark' \
  -H $'x-name: it\'s \u0021 \\ here' \
  -H 'range: bytes=0-' \
  -H 'sec-ch-ua-platform: "Linux"' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)'"""

CHROME_CMD = r"""curl ^"https://host.example/f.iso?a=1^&b=^%^20x^&c=^\^[2^\^]^" ^
  -H ^"accept: */*^" ^
  -b ^"j=^{^\^"a^\^":1^}; d=C:^\^\x^" ^
  -H ^"user-agent: Mozilla/5.0 ^(Windows NT 10.0^)^" ^
  --compressed ^
  --insecure"""

FIREFOX = (
    r"curl 'https://host.example/f.iso' -X GET --compressed -H 'User-Agent: Mozilla/5.0' "
    r"-H $'X-Place: caf\xe9 \ud83d\ude00 \xc3\xa9 \041' "
    r"-H 'Connection: keep-alive' -H 'Cookie: sid=abc' -H 'TE: trailers'"
)

SAFARI = """curl 'https://host.example/f.iso' \\
-X 'GET' \\
-H 'Accept: */*' \\
-H 'Cookie: sid=abc' \\
-H 'Referer: https://host.example/'"""


def one(text: str) -> CurlDownload:
    """Return the only download of a command."""
    (download,) = parse_curl(text)
    return download


def headers_of(text: str) -> dict[str, str]:
    """Return the headers of the only download of a command."""
    return dict(one(text).headers)


# -- as browsers write it ----------------------------------------------------------------------------------------------


def test_chrome_for_bash() -> None:
    """Address, cookies and headers are as the browser sent them; what described its own request is not."""
    found = one(CHROME_BASH)
    assert found.url == "https://host.example/f.iso?sig=a%20b&x=[1]"
    assert dict(found.headers) == {
        "accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        "x-name": "it's ! \\ here",
        "sec-ch-ua-platform": '"Linux"',
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "Cookie": "sid=abc; theme=dark",
    }
    assert not found.is_insecure


def test_chrome_for_cmd() -> None:
    """Carets, doubled backslashes and escaped quotes of Windows come off."""
    found = one(CHROME_CMD)
    assert found.url == "https://host.example/f.iso?a=1&b=%20x&c=[2]"
    assert dict(found.headers) == {
        "accept": "*/*",
        "user-agent": "Mozilla/5.0 (Windows NT 10.0)",
        "Cookie": 'j={"a":1}; d=C:\\x',
    }
    assert found.is_insecure


def test_firefox() -> None:
    """Its octets above ASCII are Latin-1 where they are no UTF-8, and pairs of units are one character."""
    found = headers_of(FIREFOX)
    assert found == {"User-Agent": "Mozilla/5.0", "X-Place": "café \U0001f600 é !", "Cookie": "sid=abc"}


def test_safari() -> None:
    """A method named GET is no other method."""
    assert headers_of(SAFARI) == {"Accept": "*/*", "Cookie": "sid=abc", "Referer": "https://host.example/"}


def test_older_windows_quotes() -> None:
    """Doubled quotes stand for one, percent signs stand outside."""
    text = 'curl "https://host.example/f"%"20.iso" ^\r\n -H "j: {""a"":1}"'
    assert (one(text).url, headers_of(text)) == ("https://host.example/f%20.iso", {"j": '{"a":1}'})


@pytest.mark.parametrize("joint", [" ;\n", ";", " &\r\n", "\n", " &&\n", "\r\n\r\n"])
def test_several_commands_are_several_downloads(joint: str) -> None:
    """The shell's way to join them is that of "Copy all as cURL"."""
    found = parse_curl(f"curl 'https://a.example/1' -H 'a: 1'{joint}curl 'https://b.example/2' -H 'b: 2'")
    assert [(each.url, each.headers) for each in found] == [
        ("https://a.example/1", (("a", "1"),)),
        ("https://b.example/2", (("b", "2"),)),
    ]


def test_several_commands_for_cmd() -> None:
    """There an ampersand joins them."""
    text = f"{CHROME_CMD} &\r\n{CHROME_CMD}"
    assert parse_curl(text) == (one(CHROME_CMD), one(CHROME_CMD))


@pytest.mark.parametrize("prompt", ["$ ", "% ", "> ", "PS C:\\Users\\me> ", "C:\\Users\\me>"])
def test_a_prompt_in_front_is_no_part_of_it(prompt: str) -> None:
    """People copy more than they mean."""
    assert one(f"{prompt}curl {URL}").url == URL


@pytest.mark.parametrize("program", ["curl", "curl.exe", "/usr/bin/curl", "CURL"])
def test_curl_may_be_named_by_its_path(program: str) -> None:
    """It is curl all the same."""
    assert is_curl(f"{program} {URL}")
    assert one(f"{program} {URL}").url == URL


@pytest.mark.parametrize(
    "text", ["curly https://h/", "https://h/curl", "curl-8.tar.gz", "curling", "", "wget", "fetch it"]
)
def test_what_only_looks_like_it_is_not_curl(text: str) -> None:
    """An address or a word that holds the name is none."""
    assert not is_curl(text)


# -- options -----------------------------------------------------------------------------------------------------------


def test_short_options_may_be_joined() -> None:
    """As in `-kLsSo NAME` and `-HName: value`."""
    found = one(f"curl -kLsSo f.iso '-HX-A: b' -Ame -ehttps://ref.example/ {URL}")
    assert (found.is_insecure, found.name) == (True, "f.iso")
    assert dict(found.headers) == {"X-A": "b", "User-Agent": "me", "Referer": "https://ref.example/"}


def test_credentials_become_a_header() -> None:
    """Those of `-u`, of a token, and of the address itself; one that is given as a header wins."""
    assert headers_of(f"curl -u me:secret {URL}") == {"Authorization": "Basic bWU6c2VjcmV0"}
    assert headers_of(f"curl --oauth2-bearer tok {URL}") == {"Authorization": "Bearer tok"}
    assert headers_of("curl https://me:secret@host.example/f") == {"Authorization": "Basic bWU6c2VjcmV0"}
    assert headers_of(f"curl -u me:secret -H 'authorization: mine' {URL}") == {"authorization": "mine"}


def test_cookies_of_all_options_are_sent_together() -> None:
    """As curl does with several `-b`."""
    assert headers_of(f"curl -b a=1 -b 'b=2;' -H 'cookie: c=3' {URL}") == {"Cookie": "c=3; a=1; b=2"}


def test_the_last_header_of_a_name_counts() -> None:
    """And one without a value takes it away, as with curl; a semicolon sends it empty."""
    assert headers_of(f"curl -H 'A: 1' -H 'a: 2' -H 'B: 1' -H 'b:' -H 'c;' {URL}") == {"a": "2", "c": ""}


def test_headers_of_http2_itself_are_left_out() -> None:
    """Some tools copy `:authority` and its like."""
    assert headers_of(f"curl -H ':authority: host.example' {URL}") == {}


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_headers_about_the_browsers_own_request_are_left_out(name: str) -> None:
    """A condition or a range of the browser's would make the answer another one than the file."""
    assert headers_of(f"curl -H '{name.title()}: x' {URL}") == {}


def test_several_addresses_share_the_headers() -> None:
    """Outputs belong to them in order; -O leaves the name to the server."""
    found = parse_curl("curl -H 'a: 1' -o x.bin https://a.example/1 -O --url https://a.example/2 https://a.example/3")
    assert [(each.url[-1], each.name, each.headers) for each in found] == [
        ("1", "x.bin", (("a", "1"),)),
        ("2", "", (("a", "1"),)),
        ("3", "", (("a", "1"),)),
    ]


def test_next_begins_anew() -> None:
    """What was said before it does not hold after it."""
    first, second = parse_curl("curl -k -H 'a: 1' https://a.example/1 --next https://a.example/2")
    assert (first.is_insecure, second.is_insecure, second.headers) == (True, False, ())


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ("-o sub/f.iso", "sub"),
        ("-o /abs/f.iso", "/abs"),
        ("-o f.iso --output-dir out", "out"),
        ("-o sub/f.iso --output-dir out", "out/sub"),
        ("-o /f.iso --output-dir out", "/"),
        ("-O --output-dir out", "out"),
    ],
)
def test_the_folder_is_what_output_and_output_dir_say(options: str, folder: str) -> None:
    """As curl joins them."""
    assert one(f"curl {options} {URL}").folder == folder


@pytest.mark.parametrize(
    ("option", "proxy"),
    [
        ("-x http://p.example:8", "http://p.example:8"),
        ("-x p.example:8", "http://p.example:8"),
        ("--proxy socks5h://p.example:8", "socks5h://p.example:8"),
        ("--socks5-hostname p.example:8", "socks5://p.example:8"),
    ],
)
def test_a_proxy_is_taken_with_its_scheme(option: str, proxy: str) -> None:
    """Whoever named a proxy does not want to go without."""
    assert one(f"curl {option} {URL}").proxy == proxy


def test_data_may_be_a_query() -> None:
    """With `-G` it is no body."""
    assert one(f"curl -G -d a=1 --data-urlencode 'b=x y' '{URL}?z=0#end'").url == f"{URL}?z=0&a=1&b=x+y#end"


def test_globs_are_not_expanded() -> None:
    """Neither silently taken as written: curl would have fetched something else. With -g they are meant."""
    with pytest.raises(UsageError, match="-g"):
        parse_curl("curl 'https://host.example/{a,b}.iso'")
    with pytest.raises(UsageError, match="-g"):
        parse_curl("curl 'https://host.example/[1-9].iso'")
    assert one("curl -g 'https://host.example/{a,b}.iso'").url == "https://host.example/{a,b}.iso"
    assert one("curl 'http://[::1]:8/f'").url == "http://[::1]:8/f"


@pytest.mark.parametrize("switch", ["--compressed", "-L", "--location", "-s", "-#", "--http2", "--no-progress-meter"])
def test_options_that_change_nothing_are_passed_over(switch: str) -> None:
    """They shape curl's output, or are what tui-dl does anyway."""
    assert one(f"curl {switch} {URL}") == CurlDownload(URL)


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("-X POST", "another method"),
        ("--request DELETE", "another method"),
        ("-d a=1", "another method"),
        ("--data-raw '{}'", "another method"),
        ("-G -d @file", "another method"),
        ("-F a=b", "another method"),
        ("-T file", "another method"),
        ("--json '{}'", "another method"),
        ("-I", "nothing to download"),
        ("-r 0-99", "a piece of a file"),
        ("--range 0-99", "a piece of a file"),
        ("-b cookies.txt", "--cookies FILE"),
        ("-c jar", "--save-cookies"),
        ("-C -", "resumes by itself"),
        ("--limit-rate 1M", "--limit-rate SIZE"),
        ("-K file", "options of a file"),
        ("-H @file", "--header"),
        ("-H nonsense", "Name: value"),
        ("-H 'X Y: z'", "no name of a header"),
        ("-u me", "no password"),
        ("-o -", "-o - to tui-dl"),
        ("-o a/.bashrc", "not a safe file name"),
        ("-o x -o y", "more outputs"),
        ("--frobnicate", "--frobnicate is not known"),
        ("-sQL", "-Q is not known"),
        ("-H", "has no value"),
    ],
)
def test_what_cannot_be_honoured_is_refused(options: str, says: str) -> None:
    """Never ignored: each with its reason and what to do."""
    with pytest.raises(UsageError, match=says):
        parse_curl(f"curl {URL} {options}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no curl command"),
        ("  \n ", "no curl command"),
        ("curl", "names no address"),
        ("curl -L", "names no address"),
        (f"curl '{URL}", "a quote is not closed"),
        (f'curl "{URL}', "a quote is not closed"),
        (f'curl ^"{URL} ^\n -k', "a quote is not closed"),
        (f"curl {URL}?a=1&b=2", "in quotes"),
        (f"curl {URL} > f.iso", "-o"),
        (f'curl {URL} -H "Authorization: $TOKEN"', "would replace"),
        (f"curl {URL} -H `date`", "would replace"),
        (f"curl {URL} | tar x", "only curl commands"),
        ("curl ftp:/nowhere", "no usable host|no http"),
        (f'Invoke-WebRequest -Uri "{URL}"', "PowerShell"),
        ("$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession", "PowerShell"),
        (f'fetch("{URL}", {{}});', "fetch"),
        (f"wget '{URL}'", "wget"),
        (f"curl {URL} -H $'a: b\\r\\nc: d'", "control characters"),
    ],
)
def test_what_is_no_curl_command_says_so(text: str, says: str) -> None:
    """The message names what was pasted instead, or what is missing."""
    with pytest.raises(UsageError, match=says):
        parse_curl(text)


@pytest.mark.parametrize("option", ["--user=me:hunter2", "-H 'hunter2'", "-b hunter2", "-u hunter2", "--x=hunter2"])
def test_no_message_shows_a_value(option: str) -> None:
    """They are credentials as often as not."""
    with pytest.raises(UsageError) as caught:
        parse_curl(f"curl {URL} {option}")
    assert "hunter2" not in caught.value.message


def test_neither_summary_nor_repr_shows_a_secret() -> None:
    """Cookies and credentials are named, not shown."""
    found = one(f"curl -b sid=hunter2 -u me:hunter2 -H 'x-api-key: hunter2' -H 'accept: a' -x http://u:hunter2@p {URL}")
    assert found.summary == "4 headers, x-api-key ***, cookie ***, authorization ***"
    assert "hunter2" not in repr(found) + found.summary


def test_a_header_given_beside_replaces_one_of_its_name() -> None:
    """Whoever names it once more means the later one."""
    found = with_headers(CurlDownload(URL, (("cookie", "old"), ("a", "1"))), (("Cookie", "new"),))
    assert found.headers == (("a", "1"), ("Cookie", "new"))


@given(st.text(max_size=80))
def test_whatever_is_pasted_is_understood_or_refused(text: str) -> None:
    """Nothing but our own error is raised."""
    for line in (text, f"curl {text}", f"curl '{URL}' {text}", f'curl ^"{URL}^" {text}'):
        try:
            parse_curl(line)
        except UsageError:
            continue


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=40))
def test_a_quoted_value_comes_back_as_it_was(value: str) -> None:
    """What a browser quotes for bash is what the server gets."""
    plain = "".join(char for char in value if char.isprintable()).strip() or "x"
    escaped = plain.replace("\\", "\\\\").replace("'", "\\'")
    assert headers_of(f"curl {URL} -H $'x-a: {escaped}'") == {"x-a": plain}

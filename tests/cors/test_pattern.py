"""The pattern language: four forms, a reason for everything else, and lookups that do not grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cors.origin import Mistake, parse
from garrison.cors.pattern import ANY, Matcher, Pattern, read

WRONG = {
    "GP104": ["null", "NULL", "file://", "file:///x", "data:text", "about:blank", "blob://x", "file://host"],
    "GP105": [
        "",
        "app.example.com",
        "HTTPS://a.example",
        "ws://a.example",
        "wss://a.example:8443",
        "ftp://a.example",
        "ftps://*.a.example",
        "1a://b",
        "://a.b",
        "x" * 40 + "://a",
    ],
    "GP106": ["https://u@a.example", "https://a.example/", "https://a.example?x", "https://a.example#x"],
    "GP107": [" https://a.example", "https://a.example ", "https://a.b,https://c.d", "https://a.example\n", "a\x7f"],
    "GP108": ["https://b\u00fccher.example", "https://\u2603" + "x" * 70 + ".example"],
    "GP109": [
        "https://",
        "https://A.example",
        "https://a..example",
        "https://.example",
        "https://*.",
        "https://a.example.",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 126 + "co",
        "https://a!.example",
    ],
    "GP110": [
        "https://a.example:443",
        "http://a.example:80",
        "https://a.example:0",
        "https://a.example:",
        "https://a.example:abc",
        "https://a.example:65536",
        "http://127.0.0.1:80",
        "http://[::1]:x",
        "capacitor://5:0",
    ],
    "GP111": ["http://127.1", "http://[0:0:0:0:0:0:0:1]:8080", "http://[::1", "http://[::ffff:102:304]", "http://0x7f"],
    "GP112": [
        "https://*",
        "https://example.*",
        "https://a.*.example",
        "*://a.example",
        "https://*a.example",
        "https://*.*.example",
        "https://*.0.2.10",
        "http://*.[::1]",
        "https://a.example:8*",
        "https://a.example:8443:*",
    ],
    "GP113": ["^https://.*\\.example\\.com$", "https://.*", "https://(a|b).example", "https://[a-z].example", "x://.+"],
}


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in WRONG.items() for text in texts])
def test_says_what_is_wrong_and_what_to_write(rule: str, text: str) -> None:
    """One number per kind of mistake, and never a traceback."""
    mistake = read(text)

    assert isinstance(mistake, Mistake)
    assert mistake.rule == rule
    assert mistake.remedy


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://a.example:443", "https://a.example"),
        ("https://A.example", "https://a.example"),
        ("https://a.example/x", "https://a.example"),
        ("https://a.example.", "https://a.example"),
        ("a.example", "https://a.example"),
        ("wss://a.example:8443", "https://a.example:8443"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_the_remedy_can_be_pasted(text: str, wanted: str) -> None:
    """What is proposed is right itself."""
    mistake = read(text)

    assert isinstance(mistake, Mistake)
    assert mistake.remedy.split()[1] == wanted
    assert isinstance(read(wanted), Pattern)


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z*.:\[\]0-9@/?]{0,30}", fullmatch=True))
def test_every_text_is_a_pattern_or_a_mistake(text: str) -> None:
    """Whatever an operator types, the answer is a value; and what is accepted stands as it was written."""
    entry = read(text)

    assert entry.text == text if isinstance(entry, Pattern) else entry.rule.startswith("GP1")


@pytest.mark.parametrize(
    ("pattern", "origin", "matches"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "https://b.a.example", False),
        ("https://a.example:8443", "https://a.example", False),
        ("https://*.example.com", "https://a.example.com", True),
        ("https://*.example.com", "https://c.b.a.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "https://.example.com", False),
        ("https://*.example.com", "https://evilexample.com", False),
        ("https://*.example.com", "https://a.example.com.evil.net", False),
        ("https://*.example.com", "https://a.example.com:8443", False),
        ("https://*.example.com:8443", "https://a.example.com:8443", True),
        ("https://*.example.com:*", "https://a.example.com:8443", True),
        ("https://*.example.com:*", "https://a.example.com", True),
        ("https://*.example.com:*", "https://example.com:8443", False),
        ("http://localhost:*", "http://localhost", True),
        ("http://localhost:*", "http://localhost:3000", True),
        ("http://localhost:*", "https://localhost:3000", False),
        ("http://localhost:*", "http://a.localhost:3000", False),
        ("http://[::1]:*", "http://[::1]:3000", True),
        ("http://[::1]:*", "http://[0:0:0:0:0:0:0:1]:3000", False),
        ("https://*.example.com", "https://a.example.com\n", False),
        ("https://*.example.com", "https://" + "a." * 3_000 + "example.com", False),
        ("*", "null", True),
        ("*", "anything", True),
    ],
)
def test_means_just_that(pattern: str, origin: str, matches: bool) -> None:
    """The whole language in one table."""
    entry = read(pattern)

    assert isinstance(entry, Pattern)
    assert Matcher([entry]).matches(origin.encode("latin-1")) is matches


labels = st.text("ab", min_size=1, max_size=2)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.sampled_from(["", ":8443", ":9000"])


@given(
    st.lists(st.builds("https://{}{}{}".format, st.sampled_from(["", "*."]), hosts, ports | st.just(":*")), max_size=6),
    st.builds("https://{}{}".format, hosts, ports),
)
def test_the_compiled_lookup_agrees_with_reading_each_pattern(patterns: list[str], origin: str) -> None:
    """The sets and the slow way, pattern by pattern, give one verdict."""
    entries = [entry for entry in map(read, patterns) if isinstance(entry, Pattern)]
    parsed = parse(origin)
    assert parsed is not None

    slow = False
    for entry in entries:
        below = parsed.host.endswith("." + entry.host) if entry.below else parsed.host == entry.host
        slow = slow or (below and entry.port in (parsed.port, -1))

    assert Matcher(entries).matches(origin.encode()) is slow


def test_any_is_one_thing() -> None:
    """`*` is the only entry that covers everything."""
    assert read("*") is ANY
    assert not Matcher([]).any

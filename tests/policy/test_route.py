"""Routes: what a template takes, which of two is meant, and which paths nobody reads in one way only."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import compile_path

from garrison.errors import UsageError
from garrison.policy.route import Segment, Tree, is_plain, meets, parse_route, parse_template, within

SEGMENTS = st.sampled_from(["a", "b", "7", "1.5", "x-y", "{p}", "{q:int}", "{r:float}", "{s:uuid}"])
TAILS = st.sampled_from(["", "a", "{t:path}", "{u}"])
TEMPLATES = st.builds(lambda inner, tail: "/" + "/".join([*inner, tail]), st.lists(SEGMENTS, max_size=3), TAILS).filter(
    lambda text: "//" not in text and all(text.count(f"{{{name}") < 2 for name in "pqrstu")
)
PIECES = st.sampled_from(["a", "b", "7", "1.5", "x-y", "", "12345678-1234-1234-1234-123456789abc", "1" * 32, "z"])
PATHS = st.lists(PIECES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("text", "methods", "segments"),
    [
        ("GET /", ("GET",), (Segment("", ""),)),
        ("GET|POST /notes", ("GET", "POST"), (Segment("", "notes"),)),
        ("WS /feed", ("WS",), (Segment("", "feed"),)),
        ("GET /a/{id}", ("GET",), (Segment("", "a"), Segment("str", "id"))),
        ("GET /a/{id:int}/", ("GET",), (Segment("", "a"), Segment("int", "id"), Segment("", ""))),
        ("GET /a/{rest:path}", ("GET",), (Segment("", "a"), Segment("path", "rest"))),
        ("GET /.well-known/jwks.json", ("GET",), (Segment("", ".well-known"), Segment("", "jwks.json"))),
    ],
)
def test_a_route_is_read(text: str, methods: tuple[str, ...], segments: tuple[Segment, ...]) -> None:
    parsed = parse_route(text)

    assert (parsed.methods, parsed.segments) == (methods, segments)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/notes", "is not a route such as"),
        ("GET", "is not a route such as"),
        ("GET|GET /notes", "is not a route such as"),
        ("get /notes", "'get' is not a method"),
        ("TRACE /notes", "'TRACE' is not a method"),
        ("GET| /notes", "'' is not a method"),
        ("GET  /notes", "must begin with a slash"),
        ("GET notes", "must begin with a slash"),
        ("GET //notes", "neither a plain literal nor"),
        ("GET /a//b", "neither a plain literal nor"),
        ("GET /a/../b", "neither a plain literal nor"),
        ("GET /a/.", "neither a plain literal nor"),
        ("GET /a b", "neither a plain literal nor"),
        ("GET /a%20b", "neither a plain literal nor"),
        ("GET /a;b", "neither a plain literal nor"),
        ("GET /ä", "neither a plain literal nor"),
        ("GET /a?b", "neither a plain literal nor"),
        ("GET /:id", "stands for nothing here; write {name}"),
        ("GET /a/*", "stands for nothing here"),
        ("GET /a/*.js", "stands for nothing here"),
        ("GET /{id}.json", "neither a plain literal nor"),
        ("GET /{id", "neither a plain literal nor"),
        ("GET /{}", "neither a plain literal nor"),
        ("GET /{1d}", "neither a plain literal nor"),
        ("GET /{id:slug}", "unknown converter"),
        ("GET /{rest:path}/x", "must be the last segment"),
        ("GET /{id}/{id}", "names a parameter twice"),
        ("GET /" + "a/" * 64, "more than 64 segments"),
    ],
)
def test_anything_else_is_no_route(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_route(text)


@given(st.text(max_size=30) | st.text(alphabet="GETWS |/{}:aint.%;", max_size=30))
def test_any_text_is_a_route_or_a_misuse(text: str) -> None:
    try:
        parsed = parse_route(text)
    except UsageError:
        return
    assert parse_template(parsed.template) == parsed.segments
    assert f"{'|'.join(parsed.methods)} {parsed.template}" == text


@given(TEMPLATES, PATHS)
def test_a_template_takes_what_starlette_takes(template: str, path: str) -> None:
    """Guard and application must agree about every path, or one guards what the other does not serve."""
    tree: Tree[str] = Tree()
    tree.add(parse_template(template), "here")
    regex, _, _ = compile_path(template)

    found, theirs = tree.find(path), regex.match(path)

    assert (found is None) == (theirs is None)
    if found is not None and theirs is not None:
        assert found == ("here", theirs.groupdict())


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        ("int", ["0", "007", "12345678901234567890"], ["", "-1", "+1", "1.0", "٣", "1_0", "0x1", "²"]),
        ("float", ["1", "1.5", "0.0"], ["", ".", "1.", ".5", "-1", "1e5", "1.2.3", "nan"]),
        (
            "uuid",
            [str(UUID(int=7)), UUID(int=7).hex, str(UUID(int=2**128 - 1)).upper()],
            ["", "0" * 31, "0" * 33, "{" + "0" * 32 + "}", "g" * 32, str(UUID(int=7)) + "-", "-" + UUID(int=7).hex],
        ),
        ("str", ["a", "-", "a.b", "ä"], [""]),
    ],
)
def test_converters_take_exactly_their_texts(kind: str, yes: list[str], no: list[str]) -> None:
    tree: Tree[str] = Tree()
    tree.add(parse_template(f"/{{x:{kind}}}/end"), "here")

    assert all(tree.find(f"/{text}/end") for text in yes)
    assert not any(tree.find(f"/{text}/end") for text in no)


def test_the_more_specific_route_is_meant_whatever_the_order() -> None:
    templates = ["/n/me", "/n/{a:int}", "/n/{b:float}", "/n/{c:uuid}", "/n/{d}", "/n/{e:path}"]
    for order in (templates, templates[::-1]):
        tree: Tree[str] = Tree()
        for template in order:
            tree.add(parse_template(template), template)

        found = [
            tree.find(f"/n/{text}") for text in ("me", "7", "7.5", "1" * 32, UUID(int=7).hex[:-1] + "-", "x", "x/y", "")
        ]

        assert [each and each[0] for each in found] == [
            "/n/me",
            "/n/{a:int}",
            "/n/{b:float}",
            "/n/{a:int}",
            "/n/{d}",
            "/n/{d}",
            "/n/{e:path}",
            "/n/{e:path}",
        ]


def test_a_dead_end_is_left_again() -> None:
    """`/a/x` leads towards the literal `a` first, and the route that takes it stands elsewhere."""
    tree: Tree[str] = Tree()
    for template in ("/a/b/c", "/{p}/x", "/a/{q}/d", "/{r:path}"):
        tree.add(parse_template(template), template)

    found = [tree.find(path) for path in ("/a/x", "/a/b/d", "/a/b/c", "/a/b/e", "/a")]

    assert [each and each[0] for each in found] == ["/{p}/x", "/a/{q}/d", "/a/b/c", "/{r:path}", "/{r:path}"]


def test_parameters_at_one_place_may_have_several_names() -> None:
    tree: Tree[str] = Tree()
    for template in ("/a/{one}/b", "/a/{two}/c"):
        tree.add(parse_template(template), template)

    for template, end in (("/a/{one}/b", "b"), ("/a/{two}/c", "c")):
        found = tree.find(f"/a/x/{end}")
        assert found is not None
        assert (found[0], list(found[1].values())) == (template, ["x"])


def test_parameters_are_what_the_path_holds() -> None:
    tree: Tree[str] = Tree()
    tree.add(parse_template("/a/{one}/b/{rest:path}"), "here")

    found = tree.find("/a/x y/b/c/d")

    assert found is not None
    assert found[1] == {"one": "x y", "rest": "c/d"}


@given(TEMPLATES, TEMPLATES, PATHS)
def test_a_route_within_another_takes_no_path_beyond_it(one: str, other: str, path: str) -> None:
    inner, outer = parse_template(one), parse_template(other)
    small: Tree[int] = Tree()
    small.add(inner, 1)
    large: Tree[int] = Tree()
    large.add(outer, 1)

    if within(inner, outer) and small.find(path):
        assert large.find(path)


def test_within_is_not_missed_either() -> None:
    pairs = [
        ("/a", "/{p}"),
        ("/7", "/{p:int}"),
        ("/{p:int}", "/{p:float}"),
        ("/{p:float}", "/{p}"),
        ("/{p}", "/{p:path}"),
        ("/a/b/c", "/a/{p:path}"),
        ("/a/{q:path}", "/{p:path}"),
        ("/a/", "/a/{p:path}"),
        ("/a/{q}", "/a/{p}"),
    ]

    assert all(within(parse_template(one), parse_template(other)) for one, other in pairs)
    assert not any(within(parse_template(other), parse_template(one)) for one, other in pairs[:-1])


def test_segments_that_share_a_text_meet() -> None:
    assert meets(Segment("", "a"), Segment("", "a"))
    assert not meets(Segment("", "a"), Segment("", "b"))
    assert meets(Segment("", "7"), Segment("int", "p"))
    assert meets(Segment("int", "p"), Segment("", "7"))
    assert not meets(Segment("int", "p"), Segment("", "a"))
    assert meets(Segment("int", "p"), Segment("uuid", "q"))


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/", b"/"),
        ("/notes/7", b"/notes/7"),
        ("/notes/7", b""),
        ("/notes/a b", b"/notes/a%20b"),
        ("/notes/ä", b"/notes/%C3%A4"),
        ("/notes/ä", "/notes/ä".encode()),
        ("/notes/ä", b""),
        ("/notes/", b"/notes/"),
        ("/.well-known/x", b"/.well-known/x"),
        ("/a/...", b"/a/..."),
        ("/100%", b"/100%25"),
        ("/%zz", b"/%25zz"),
        ("/a%4", b"/a%254"),
        ("/health", b"/%68ealth"),
        ("/a?b#c", b"/a%3Fb%23c"),
    ],
)
def test_paths_with_one_reading(path: str, raw: bytes) -> None:
    assert is_plain(path, raw)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=8))
def test_a_name_is_plain_however_it_is_encoded_or_never(name: str) -> None:
    """A name that is taken is taken encoded in full, encoded as little as can be, and without a raw path."""
    path = f"/n/{name}"
    spellings = (quote(path).encode(), quote(path, safe="/!$&'()*+,=:@~").encode(), b"")

    assert len({is_plain(path, raw) for raw in spellings}) == 1


@given(st.text(max_size=12), st.binary(max_size=12))
def test_a_raw_path_that_says_something_else_is_never_plain(path: str, raw: bytes) -> None:
    if is_plain(path, raw):
        assert path.startswith("/")
        assert not raw or raw.startswith(b"/")
        assert "//" not in path
        assert not {".", ".."} & set(path.split("/"))

"""Routes are read from whatever framework holds them, and widened where a policy cannot name them exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Security, WebSocket
from fastapi.security import SecurityScopes
from flask import Flask
from flask.views import MethodView
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

from garrison.adapters.routes import found_routes, plain_template
from garrison.errors import UsageError
from garrison.policy.found import FoundRoute
from garrison.policy.route import parse_template


async def principal(scopes: SecurityScopes) -> tuple[str, ...]:
    return tuple(scopes.scopes)


Reads = Annotated[Any, Security(principal, scopes=["notes:read"])]
Lists = Annotated[Any, Security(principal, scopes=["notes:read", "notes:list"])]


async def reader(me: Reads) -> Any:
    return me


def _paths(app: Any) -> list[tuple[str, str]]:
    return [("|".join(route.methods), route.template) for route in found_routes(app)]


# --- FastAPI ---------------------------------------------------------------------------------------------------------


def test_fastapi_tells_methods_templates_scopes_and_its_documentation() -> None:
    """Documentation pages are routes too: a policy that forgets them answers 404 to `/docs`."""
    app = FastAPI()

    @app.get("/notes/{id:int}")
    def read(id: int, me: Lists) -> None:
        """Read a note.

        All of it.
        """

    @app.api_route(
        "/notes",
        summary="Write notes",
        methods=["POST", "PUT"],
        dependencies=[Security(principal, scopes=["notes:write"])],
    )
    def write() -> None: ...

    assert found_routes(app) == [
        FoundRoute(("GET",), "/openapi.json", documentation=True),
        FoundRoute(("GET",), "/docs", documentation=True),
        FoundRoute(("GET",), "/docs/oauth2-redirect", documentation=True),
        FoundRoute(("GET",), "/redoc", documentation=True),
        FoundRoute(("GET",), "/notes/{id:int}", ("notes:read", "notes:list"), summary="Read a note."),
        FoundRoute(("POST", "PUT"), "/notes", ("notes:write",), summary="Write notes"),
    ]


def test_fastapi_tells_of_what_type_a_body_is() -> None:
    app = FastAPI(openapi_url=None)

    @app.put("/table")
    def load(rows: Annotated[str, Body(media_type="text/csv")]) -> None: ...

    assert [route.content for route in found_routes(app)] == [("text/csv",)]


def test_scopes_of_dependencies_of_dependencies_count_once() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/a", dependencies=[Security(reader, scopes=["a:b"]), Depends(reader)])
    def a() -> None: ...

    assert found_routes(app)[0].scopes == ("a:b", "notes:read")


def test_included_routers_are_read_with_their_prefix_and_their_dependencies() -> None:
    inner = APIRouter(prefix="/inner", dependencies=[Security(principal, scopes=["inner:use"])])

    @inner.get("/x/{name}")
    def x(name: str) -> None: ...

    @inner.websocket("/live")
    async def live(socket: WebSocket, me: Annotated[Any, Depends(reader)]) -> None: ...

    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    app = FastAPI(openapi_url=None)
    app.include_router(outer, prefix="/v1")

    assert found_routes(app) == [
        FoundRoute(("GET",), "/v1/outer/inner/x/{name}", ("inner:use",)),
        FoundRoute(("WS",), "/v1/outer/inner/live", ("inner:use", "notes:read")),
    ]


def test_a_mounted_fastapi_tells_its_own_documentation() -> None:
    inner = FastAPI(docs_url="/help", redoc_url=None)
    app = FastAPI(openapi_url=None)
    app.mount("/v2", inner)

    found = {route.template: route.documentation for route in found_routes(app)}

    assert found == {"/v2/openapi.json": True, "/v2/help": True, "/v2/docs/oauth2-redirect": True}


def test_a_frontend_is_a_tree_of_files(tmp_path: Path) -> None:
    app = FastAPI(openapi_url=None)
    app.frontend("/app", directory=tmp_path)

    assert _paths(app) == [("GET", "/app/{path:path}")]


# --- Starlette -------------------------------------------------------------------------------------------------------


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("")

    async def delete(self, request: Request) -> Response:
        return PlainTextResponse("")


async def answer(request: Request) -> Response:
    return PlainTextResponse("")


async def bare(scope: Any, receive: Any, send: Any) -> None: ...


def test_starlette_tells_mounts_sockets_hosts_and_class_based_endpoints(tmp_path: Path) -> None:
    app = Starlette(
        routes=[
            Route("/", answer),
            Route("/thing/{id:uuid}", Endpoint),
            Mount("/api", routes=[Route("/x/", answer, methods=["PATCH"]), WebSocketRoute("/ws", bare)]),
            Mount("/files", StaticFiles(directory=tmp_path)),
            Mount("/other", bare),
            Host("api.example.com", Router([Route("/only-there", answer)])),
        ]
    )

    assert _paths(app) == [
        ("GET", "/"),
        ("GET|DELETE", "/thing/{id:uuid}"),
        ("PATCH", "/api/x/"),
        ("WS", "/api/ws"),
        ("GET", "/files/{path:path}"),
        ("", "/other/{path:path}"),
        ("GET", "/only-there"),
    ]


def test_middleware_hides_no_route() -> None:
    app = CORSMiddleware(CORSMiddleware(Starlette(routes=[Route("/x", answer)])))

    assert _paths(app) == [("GET", "/x")]


def test_an_equal_route_behind_the_first_is_told_once() -> None:
    app = Starlette(routes=[Route("/x", answer), Route("/x", answer, methods=["GET", "POST"])])

    assert _paths(app) == [("GET", "/x"), ("POST", "/x")]


@pytest.mark.parametrize("app", [bare, object(), Starlette, None])
def test_a_bare_callable_is_asked_in_vain(app: object) -> None:
    with pytest.raises(UsageError, match="OpenAPI"):
        found_routes(app)


# --- templates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/x/{id:int}/{rest:path}", "/x/{id:int}/{rest:path}"),
        ("/x/{id:custom}", "/x/{id}"),
        ("/x/{name}.json", "/x/{name}"),
        ("/x/v{major:int}", "/x/{major}"),
        ("/{a}-{b}/c", "/{a}/c"),
        ("/{p:path}/edit", "/{p:path}"),
        ("/{p:path}.zip", "/{p:path}"),
        ("/{id:str}", "/{id}"),
        ("", ""),
        ("/a/", "/a/"),
    ],
)
def test_what_a_policy_cannot_name_is_widened(path: str, template: str) -> None:
    assert plain_template(path) == template


@given(st.lists(st.sampled_from(["a", "{x}", "{x:int}", "{x:odd}", "{x}.js", "{x:path}", "v{x}", "b.c"]), min_size=1))
def test_whatever_stands_in_a_path_the_policy_can_hold_it(segments: list[str]) -> None:
    """Names are made different, since no framework takes one twice either."""
    path = "".join(f"/{segment.replace('x', f'x{at}')}" for at, segment in enumerate(segments[:60]))

    assert parse_template(plain_template(path))


# --- Flask -----------------------------------------------------------------------------------------------------------


class Things(MethodView):
    def get(self) -> str:
        return ""

    def put(self) -> str:
        return ""


def test_flask_tells_its_rules_in_the_notation_of_a_policy() -> None:
    app = Flask(__name__)
    app.add_url_rule("/notes/<int:id>", "read", lambda id: "", methods=["GET"])
    app.add_url_rule("/degrees/<int(signed=True):t>", "degrees", lambda t: "", methods=["POST"])
    app.add_url_rule("/kinds/<any(a, b):kind>/<name>", "kinds", lambda kind, name: "")
    app.add_url_rule("/tree/<path:where>/end", "tree", lambda where: "")
    app.add_url_rule("/asked", "asked", lambda: "", methods=["OPTIONS"])
    app.add_url_rule("/things", view_func=Things.as_view("things"))

    assert _paths(app) == [
        ("GET", "/static/{filename:path}"),
        ("GET", "/notes/{id:int}"),
        ("POST", "/degrees/{t}"),
        ("GET", "/kinds/{kind}/{name}"),
        ("GET", "/tree/{where:path}"),
        ("OPTIONS", "/asked"),
        ("GET|PUT", "/things"),
    ]


def test_flask_is_found_behind_what_wraps_its_wsgi_app() -> None:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/x", "x", lambda: "")

    class Wrapper:
        def __init__(self, app: Any) -> None:
            self.app = app

    assert _paths(Wrapper(app.wsgi_app)) == [("GET", "/x")]


# --- Django ----------------------------------------------------------------------------------------------------------

PROJECT = r'''
import json
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views import View

if not settings.configured:
    settings.configure(ROOT_URLCONF="project", SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"])

class Notes(View):
    def get(self, request, id): return HttpResponse()
    def delete(self, request, id): return HttpResponse()

def plain(request, **caught): return HttpResponse()

class Sets:
    """Stands for a view set, which has its methods in `actions`."""
    @staticmethod
    def view(request): return HttpResponse()
Sets.view.actions = {"get": "list", "post": "create"}

urlpatterns = [
    path("", plain),
    path("notes/<int:id>/", Notes.as_view()),
    path("api/", include([path("<slug:name>", plain), path("tree/<path:rest>/x", plain), path("sets", Sets.view)])),
    re_path(r"^articles/(?P<year>[0-9]{4})/(?P<slug>[^/]+)$", plain),
    re_path(r"^open/(?P<rest>.*)$", plain),
    re_path(r"^odd\.(?:html|xml)$", plain),
    re_path(r"^a+b$", plain),
    re_path(r"nested/(?P<x>(a|[)])+)/y", plain),
] + i18n_patterns(path("about", plain), prefix_default_language=False)

if __name__ == "__main__":
    from django.core.wsgi import get_wsgi_application
    from garrison.adapters.routes import found_routes
    print(json.dumps([["|".join(found.methods), found.template] for found in found_routes(get_wsgi_application())]))
'''


def test_django_tells_its_url_patterns(tmp_path: Path) -> None:
    """In a process of its own: Django has one configuration per process."""
    (tmp_path / "project.py").write_text(PROJECT, "utf-8")
    done = subprocess.run(
        [sys.executable, "project.py"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == [
        ["", "/"],
        ["GET|DELETE", "/notes/{id:int}/"],
        ["", "/api/{name}"],
        ["", "/api/tree/{rest:path}"],
        ["GET|POST", "/api/sets"],
        ["", "/articles/{year}/{slug}"],
        ["", "/open/{rest:path}"],
        ["", "/{rest:path}"],
        ["", "/{rest:path}"],
        ["", "/nested/{x:path}"],
        ["", "/{language}/about"],
        ["", "/about"],
    ]

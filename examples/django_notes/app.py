"""Notes in Django, in one file: the guard is the first middleware, the policy stands beside this file."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path

from garrison.django import principal

__all__ = ["application"]

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    MIDDLEWARE=["garrison.django.Garrison"],
    GARRISON_POLICY=Path(__file__).with_name("garrison.toml"),
)
notes: dict[int, tuple[str, str]] = {}


def health(request: HttpRequest) -> JsonResponse:
    """Tell that the service lives."""
    return JsonResponse({"status": "ok"})


def write(request: HttpRequest) -> JsonResponse:
    """Write a note of mine."""
    number = len(notes) + 1
    notes[number] = (principal(request).id, json.loads(request.body)["text"])
    return JsonResponse({"id": number}, status=201)


def read(request: HttpRequest, number: int) -> JsonResponse:
    """Read a note of mine; another's answers like a missing one."""
    if number not in notes:
        raise Http404
    owner, text = notes[number]
    principal(request).must_own(owner)
    return JsonResponse({"text": text})


urlpatterns = [path("health", health), path("notes", write), path("notes/<int:number>", read)]
application = get_wsgi_application()

"""Notes in Flask: the policy beside this file says who may do what; `GARRISON_ENV=development` to try it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, abort, request

from garrison.flask import Garrison, principal

__all__ = ["app"]

app = Flask(__name__, static_folder=None)
Garrison(app, policy=Path(__file__).with_name("garrison.toml"))
notes: dict[int, tuple[str, str]] = {}


@app.get("/health")
def health() -> dict[str, str]:
    """Tell that the service lives."""
    return {"status": "ok"}


@app.post("/notes")
def write() -> tuple[dict[str, Any], int]:
    """Write a note of mine."""
    number = len(notes) + 1
    notes[number] = (principal().id, request.get_json()["text"])
    return {"id": number}, 201


@app.get("/notes/<int:number>")
def read(number: int) -> dict[str, str]:
    """Read a note of mine; another's answers like a missing one."""
    owner, text = notes.get(number) or abort(404)
    principal().must_own(owner)
    return {"text": text}

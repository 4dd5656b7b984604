"""A complete secured REST API: tasks with owners, guarded by the policy beside this file.

Only what is the application's own is here. Keys, tokens, accounts, limits, CORS, headers, body checks and the
audit journal are the policy's: not a line of this file knows how anybody logs in.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Security
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from examples.tasks.store import Task, TaskStore, UnavailableError
from garrison.fastapi import Garrison, Principal, principal
from garrison.fastapi import health as garrison_health

if TYPE_CHECKING:
    from examples.tasks.shared import SharedTaskStore

__all__ = ["app"]

_DEVELOPMENT = os.environ.get("GARRISON_ENV") == "development"

app = FastAPI(
    title="Tasks",
    summary="A REST API secured by one policy.",
    openapi_url="/openapi.json" if _DEVELOPMENT else None,
    docs_url=None,
    redoc_url=None,
    swagger_ui_oauth2_redirect_url=None,
)
app.add_middleware(Garrison, policy=os.environ.get("TASKS_POLICY", Path(__file__).with_name("garrison.toml")))


def place(environment: str) -> Path:
    """Say where tasks are kept: beside the records of the policy, so that one backup holds both."""
    return Path("/var/lib/tasks" if environment == "production" else "var", "tasks.db")


def opened(where: str) -> TaskStore | SharedTaskStore:
    """Open the tasks: a file, or a PostgreSQL that several machines share, whose password is in a file of its own."""
    if not where.startswith("postgresql:"):
        return TaskStore(Path(where))
    from examples.tasks.shared import SharedTaskStore

    password = os.environ.get("TASKS_DB_PASSWORD_FILE")
    return SharedTaskStore(where, Path(password).read_text("ascii").strip() if password else "")


store = opened(os.environ.get("TASKS_DB") or str(place(os.environ.get("GARRISON_ENV", "production"))))

Me = Annotated[Principal, Security(principal)]


def _whole(number: Any) -> Any:
    """JSON has one kind of number: 4.0 is 4."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _digits(text: Any) -> Any:
    """Take a number in its one plain form: `1.0`, `1_0`, `+1`, `01` and ` 1` are other texts."""
    if isinstance(text, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)", text) is None:
        raise PydanticCustomError("int_parsing", "Input should be a whole number, in digits alone")
    return text


Priority = Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole)]
Status = Literal["pending", "in_progress", "completed"]
Digits = BeforeValidator(_digits)
Number = Annotated[int, Field(ge=1, le=2**63 - 1), Digits]


class NewTask(BaseModel):
    """A whole task, as it is created or replaced."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=1000)] = ""
    status: Status = "pending"
    priority: Priority = 3


class TaskChange(BaseModel):
    """Some fields of a task; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(min_length=1, max_length=200)] = ""
    description: Annotated[str, Field(max_length=1000)] = ""
    status: Status = "pending"
    priority: Priority = 3


if _DEVELOPMENT:
    # Swagger UI from an installed package: it works without the internet, and its scripts are files of this origin.
    _PAGE = Path(__file__).with_name("page")
    app.mount("/docs", StaticFiles(directory=_PAGE, packages=[("fastapi_swagger", "resources")]))

    @app.get("/docs", include_in_schema=False)
    def docs() -> FileResponse:
        """Show the documentation."""
        return FileResponse(_PAGE / "index.html")


@app.exception_handler(UnavailableError)
def unavailable(_: Request, __: Exception) -> JSONResponse:
    """Say that tasks cannot be reached at the moment: a fault that may be over soon."""
    return JSONResponse({"detail": "Service Unavailable"}, 503)


@app.get("/api/health")
def health(request: Request, me: Me) -> dict[str, Any]:
    """Tell that the service lives; only an administrator hears more."""
    state: dict[str, Any] = {"status": "ok", "timestamp": datetime.now(UTC).isoformat(timespec="seconds")}
    if me.may("admin:health"):
        state |= garrison_health(request)
    return state


@app.get("/api/tasks")
def list_tasks(
    me: Me,
    page: Annotated[int, Query(ge=1, le=1_000_000), Digits] = 1,
    limit: Annotated[int, Query(ge=1, le=100), Digits] = 20,
    status: Status | None = None,
    priority: Annotated[int | None, Query(ge=1, le=5), Digits] = None,
) -> dict[str, Any]:
    """List my tasks, newest first."""
    found = store.page(me.id, status, priority, limit, page)
    pages = -(-found.total // limit)
    pagination = {"page": page, "limit": limit, "total": found.total, "pages": pages}
    return {"tasks": [shown(task) for task in found.tasks], "pagination": pagination}


@app.post("/api/tasks", status_code=201)
def create_task(task: NewTask, me: Me) -> dict[str, Any]:
    """Create a task of mine."""
    return shown(store.add(me.id, task.model_dump()))


@app.get("/api/tasks/{id}")
def read_task(id: Number, me: Me) -> dict[str, Any]:
    """Read a task of mine."""
    return shown(mine(id, me))


@app.put("/api/tasks/{id}")
def replace_task(id: Number, task: NewTask, me: Me) -> dict[str, Any]:
    """Replace a task of mine; what is left out falls back to its default."""
    mine(id, me)
    return shown(changed(id, task.model_dump()))


@app.patch("/api/tasks/{id}")
def change_task(id: Number, change: TaskChange, me: Me) -> dict[str, Any]:
    """Change some fields of a task of mine."""
    mine(id, me)
    return shown(changed(id, change.model_dump(exclude_unset=True)))


@app.delete("/api/tasks/{id}")
def delete_task(id: Number, me: Me) -> dict[str, Any]:
    """Delete a task of mine and show it for the last time."""
    task = mine(id, me)
    if not store.remove(id):
        raise HTTPException(404)
    return shown(task)


def mine(number: int, me: Principal) -> Task:
    """Find a task of mine; another's answers exactly like a missing one."""
    task = store.get(number)
    if task is None:
        raise HTTPException(404)
    me.must_own(task.owner)
    return task


def changed(number: int, fields: dict[str, Any]) -> Task:
    """Change a task that was there a moment ago."""
    task = store.change(number, fields)
    if task is None:
        raise HTTPException(404)
    return task


def shown(task: Task) -> dict[str, Any]:
    """Show a task without its owner, who is the reader."""
    return {name: getattr(task, name) for name in Task.__slots__ if name != "owner"}

"""Tasks in a file and tasks in PostgreSQL are the same to the application."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest

from examples.tasks.shared import SharedTaskStore
from examples.tasks.store import TaskStore, UnavailableError
from tests.stores.postgres_server import postgres

Store: TypeAlias = TaskStore | SharedTaskStore

PLAIN = {"title": "a", "description": "", "status": "pending", "priority": 3}


@pytest.fixture(params=["file", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty one."""
    if request.param == "file":
        yield TaskStore(tmp_path / "tasks.db")
        return
    shared = SharedTaskStore(postgres().database())
    yield shared
    shared.close()


def test_a_task_is_kept_changed_and_removed_once(store: Store) -> None:
    made = store.add("ada", PLAIN)
    assert store.get(made.id) == made

    changed = store.change(made.id, {"status": "completed"})

    assert changed is not None
    assert (changed.title, changed.status, changed.priority) == ("a", "completed", 3)
    assert [store.remove(made.id), store.remove(made.id)] == [True, False]
    assert store.get(made.id) is None
    assert store.change(made.id, {"title": "b"}) is None


def test_an_owner_sees_the_newest_first_and_nobody_elses(store: Store) -> None:
    made = [store.add("ada", {**PLAIN, "title": str(number)}).id for number in range(5)]
    store.add("bob", PLAIN)

    first, second, none = (store.page("ada", None, None, 3, number) for number in (1, 2, 3))

    assert [task.id for page in (first, second, none) for task in page.tasks] == made[::-1]
    assert {page.total for page in (first, second, none)} == {5}


def test_a_list_is_narrowed_by_status_and_priority(store: Store) -> None:
    wanted = store.add("ada", {**PLAIN, "status": "completed", "priority": 5})
    store.add("ada", {**PLAIN, "status": "completed"})
    store.add("ada", {**PLAIN, "priority": 5})

    assert store.page("ada", "completed", 5, 20, 1).tasks == [wanted]
    assert store.page("ada", "completed", None, 20, 1).total == 2
    assert store.page("ada", None, 5, 20, 1).total == 2


def test_what_looks_like_sql_is_a_title(store: Store) -> None:
    text = "'); DROP TABLE tasks; --%s %(id)s ?"

    assert store.page(store.add(text, {**PLAIN, "title": text}).owner, None, None, 1, 1).tasks[0].title == text


def test_the_table_is_made_once_by_several_at_once() -> None:
    """Workers of a fleet start together."""
    url = postgres().database()

    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(lambda _: SharedTaskStore(url), range(6)))

    assert stores[0].add("ada", PLAIN).id == 1
    for each in stores:
        each.close()


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    """A restart of the database while nobody asks costs no request."""
    url = postgres().database()
    store = SharedTaskStore(url)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    assert store.get(1) is None
    store.close()


def test_a_server_that_is_gone_is_told_as_such() -> None:
    """The application answers it with 503."""
    with pytest.raises(UnavailableError):
        SharedTaskStore("postgresql:///nothing?host=/nowhere")

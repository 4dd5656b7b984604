"""The table of events: complete, well-formed, and the same as its page in the docs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import garrison
from garrison.audit.codes import CODES, OTHER, REFUSED, Code, code_of, page, refused
from garrison.model.http.refusal import REFUSALS

ROOT = Path(__file__).parents[2]
CATEGORIES = {
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user"},
    "authentication": {"end", "info", "start"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "process": {"access", "change", "end", "info", "start"},
    "session": {"end", "info", "start"},
}
"""What ECS expects together."""

ACTIVITIES = {3002: 7, 3003: 3, 3004: 13, 3007: 17, 6003: 4}
"""Highest activity of each class of OCSF 1.9.0, besides 99."""


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_every_row_is_well_formed(code: Code) -> None:
    """Severity, class, activity, category and type are ones there are."""
    kind, activity = code.ocsf

    assert code.severity in {"info", "warning", "critical"}
    assert activity == 99 or 1 <= activity <= ACTIVITIES[kind]
    assert code.ecs[1] in CATEGORIES[code.ecs[0]]
    assert code.text.endswith(".")
    ours = code.name.startswith(("key_", "signing_", "policy_", "secret_", "audit_", "address_"))
    assert code.owasp is not (ours or code.name in {"authn_fail", "authn_logout", "login_spraying"})


def test_every_refusal_has_its_event() -> None:
    """And none is named that there is not."""
    assert set(REFUSED) <= set(REFUSALS)
    assert all(refused(code).name in CODES for code in REFUSALS)
    assert refused("scope_missing").name == "authz_fail"
    assert refused("body_invalid").name == "input_validation_fail"


def test_an_unknown_code_is_something_else() -> None:
    """An application's own event is exported all the same."""
    assert code_of("shop_order_shipped") is OTHER


def test_classes_are_those_of_ocsf() -> None:
    """A collector sorts by these numbers: a login in no class is a login that no rule sees."""
    written = {
        name: CODES[name].ocsf for name in ("authn_login_success", "session_created", "key_created", "user_created")
    }

    assert written == {
        "authn_login_success": (3002, 1),
        "session_created": (3003, 1),
        "key_created": (3004, 1),
        "user_created": (3007, 1),
    }
    assert OTHER.ocsf == (6003, 99)


def test_every_code_that_the_source_writes_is_in_the_table() -> None:
    """`Event(code="…")`, `event("…", …)` and changes of keys."""
    source = Path(garrison.__file__).parent
    written = {
        (str(path.relative_to(source)), name)
        for path in source.rglob("*.py")
        if path.parent.name != "testing"
        for name in _codes(ast.parse(path.read_text("utf-8")))
    }

    assert len(written) > 15
    assert sorted(entry for entry in written if entry[1] not in CODES) == []


def _codes(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name == "Event":
                found |= {text for keyword in node.keywords if keyword.arg == "code" for text in _texts(keyword.value)}
            elif name in {"event", "_event"} and node.args:
                found |= _texts(node.args[0])
            elif name == "Change" and len(node.args) > 1:
                found |= _texts(node.args[1])
    return found


def _texts(node: ast.expr) -> set[str]:
    """The literals an expression can give: of a constant, and of both sides of a choice."""
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_the_page_of_the_docs_is_the_table() -> None:
    """Write it anew with: python -m tests.audit.test_codes."""
    assert (ROOT / "docs" / "reference" / "events.md").read_text("utf-8") == page()


if __name__ == "__main__":
    (ROOT / "docs" / "reference" / "events.md").write_text(page(), "utf-8")

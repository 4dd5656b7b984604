"""Write the policy into an OpenAPI document: which credentials, which scopes, which refusals."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec

from garrison.model.http.refusal import REFUSALS

if TYPE_CHECKING:
    from garrison.policy.plan import Plan, Plans

__all__ = ["describe"]

_NAME = {"type": "string", "pattern": "^[0-9A-Za-z]{1,64}$"}
"""Names of records are base62; a path with anything else in it may be ambiguous."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "correlation"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; for programs."},
        "correlation": {"type": "string", "description": "Finds the reason in the audit journal."},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Every bad field."},
    },
}


def describe(document: dict[str, Any], plans: Plans) -> dict[str, Any]:
    """Give a copy of the document that tells what the guard demands and how it refuses.

    Args:
        document: OpenAPI 3.1, as the framework wrote it.
        plans: The policy in force.
    """
    told = deepcopy(document)
    components = told.setdefault("components", {})
    components["securitySchemes"] = {**components.get("securitySchemes", {}), **_schemes(plans)}
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    paths = told.setdefault("paths", {})
    for plan in plans.listed:
        for method in plan.route.partition(" ")[0].lower().split("|"):
            if method not in _METHODS:
                continue
            if plan.endpoint is not None:
                paths.setdefault(plan.template, {})[method] = _operation(plan, components, plans)
            operation = paths.get(_without_converters(plan.template), {}).get(method)
            if operation is not None:
                _demand(operation, plan)
    return told


def _schemes(plans: Plans) -> dict[str, Any]:
    """Describe the credentials (OpenAPI 3.1 section 4.8.27)."""
    header = plans.policy.keys.header
    return {
        "key": {"type": "apiKey", "in": "header", "name": header, "description": "An API key."},
        "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token."},
    }


def _demand(operation: dict[str, Any], plan: Plan) -> None:
    """Add what the route demands, and the refusals that follow from it."""
    refusals = ["limit_exceeded"] if plan.before or plan.after else []
    if not plan.public:
        scopes = list(plan.scopes)
        operation["security"] = (
            [dict.fromkeys(plan.credentials, scopes)]
            if plan.all_credentials
            else [{name: scopes} for name in plan.credentials]
        )
        refusals += ["credential_missing", "scope_missing"]
    else:
        operation["security"] = []
    if plan.own:
        refusals.append("not_found")
    if operation.get("parameters"):
        refusals.append("path_ambiguous")
    if "requestBody" in operation:
        refusals += ["body_malformed", "body_type", "body_too_large"]
    responses = operation.setdefault("responses", {})
    if "422" in responses:
        (place, *_) = ["body"] * ("requestBody" in operation) or [each["in"] for each in operation["parameters"]]
        responses["422"] = _answer(f"{place.replace('cookie', 'header')}_invalid")
    for code in refusals:
        responses.setdefault(str(REFUSALS[code].status), _answer(code))


def _answer(code: str) -> dict[str, Any]:
    """Describe one refusal, with an example."""
    status, title, detail = REFUSALS[code]
    example = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "correlation": "5f3a9c1e-1",
    }
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    described: dict[str, Any] = {"description": title, "content": content}
    if status in {429, 503}:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        described["headers"] = {"Retry-After": seconds}
    return described


def _operation(plan: Plan, components: dict[str, Any], plans: Plans) -> dict[str, Any]:
    """Describe an endpoint of Garrison's own."""
    assert plan.endpoint is not None  # noqa: S101  # the caller has looked
    endpoint = plan.endpoint.endpoint
    operation: dict[str, Any] = {
        "operationId": f"garrison_{endpoint.name}",
        "summary": (endpoint.run.__doc__ or endpoint.name).partition("\n")[0],
        "tags": ["accounts"],
        "responses": {str(endpoint.status): {"description": "Done."}},
    }
    names = [part[1:-1].partition(":")[0] for part in plan.template.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": _NAME} for name in names]
    parameters += [{"name": name, "in": "query", "required": False, "schema": _NAME} for name in endpoint.query]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.query:
        operation["responses"]["422"] = _answer("query_invalid")
    if endpoint.body is not None:
        (schema,), found = msgspec.json.schema_components([endpoint.body], ref_template="#/components/schemas/{name}")
        components["schemas"] |= found
        schema = _registration(plans) if endpoint.name == "register" else schema
        operation["requestBody"] = {
            "required": not endpoint.bodiless,
            "content": {"application/json": {"schema": schema}},
        }
        operation["responses"]["422"] = _answer("body_invalid")
    for code in endpoint.refusals:
        operation["responses"][str(REFUSALS[code].status)] = _answer(code)
    return operation


def _registration(plans: Plans) -> dict[str, Any]:
    """Describe the body of a registration; block lists and taken names cannot be said in JSON Schema."""
    accounts = plans.policy.accounts
    assert accounts is not None  # noqa: S101  # else there is no such endpoint
    shortest, longest = accounts.username_length
    username = {"pattern": f"^{accounts.username}+$", "minLength": shortest, "maxLength": longest}
    return {
        "type": "object",
        "required": ["username", "email", "password"],
        "properties": {
            "username": {"type": "string", **username},
            "email": {"type": "string", "format": "email", "maxLength": 254},
            "password": {"type": "string", "minLength": accounts.password_length, "maxLength": 256},
        },
        "additionalProperties": False,
    }


def _without_converters(template: str) -> str:
    """OpenAPI names parameters only: `{id:int}` is `{id}` there."""
    parts = [
        part.partition(":")[0] + "}" if part.startswith("{") and ":" in part else part for part in template.split("/")
    ]
    return "/".join(parts)

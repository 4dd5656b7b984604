"""The policy file as JSON Schema, so that editors complete names, show help and underline mistakes."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from importlib import import_module
from typing import Any

import msgspec
from msgspec import inspect as kinds

from garrison.policy.notation import NOTATIONS
from garrison.policy.schema import Environment, Policy

__all__ = ["editor_schema", "field_docs", "structs"]

_MODULES = ("abuse", "routes", "identity", "service")


def editor_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of `garrison.toml`, descriptions and examples included."""
    defs = {struct.cls.__name__: _object(struct) for struct in structs()}
    whole = defs.pop("Policy")
    # The environment is set from outside, and each has a table of its own.
    del whole["properties"]["environment"]
    overlay = {
        **whole,
        "description": "What is laid over the rest in this environment.",
        "properties": dict(whole["properties"]),
    }
    names = msgspec.json.schema(Environment)["enum"]
    whole["properties"]["environments"] = {
        "type": "object",
        "description": "Tables laid over the rest, by environment.",
        "properties": {name: {"$ref": "#/$defs/Overlay"} for name in sorted(names)},
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "garrison.toml",
        **whole,
        "$defs": {**defs, "Overlay": overlay},
    }


@cache
def field_docs() -> dict[str, dict[str, str]]:
    """Read what stands under each field of each struct: `field_docs()["Route"]["own"]`; `""` is the struct itself."""
    docs: dict[str, dict[str, str]] = {}
    for name in _MODULES:
        source = inspect.getsource(import_module(f"garrison.policy.schema.{name}"))
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                docs[node.name] = {"": ast.get_docstring(node) or "", **_documented(node)}
    # Defaults are a Route, field by field.
    docs["Defaults"] = {**docs["Route"], **docs["Defaults"]}
    return docs


def _documented(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, text in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = inspect.cleandoc(ast.literal_eval(text.value))
    return found


def structs() -> tuple[kinds.StructType, ...]:
    """List the structs of a policy, the outermost first, each once."""
    found: dict[type, kinds.StructType] = {}
    waiting: list[Any] = [kinds.type_info(Policy)]
    for part in waiting:
        if isinstance(part, kinds.StructType):
            if part.cls not in found:
                found[part.cls] = part
                waiting += [field.type for field in part.fields]
        else:
            waiting += _inside(part)
    return tuple(found.values())


def _inside(part: Any) -> tuple[Any, ...]:
    if isinstance(part, kinds.UnionType):
        return part.types
    if isinstance(part, kinds.DictType):
        return (part.value_type,)
    return ()


def _object(struct: kinds.StructType) -> dict[str, Any]:
    docs = field_docs()[struct.cls.__name__]
    properties = {}
    for field in struct.fields:
        properties[field.name] = {**_schema(field.type), **_help(docs.get(field.name, ""), field)}
    required = [field.name for field in struct.fields if field.required]
    whole = {
        "type": "object",
        "description": docs[""],
        "properties": properties,
        "additionalProperties": False,
    }
    return {**whole, "required": required} if required else whole


def _help(text: str, field: kinds.Field) -> dict[str, Any]:
    told: dict[str, Any] = {"description": text} if text else {}
    # "" and None stand for what is left out; showing them would suggest to write them.
    if field.default not in (msgspec.NODEFAULT, None, "") and isinstance(field.default, (str, int, tuple)):
        told["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return told


def _schema(part: Any) -> dict[str, Any]:
    """Write one type of a field; the types are those of `garrison.policy.schema`."""
    match part:
        case kinds.Metadata():
            notation = NOTATIONS[(part.extra or {})["notation"]]
            return {**_schema(part.type), "examples": [ast.literal_eval(notation.example)]}
        case kinds.StructType():
            return {"$ref": f"#/$defs/{part.cls.__name__}"}
        case kinds.UnionType():
            members = [_schema(member) for member in part.types if not isinstance(member, kinds.NoneType)]
            return members[0] if len(members) == 1 else {"anyOf": members}
        case kinds.DictType():
            return {"type": "object", "additionalProperties": _schema(part.value_type), **_names(part.key_type)}
        case kinds.VarTupleType():
            return {"type": "array", "items": _schema(part.item_type)}
        case kinds.TupleType():
            items = [_schema(item) for item in part.item_types]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        case kinds.LiteralType():
            return {"enum": list(part.values)}
        case kinds.IntType():
            bounds = {"minimum": part.ge, "maximum": part.le}
            return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
        case kinds.BoolType():
            return {"type": "boolean"}
    return {"type": "string", **({"pattern": part.pattern.replace(r"\Z", "$")} if part.pattern else {})}


def _names(part: Any) -> dict[str, Any]:
    """What the keys of a dictionary must be."""
    named = _schema(part)
    return {"propertyNames": named} if "pattern" in named else {}

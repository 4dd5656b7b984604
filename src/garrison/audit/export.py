"""Writes events for other systems: JSON lines, OCSF 1.9.0, Elastic Common Schema.

JSON lines hold each event byte for byte with its link, so that a copy can be proved like the journal itself.
The other two are translations: what has no place of its own there goes under `unmapped` or `garrison`.

Text stays JSON text in every form: no event can break a line or forge a field.

Sources: OCSF 1.9.0 (metadata, user, api, network_endpoint, base_event); ECS 8.17 (base, event, source, user).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from garrison.audit.codes import API, ENTITY, SESSION, code_of
from garrison.errors import UsageError
from garrison.stores.protocols import Sealed
from garrison.stores.sealing import event_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.model.event import Event

__all__ = ["ECS_VERSION", "FORMS", "OCSF_VERSION", "line", "read_line"]

OCSF_VERSION = "1.9.0"
ECS_VERSION = "8.17.0"
_SEVERITY = {"info": 1, "warning": 3, "critical": 5}
_LEVEL = {"info": "Informational", "warning": "Medium", "critical": "Critical"}
_STATUS = {"success": 1, "refused": 2, "failed": 2}
_OUTCOME = {"success": "success", "refused": "failure", "failed": "failure"}
_encode = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of JSON lines; the event as it was hashed."""

    writer: str
    sequence: int
    mac: str
    event: msgspec.Raw


def line(sealed: Sealed, form: str = "jsonl") -> bytes:
    """Write one event as one line, with its line feed.

    Args:
        sealed: The event.
        form: One of `FORMS`.

    Raises:
        UsageError: There is no such form.
    """
    write = FORMS.get(form)
    if write is None:
        msg = f"{form!r} is no form of export; use one of {', '.join(FORMS)}"
        raise UsageError(msg)
    return write(sealed) + b"\n"


def read_line(text: bytes) -> Sealed:
    """Read one line of JSON lines back, to prove a copy with `garrison.audit.verify.Proof`.

    Raises:
        msgspec.MsgspecError: It is no such line.
    """
    found = msgspec.json.decode(text, type=_Line)
    body = bytes(found.event)
    return Sealed(sequence=found.sequence, writer=found.writer, event=event_of(body), mac=found.mac, body=body)


def _jsonl(sealed: Sealed) -> bytes:
    return _encode(_Line(writer=sealed.writer, sequence=sealed.sequence, mac=sealed.mac, event=_raw(sealed)))


def _raw(sealed: Sealed) -> msgspec.Raw:
    """Give the event's own bytes, unless somebody put others into the store that would break the line."""
    try:
        if event_of(sealed.body) == sealed.event and b"\n" not in sealed.body:
            return msgspec.Raw(sealed.body)
    except (msgspec.MsgspecError, ValueError):
        pass
    return msgspec.Raw(_encode(sealed.event))


def _ocsf(sealed: Sealed) -> bytes:
    event, code = sealed.event, code_of(sealed.event.code)
    kind, activity = code.ocsf
    written: dict[str, Any] = {
        "activity_id": activity,
        "category_uid": kind // 1000,
        "class_uid": kind,
        "type_uid": kind * 100 + activity,
        "severity_id": _SEVERITY.get(event.severity, 0),
        "severity": _LEVEL.get(event.severity, "Unknown"),
        "status_id": _STATUS.get(event.outcome, 0),
        "status_detail": event.reason or event.outcome,
        "time": event.at // 1000,
        "count": event.count,
        "message": code.text,
        "metadata": _metadata(sealed),
        "src_endpoint": {"ip": event.address} if event.address else {"name": "unknown"},
        "actor": {"user": _user(event.actor)},
        "unmapped": _filled({"subject": event.subject, "route": event.route}) | event.details,
    }
    return _encode(written | _of_class(kind, event))


def _metadata(sealed: Sealed) -> dict[str, Any]:
    event = sealed.event
    return {
        "version": OCSF_VERSION,
        "product": {"name": "Garrison", "vendor_name": "Garrison"},
        "event_code": event.code,
        "uid": f"{sealed.writer}-{sealed.sequence}",
        "sequence": sealed.sequence,
        "log_name": "audit",
    } | _filled({"correlation_uid": event.correlation, "tenant_uid": event.tenant})


def _filled(texts: dict[str, str]) -> dict[str, Any]:
    return {name: text for name, text in texts.items() if text}


def _of_class(kind: int, event: Event) -> dict[str, Any]:
    """Give what a class demands beyond the rest."""
    if kind == API:
        return {"api": {"operation": event.route or event.code}}
    if kind == ENTITY:
        return {"entity": {"name": event.subject or "garrison", "type": event.code.partition("_")[0]}}
    privileges = {"privileges": str(event.details.get("scopes", "")).split()} if kind == SESSION else {}
    # Whom it was done to; at a login that is the one who acts.
    return {"user": _user(event.subject or event.actor), "service": {"name": "garrison"}, **privileges}


def _user(name: str) -> dict[str, Any]:
    """Write a principal; `user:ada` has the type User, `service:…` the type Service."""
    kind = {"user": 1, "service": 4}.get(name.partition(":")[0], 0)
    return {"uid": name or "unknown", "type_id": kind}


def _ecs(sealed: Sealed) -> bytes:
    event, code = sealed.event, code_of(sealed.event.code)
    category, kind = code.ecs
    written: dict[str, Any] = {
        "@timestamp": _timestamp(event.at),
        "ecs": {"version": ECS_VERSION},
        "message": code.text,
        "event": {
            "kind": "alert" if event.severity == "critical" else "event",
            "category": [category],
            "type": [kind],
            "action": event.code,
            "outcome": _OUTCOME.get(event.outcome, "unknown"),
            "reason": event.reason,
            "sequence": sealed.sequence,
            "id": f"{sealed.writer}-{sealed.sequence}",
            "severity": _SEVERITY.get(event.severity, 0),
            "provider": "garrison",
        },
        "log": {"level": event.severity, "logger": "garrison.audit"},
        "garrison": {"subject": event.subject, "route": event.route, "count": event.count, "details": event.details},
    }
    if event.address:
        written["source"] = {"ip": event.address, "address": event.address}
    named = {"user": event.actor, "organization": event.tenant, "trace": event.correlation}
    written |= {name: {"id": id} for name, id in _filled(named).items()}
    return _encode(written)


def _timestamp(at: int) -> str:
    """Write an instant in UTC (RFC 3339); one that is none as the beginning of time."""
    seconds, micro = divmod(at, 1_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{micro:06}Z"
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00.000000Z"


FORMS: dict[str, Callable[[Sealed], bytes]] = {"jsonl": _jsonl, "ocsf": _ocsf, "ecs": _ecs}
"""How an event can be written."""

"""What does strictness cost on a small JSON body, and does a hostile one cost more than its bytes?

Rival: `json.loads` of the standard library, which takes duplicate names, NaN and any depth. The hostile bodies are
as large as the cap of a policy lets them be (1 MiB); the rival's time is that of reading the same number of bytes
of honest JSON, so the ratio says how much an attacker gains by choosing the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.figure import Figure, figure, medians
from garrison.model.http.body import decode
from garrison.policy.body import BodySchema

__all__ = ["figures"]

_TASK = b'{"title":"Write the report","description":"All figures, with sources","status":"pending","priority":3}'
_SCHEMA = {
    "type": "object",
    "required": ["title"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 200},
        "description": {"type": "string", "maxLength": 1000},
        "status": {"enum": ["pending", "in_progress", "completed"]},
        "priority": {"type": "integer", "minimum": 1, "maximum": 5},
    },
}
_MOST = 1 << 20
_HONEST = b"[" + b",".join([_TASK] * (_MOST // len(_TASK))) + b"]"
_HOSTILE = (
    b"[" * _MOST,
    b"{}" * (_MOST // 2),
    b'"' + b'\\"' * (_MOST // 2),
    b'{"a":' * (_MOST // 5),
    b"1" * _MOST,
    b'"' * _MOST,
    b'["a\\u0041",' * (_MOST // 12),
    b"[" + b",".join(b'{"a":%d}' % number for number in range(499)) + b',"' + b":" * _MOST + b'"]',
    b'"' + b":" * (_MOST - 2) + b'"',
)


def figures() -> list[Figure]:
    """Measure; some five seconds."""
    ours, rival = medians(lambda: decode(_TASK), lambda: json.loads(_TASK))
    both, _ = medians(_checked(), lambda: json.loads(_TASK))
    *hostile, honest = medians(*map(_decoding, _HOSTILE), _loading(_HONEST), rounds=9, calls=3)
    return [
        figure("a small JSON body, strictly", ours, rival, bar=1.5),
        figure("the same and its schema", both, rival, bar=2.5),
        figure("the worst hostile body of 1 MiB against an honest one", max(hostile), honest, bar=5),
    ]


def _checked() -> Callable[[], object]:
    schema = BodySchema(json.dumps(_SCHEMA).encode())
    return lambda: schema.errors(decode(_TASK))


def _decoding(data: bytes) -> Callable[[], object]:
    return lambda: decode(data)


def _loading(data: bytes) -> Callable[[], object]:
    return lambda: json.loads(data)

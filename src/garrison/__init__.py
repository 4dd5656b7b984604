"""Garrison guards an API: one policy states who may call what, how often and from where; one guard enforces it.

The names here are loaded on first use, so that importing one of them costs nothing for the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from garrison.model.version import VERSION

if TYPE_CHECKING:
    from garrison.adapters.asgi.middleware import Garrison
    from garrison.adapters.limit import limit
    from garrison.adapters.refused import RefusedError
    from garrison.adapters.wsgi.middleware import GarrisonWSGI
    from garrison.errors import GarrisonError, PolicyError, StoreError
    from garrison.model.principal import Principal
    from garrison.policy.load import load
    from garrison.policy.schema import Policy, Route

__all__ = [
    "Garrison",
    "GarrisonError",
    "GarrisonWSGI",
    "Policy",
    "PolicyError",
    "Principal",
    "RefusedError",
    "Route",
    "StoreError",
    "__version__",
    "limit",
    "load",
]

__version__ = VERSION

_PLACES = {
    "Garrison": "garrison.adapters.asgi.middleware",
    "GarrisonError": "garrison.errors",
    "GarrisonWSGI": "garrison.adapters.wsgi.middleware",
    "Policy": "garrison.policy.schema",
    "PolicyError": "garrison.errors",
    "Principal": "garrison.model.principal",
    "RefusedError": "garrison.adapters.refused",
    "Route": "garrison.policy.schema",
    "StoreError": "garrison.errors",
    "limit": "garrison.adapters.limit",
    "load": "garrison.policy.load",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    place = _PLACES.get(name)
    if place is None:
        msg = f"module 'garrison' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)

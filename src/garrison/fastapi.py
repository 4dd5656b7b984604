"""What a FastAPI application imports from Garrison."""

from __future__ import annotations

from garrison.adapters.fastapi import Garrison, health, principal
from garrison.adapters.limit import limit
from garrison.adapters.refused import RefusedError
from garrison.model.http.refusal import refuse
from garrison.model.principal import Principal

__all__ = ["Garrison", "Principal", "RefusedError", "health", "limit", "principal", "refuse"]

"""What a Starlette application imports from Garrison."""

from __future__ import annotations

from garrison.adapters.limit import limit
from garrison.adapters.refused import RefusedError
from garrison.adapters.starlette import Garrison, principal_of
from garrison.model.http.refusal import refuse
from garrison.model.principal import Principal

__all__ = ["Garrison", "Principal", "RefusedError", "limit", "principal_of", "refuse"]

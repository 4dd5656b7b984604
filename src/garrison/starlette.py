"""What a Starlette application imports from Garrison."""

from __future__ import annotations

from garrison.adapters.limit import limit
from garrison.adapters.refused import RefusedError
from garrison.adapters.starlette import Garrison, principal_of
from garrison.model.principal import Principal
from garrison.model.refusal import refuse

__all__ = ["Garrison", "Principal", "RefusedError", "limit", "principal_of", "refuse"]

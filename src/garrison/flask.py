"""What a Flask application imports from Garrison."""

from __future__ import annotations

from garrison.adapters.flask import Garrison, principal
from garrison.adapters.refused import RefusedError
from garrison.model.http.refusal import refuse
from garrison.model.principal import Principal

__all__ = ["Garrison", "Principal", "RefusedError", "principal", "refuse"]

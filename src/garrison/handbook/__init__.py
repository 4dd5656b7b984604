"""The handbook chapter's classes under its own names, thin over the native packages. Loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garrison.handbook.advanced_rate_limiter import AdvancedRateLimiter
    from garrison.handbook.api_key_manager import APIKeyManager
    from garrison.handbook.cors_manager import (
        CORSManager,
        CORSPolicy,
        CORSSecurityMiddleware,
        development_policy,
        production_policy,
        public_policy,
    )
    from garrison.handbook.ddos_protection import DDoSProtection
    from garrison.handbook.enhanced_cors_manager import EnhancedCORSManager
    from garrison.handbook.jwt_manager import JWTManager, jwt_required
    from garrison.handbook.rate_limiter import RateLimiter
    from garrison.handbook.secure_api_key_validator import SecureAPIKeyValidator
    from garrison.handbook.validation import sanitize_input, validate_input

__all__ = [
    "APIKeyManager",
    "AdvancedRateLimiter",
    "CORSManager",
    "CORSPolicy",
    "CORSSecurityMiddleware",
    "DDoSProtection",
    "EnhancedCORSManager",
    "JWTManager",
    "RateLimiter",
    "SecureAPIKeyValidator",
    "development_policy",
    "jwt_required",
    "production_policy",
    "public_policy",
    "sanitize_input",
    "validate_input",
]

_PLACES = {
    "APIKeyManager": "api_key_manager",
    "AdvancedRateLimiter": "advanced_rate_limiter",
    "CORSManager": "cors_manager",
    "CORSPolicy": "cors_manager",
    "CORSSecurityMiddleware": "cors_manager",
    "DDoSProtection": "ddos_protection",
    "EnhancedCORSManager": "enhanced_cors_manager",
    "JWTManager": "jwt_manager",
    "RateLimiter": "rate_limiter",
    "SecureAPIKeyValidator": "secure_api_key_validator",
    "development_policy": "cors_manager",
    "jwt_required": "jwt_manager",
    "production_policy": "cors_manager",
    "public_policy": "cors_manager",
    "sanitize_input": "validation",
    "validate_input": "validation",
}
"""Name and module of each class; a new one is a line here, above and in `__all__`."""


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    place = _PLACES.get(name)
    if place is None:
        msg = f"module 'garrison.handbook' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"garrison.handbook.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)

"""The chapter's table, row by row: names, parameters and defaults as it writes them; what is ours is keyword-only."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from garrison import handbook
from garrison.handbook.twoway import BothWays

TABLE = {
    1: {
        "APIKeyManager": "()",
        "APIKeyManager.generate_api_key": "(name, expires_days=None, rate_limit=1000, allowed_endpoints=None)",
        "APIKeyManager.validate_api_key": "(key)",
        "APIKeyManager.revoke_api_key": "(key_id)",
        "APIKeyManager.track_usage": "(key_id, endpoint)",
        "APIKeyManager.check_rate_limit": "(key_id)",
    },
    2: {
        "SecureAPIKeyValidator": "()",
        "SecureAPIKeyValidator.validate_with_security_checks": "(api_key, client_ip, endpoint)",
    },
    3: {
        "JWTManager": "(secret_key, algorithm='HS256')",
        "JWTManager.generate_token": "(user_id, permissions, expires_hours=24)",
        "JWTManager.validate_token": "(token)",
        "JWTManager.revoke_token": "(token)",
        "JWTManager.refresh_token": "(token)",
        "jwt_required": "(permissions_required=None)",
    },
    5: {
        "RateLimiter": "()",
        "RateLimiter.create_rate_limit": "(identifier, requests_per_second, burst_capacity=None)",
        "RateLimiter.is_allowed": "(identifier, tokens_requested=1)",
        "RateLimiter.sliding_window_check": "(identifier, window_seconds=3600, max_requests=1000)",
    },
    6: {
        "DDoSProtection": "()",
        "DDoSProtection.analyze_request_pattern": "(ip_address, endpoint, user_agent)",
    },
    9: {
        "CORSPolicy": "(allowed_origins, allowed_methods, allowed_headers, exposed_headers, allow_credentials,"
        " max_age)",
        "CORSManager": "()",
        "CORSManager.add_policy": "(name, policy)",
        "CORSManager.set_default_policy": "(policy)",
        "CORSManager.create_secure_policy": "(allowed_origins, allow_credentials=False)",
        "CORSManager.handle_preflight_request": "(origin, method, headers, policy_name=None)",
        "CORSManager.handle_actual_request": "(origin, policy_name=None)",
        "CORSSecurityMiddleware": "(cors_manager)",
        "CORSSecurityMiddleware.process_request": "(request, policy_name=None)",
        "development_policy": "()",
        "production_policy": "(allowed_origins)",
        "public_policy": "()",
    },
    13: {
        "AdvancedRateLimiter": "()",
        "AdvancedRateLimiter.set_rate_limit": "(identifier, limit, window)",
        "AdvancedRateLimiter.check_rate_limit": "(identifier)",
        "AdvancedRateLimiter.reset_rate_limit": "(identifier)",
        "AdvancedRateLimiter.get_rate_limit_status": "(identifier)",
    },
    14: {
        "EnhancedCORSManager": "()",
        "EnhancedCORSManager.create_policy": "(name, config)",
        "EnhancedCORSManager.validate_origin": "(origin, policy)",
        "EnhancedCORSManager.handle_preflight": "(request_data)",
        "EnhancedCORSManager.update_policy": "(name, updates)",
    },
    17: {"validate_input": "(data, rules)", "sanitize_input": "(data)"},
}
"""Every call of every built row; names of parameters that the chapter leaves open are ours."""

CALLS = [(name, signature) for row in TABLE.values() for name, signature in row.items()]


def _found(name: str) -> Any:
    owner, _, method = name.partition(".")
    found = getattr(handbook, owner)
    return inspect.getattr_static(found, method) if method else found


def _parameters(name: str) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(_found(name)).parameters.values())
    return parameters[1:] if "." in name else parameters


@pytest.mark.parametrize(("name", "signature"), CALLS)
def test_a_call_is_written_as_in_the_chapter(name: str, signature: str) -> None:
    chapters = [each for each in _parameters(name) if each.kind is not each.KEYWORD_ONLY]
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in chapters]

    assert str(inspect.Signature(bare)) == signature
    assert {each.kind for each in chapters} <= {inspect.Parameter.POSITIONAL_OR_KEYWORD}


@pytest.mark.parametrize("name", [name for name, _ in CALLS])
def test_what_is_ours_can_be_left_out(name: str) -> None:
    ours = [each for each in _parameters(name) if each.kind is inspect.Parameter.KEYWORD_ONLY]

    assert [each.name for each in ours if each.default is each.empty] == []


@pytest.mark.parametrize("name", [name for name, _ in CALLS if "." in name])
def test_every_method_is_called_at_once_or_awaited(name: str) -> None:
    """One coroutine behind both ways."""
    assert isinstance(_found(name), BothWays)


def test_nothing_of_the_package_is_left_out_of_the_table() -> None:
    """A class without a row would have a signature that nobody compares."""
    assert {name.partition(".")[0] for name, _ in CALLS} == set(handbook.__all__)

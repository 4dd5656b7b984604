"""Odd arguments: what callers send is refused in the chapter's way, what a programmer writes is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, Union

import pytest

from garrison.errors import GarrisonError, UsageError
from garrison.handbook import (
    AdvancedRateLimiter,
    APIKeyManager,
    CORSManager,
    CORSPolicy,
    CORSSecurityMiddleware,
    EnhancedCORSManager,
    JWTManager,
    RateLimiter,
    SecureAPIKeyValidator,
    jwt_required,
    production_policy,
    sanitize_input,
    validate_input,
)
from garrison.handbook.arguments import checked, fits, otherwise
from garrison.handbook.cors_manager import MALFORMED

APP = "https://app.example.com"
HALF = "\ud800"
ODD: list[Any] = [
    *(None, True, 0, 7, -1, 10**30, 1.5, float("nan"), float("inf")),
    *("", "a\0b", HALF, "ä" * 5, "x" * 100_000, "*", "null", "/x{", "admin", APP),
    *(b"", b"bytes", b"\xff", object(), len, (), [], {}, [None], [b"x"], [HALF], ["x"], {"a": 1}, {1: 2}),
    *({"origin": 5}, {"origin": APP, "method": 5}, {"origin": APP, "method": "GET", "headers": 5}),
    *({"headers": {"Origin": 5}}, {"headers": [("a", "b")]}, {"headers": {"Cookie": None}}, {"headers": 5}),
    *({"allowed_origins": 5}, {"allowed_origins": [APP], "max_age": -1}, {"environments": 5}),
]
NOT_TEXT: list[Any] = [None, True, 7, -1, 1.5, b"bytes", object(), ["x"], {"a": 1}, HALF]


class Chapter:
    """One of each class, with something in it."""

    def __init__(self) -> None:
        self.keys = APIKeyManager()
        self.id, self.key = self.keys.generate_api_key("reports")
        self.validator = SecureAPIKeyValidator(manager=self.keys)
        self.tokens = JWTManager("a secret of thirty-two bytes and more")
        self.token = self.tokens.generate_token("ada", ["tasks:read"])
        self.rates, self.limits = RateLimiter(), AdvancedRateLimiter()
        self.cors, self.enhanced = CORSManager(), EnhancedCORSManager()
        self.cors.add_policy("web", production_policy([APP]))
        self.enhanced.create_policy("web", {"allowed_origins": [APP]})
        self.middleware = CORSSecurityMiddleware(self.cors)

    def calls(self) -> dict[str, tuple[Callable[..., Any], list[Any]]]:
        """Every call of rows 1, 2, 3, 5, 9, 13, 14 and 17, with arguments that are right."""
        return {
            "generate_api_key": (self.keys.generate_api_key, ["reports", 1, 5, ["/x"]]),
            "validate_api_key": (self.keys.validate_api_key, [self.key]),
            "revoke_api_key": (self.keys.revoke_api_key, [self.id]),
            "track_usage": (self.keys.track_usage, [self.id, "/x"]),
            "check_rate_limit": (self.keys.check_rate_limit, [self.id]),
            "validate": (self.validator.validate_with_security_checks, [self.key, "192.0.2.1", "/x"]),
            "JWTManager": (JWTManager, ["a secret of thirty-two bytes and more", "HS256"]),
            "generate_token": (self.tokens.generate_token, ["ada", ["tasks:read"], 1]),
            "validate_token": (self.tokens.validate_token, [self.token]),
            "revoke_token": (self.tokens.revoke_token, [self.token]),
            "refresh_token": (self.tokens.refresh_token, [self.token]),
            "jwt_required": (jwt_required, [["tasks:read"]]),
            "create_rate_limit": (self.rates.create_rate_limit, ["ada", 1, 2]),
            "is_allowed": (self.rates.is_allowed, ["ada", 1]),
            "sliding_window_check": (self.rates.sliding_window_check, ["ada", 60, 5]),
            "CORSPolicy": (self.policy, [[APP], ["GET"], ["x-a"], ["x-b"], True, 5]),
            "add_policy": (self.cors.add_policy, ["other", production_policy([APP])]),
            "set_default_policy": (self.cors.set_default_policy, ["web"]),
            "create_secure_policy": (self.cors.create_secure_policy, [[APP], False]),
            "handle_preflight_request": (self.cors.handle_preflight_request, [APP, "GET", ["x-a"], "web"]),
            "handle_actual_request": (self.cors.handle_actual_request, [APP, "web"]),
            "CORSSecurityMiddleware": (CORSSecurityMiddleware, [self.cors]),
            "process_request": (self.middleware.process_request, [{"method": "GET", "headers": {}}, "web"]),
            "set_rate_limit": (self.limits.set_rate_limit, ["ada", 5, 60]),
            "check": (self.limits.check_rate_limit, ["ada"]),
            "reset_rate_limit": (self.limits.reset_rate_limit, ["ada"]),
            "get_rate_limit_status": (self.limits.get_rate_limit_status, ["ada"]),
            "AdvancedRateLimiter": (self.advanced, ["token_bucket", (5, 60)]),
            "create_policy": (self.enhanced.create_policy, ["other", {"allowed_origins": [APP]}]),
            "update_policy": (self.enhanced.update_policy, ["web", {"max_age": 5}]),
            "validate_origin": (self.enhanced.validate_origin, [APP, "web"]),
            "handle_preflight": (self.enhanced.handle_preflight, [{"origin": APP, "method": "GET", "policy": "web"}]),
            "find_problems": (self.enhanced.find_problems, [{}]),
            "preview_update": (self.enhanced.preview_update, ["web", {"max_age": 5}]),
            "explain_request": (self.enhanced.explain_request, [APP, "web", "GET", ["x-a"]]),
            "EnhancedCORSManager": (self.worker, ["staging"]),
            "validate_input": (validate_input, [{"a": "x"}, {"a": {"type": str, "min_length": 1}}]),
            "sanitize_input": (sanitize_input, ["x"]),
        }

    def policy(self, *fields: Any) -> None:
        self.cors.add_policy("made", CORSPolicy(*fields))

    @staticmethod
    def advanced(strategy: Any, default: Any) -> AdvancedRateLimiter:
        return AdvancedRateLimiter(strategy=strategy, default=default)

    @staticmethod
    def worker(environment: Any) -> EnhancedCORSManager:
        return EnhancedCORSManager(environment=environment)


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    """All of them, for the whole table."""
    return Chapter()


@pytest.mark.parametrize("name", Chapter().calls())
def test_nothing_but_our_own_errors_comes_out_whatever_goes_in(chapter: Chapter, name: str) -> None:
    call, right = chapter.calls()[name]

    for place in range(len(right)):
        for odd in ODD:
            with suppress(GarrisonError):
                call(*right[:place], odd, *right[place + 1 :])


REFUSED: list[tuple[str, int, Any]] = [
    ("validate_api_key", 0, None),
    ("revoke_api_key", 0, False),
    ("track_usage", 0, False),
    ("track_usage", 1, False),
    ("check_rate_limit", 0, False),
    ("validate", 0, {"valid": False, "reason": "invalid", "retry_after": 0, "key_info": None}),
    ("validate_token", 0, None),
    ("revoke_token", 0, False),
    ("refresh_token", 0, None),
    ("handle_preflight_request", 1, MALFORMED),
    ("validate_origin", 0, False),
    ("create_policy", 1, False),
    ("update_policy", 1, False),
]


@pytest.mark.parametrize(("name", "place", "answer"), REFUSED)
@pytest.mark.parametrize("odd", NOT_TEXT, ids=lambda odd: type(odd).__name__)
def test_what_callers_send_is_refused_as_a_wrong_one_is(
    chapter: Chapter, name: str, place: int, answer: object, odd: object
) -> None:
    """An API hands it on as it came; a number for a key is no reason for a 500."""
    call, right = chapter.calls()[name]
    arguments = [*right[:place], odd, *right[place + 1 :]]

    assert call(*arguments) == answer
    assert asyncio.run(call.aio(*arguments)) == answer  # type: ignore[attr-defined]  # all of them are called both ways


NAMED = [
    ("generate_api_key", 3, "/reports", "allowed_endpoints"),
    ("generate_api_key", 0, None, "name"),
    ("generate_api_key", 1, "7", "expires_days"),
    ("generate_api_key", 1, -1, "expires_in"),
    ("generate_api_key", 2, True, "rate_limit"),
    ("generate_api_key", 2, -5, "limits"),
    ("JWTManager", 0, None, "secret_key"),
    ("JWTManager", 1, None, "algorithm"),
    ("generate_token", 0, 7, "user_id"),
    ("generate_token", 1, "admin", "permissions"),
    ("generate_token", 1, [7], "permissions"),
    ("generate_token", 2, 1.5, "expires_hours"),
    ("generate_token", 2, -1, "at least an hour"),
    ("jwt_required", 0, "admin", "permissions_required"),
    ("create_rate_limit", 0, None, "identifier"),
    ("create_rate_limit", 1, -1, "rate"),
    ("create_rate_limit", 2, "5", "burst_capacity"),
    ("is_allowed", 1, -1, "cost"),
    ("is_allowed", 0, b"ada", "identifier"),
    ("sliding_window_check", 2, -1, "limit"),
    ("add_policy", 1, {"allowed_origins": [APP]}, "policy"),
    ("create_secure_policy", 0, APP, "allowed_origins"),
    ("CORSSecurityMiddleware", 0, None, "cors_manager"),
    ("set_rate_limit", 1, "5", "limit"),
    ("set_rate_limit", 2, -60, "window"),
    ("AdvancedRateLimiter", 0, "tocken_bucket", "strategy"),
    ("AdvancedRateLimiter", 1, [5, 60], "default"),
    ("EnhancedCORSManager", 0, "prod", "environment"),
    ("explain_request", 3, "x-a", "headers"),
    ("validate_input", 1, {"a": {"min_lenght": 3}}, "min_lenght"),
    ("validate_input", 1, {"a": {"min_length": "3"}}, "min_length"),
    ("validate_input", 1, {"a": {"pattern": "("}}, "pattern"),
    ("validate_input", 1, {"a": {"type": "str"}}, "type"),
    ("validate_input", 1, {"a": {"type": (str, "int")}}, "type"),
    ("validate_input", 1, {"a": 3}, "rules"),
    ("sanitize_input", 0, b"<b>", "bytes"),
]


@pytest.mark.parametrize(("name", "place", "odd", "told"), NAMED)
def test_a_programmers_slip_is_named(chapter: Chapter, name: str, place: int, odd: object, told: str) -> None:
    """`generate_token("ada", "admin")` granted one permission for each letter; `environment="prod"` was not strict."""
    call, right = chapter.calls()[name]

    with pytest.raises(UsageError, match=told):
        call(*right[:place], odd, *right[place + 1 :])


def test_a_page_that_sends_no_text_gets_no_headers(chapter: Chapter) -> None:
    for sent in ({"Origin": 5}, {"Cookie": b"a"}, [("Origin", APP)], 7, {5: "a"}):
        assert chapter.middleware.process_request({"method": "POST", "headers": sent}, "web") == MALFORMED
    assert chapter.cors.handle_actual_request(b"x", "web") == MALFORMED | {"status_code": None}  # type: ignore[arg-type]  # what the test is about
    assert chapter.enhanced.handle_preflight({"origin": 5, "policy": "web"}) == MALFORMED


def test_an_answer_is_each_callers_own(chapter: Chapter) -> None:
    answer = chapter.enhanced.handle_preflight({"origin": 5, "policy": "web"})
    answer["headers"]["Access-Control-Allow-Origin"] = "*"

    assert chapter.enhanced.handle_preflight({"origin": 5, "policy": "web"})["headers"] == {}


def test_a_body_that_is_no_table_has_one_mistake() -> None:
    bodies: list[object] = [None, [], "x", 7]

    for body in bodies:
        assert validate_input(body, {"a": {"required": True}}) == (False, ["data must be a table of fields"])


def test_a_length_is_demanded_of_what_has_none() -> None:
    """Else a number passes where a text of three letters was wanted."""
    assert validate_input({"a": 7}, {"a": {"min_length": 3}}) == (False, ["a has no length"])
    assert validate_input({"a": 7}, {"a": {"max_length": 3}}) == (False, ["a has no length"])


def test_markup_in_a_tuple_is_encoded_too() -> None:
    assert sanitize_input(("<b>", 7)) == ["&lt;b&gt;", 7]


def test_a_token_in_a_field_that_is_no_text_is_none(chapter: Chapter) -> None:
    @jwt_required(manager=chapter.tokens, headers=lambda: {"Authorization": 7})  # type: ignore[dict-item]  # what the test is about
    def shown(current_user: dict[str, Any]) -> None:
        """Show nothing."""

    assert shown()[1] == 401


@pytest.mark.parametrize(
    ("value", "wanted", "fitting"),
    [
        ("a", str, True),
        (HALF, str, False),
        (b"a", str, False),
        (7, int, True),
        (True, int, False),
        (7, float, True),
        (True, float, False),
        (True, bool, True),
        (None, type(None), True),
        (None, str | None, True),
        (7, Union[str, None], False),  # noqa: UP007  # what `typing` makes of older annotations
        ("a", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        (["a"], Sequence[str], True),
        (("a", 7), Sequence[str], False),
        ("abc", Sequence[str], False),
        (b"abc", Iterable[int], False),
        ({"a": 1}, Iterable[str], False),
        ({"a"}, Iterable[str], True),
        (iter("abc"), Iterable[str], True),
        ({"a": 7}, Mapping[str, int], True),
        ({"a": "b"}, Mapping[str, int], False),
        ({7: 7}, Mapping[str, int], False),
        ((1, 2), tuple[int, int], True),
        ((1, 2, 3), tuple[int, int], False),
        ((1, 2, 3), tuple[int, ...], True),
        ((1, "a"), tuple[int, ...], False),
        ([1, 2], tuple[int, int], False),
        (len, Callable[..., Any], True),
        (7, Callable[..., Any], False),
        (object(), Any, True),
    ],
)
def test_a_value_fits_what_its_annotation_says(value: object, wanted: Any, *, fitting: bool) -> None:
    assert fits(value, wanted) is fitting


def test_too_many_and_too_few_arguments_stay_pythons_own_error() -> None:
    @checked
    def strict(one: str) -> str:
        return one

    @otherwise(None)
    def lenient(one: str) -> str:
        return one

    for call in (strict, lenient):
        with pytest.raises(TypeError):
            call()  # type: ignore[call-arg]  # what the test is about
        with pytest.raises(TypeError):
            call("a", "b")  # type: ignore[call-arg]  # what the test is about


def test_the_message_never_shows_the_value() -> None:
    """It may be a secret that was given in the wrong place."""
    with pytest.raises(UsageError) as refused:
        JWTManager(["my-secret"])  # type: ignore[arg-type]  # what the test is about

    assert "my-secret" not in str(refused.value)

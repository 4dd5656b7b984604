"""Security header fields by profile, and the one pass that finishes the head of every answer."""

from __future__ import annotations

from garrison.headers.families import CLEAR_SITE_DATA
from garrison.headers.finish import Ending, ending, finish, text_ending
from garrison.headers.profile import HeadersPolicy, SecurityHeaders, check, compile_headers

__all__ = [
    "CLEAR_SITE_DATA",
    "Ending",
    "HeadersPolicy",
    "SecurityHeaders",
    "check",
    "compile_headers",
    "ending",
    "finish",
    "text_ending",
]

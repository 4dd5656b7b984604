"""Cross-origin requests: who may read the answers, who may write, and why the browser says no.

Usable alone: `app = CorsMiddleware(app, CorsPolicy(origins=("https://app.example.com",)))`.
"""

from __future__ import annotations

from garrison.cors.advice import Surroundings, advise
from garrison.cors.answer import Cors, Preflight, compile_cors, joined
from garrison.cors.explain import Explanation, explain
from garrison.cors.live import Change, LiveCors, compare
from garrison.cors.middleware import CorsMiddleware, CorsWSGI
from garrison.cors.rules import CorsPolicy, check
from garrison.cors.site import Served, compile_served, cross_site_write, foreign_handshake, is_ambient

__all__ = [
    "Change",
    "Cors",
    "CorsMiddleware",
    "CorsPolicy",
    "CorsWSGI",
    "Explanation",
    "LiveCors",
    "Preflight",
    "Served",
    "Surroundings",
    "advise",
    "check",
    "compare",
    "compile_cors",
    "compile_served",
    "cross_site_write",
    "explain",
    "foreign_handshake",
    "is_ambient",
    "joined",
]

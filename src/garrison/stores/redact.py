"""Nothing secret and nothing that forges a line gets into the journal.

Code that makes an event puts public names in it; this is the net below. It cuts out what looks like one of
our keys, a JWT, a credential of an `Authorization` field, a password beside its name, a private key, or any
run of letters and digits too long to be a name; it writes out characters that could break or disguise a line
of a log (ASVS 5.0 V16.4.1, CWE-117); and it bounds every text, so that a caller cannot fill the disk with one.

Every store calls `redact` where an event becomes bytes, so no way into the journal goes around it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from garrison.model.event import Event

__all__ = ["HIDDEN", "LONGEST", "MOST_DETAILS", "clean", "redact"]

HIDDEN = "[redacted]"
"""What stands where a secret stood."""

LONGEST = 512
"""Characters of one text; the rest is cut off."""

MOST_DETAILS = 16
"""Details of one event; the rest is left out."""

_SCANNED = LONGEST * 4
"""Characters that are searched: a secret that crosses the cut must be recognised by more than its beginning."""

_NAMES = (
    r"pass(?:word|wd|phrase|code)?|pwd|(?:client[_-]?)?secret|(?:(?:access|refresh|id|reset|csrf)[_-]?)?token"
    r"|(?:x[_-]?)?(?:api|private|root)[_-]?key|session[_-]?id|code[_-]?verifier|t?otp|pin|credential|pepper|assertion"
)
_WHOLE_LINE = r"(?:proxy[_-]?)?authorization|(?:set[_-]?)?cookie"
_SECRET_NAME = re.compile(rf"(?:.*[._-])?(?:{_NAMES}|{_WHOLE_LINE})", re.IGNORECASE | re.ASCII)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRANDED = re.compile(r"\b([a-z][a-z0-9]{1,9}_[a-z]{2}_[a-z]{3,5}_[0-9A-Za-z]{8,22})_[0-9A-Za-z]{8,}")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*", re.DOTALL), HIDDEN),
    (_BRANDED, rf"\1_{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}", re.ASCII), HIDDEN),
    (re.compile(rf"(?<![a-z])((?:{_WHOLE_LINE})[\"']?[ \t]{{0,4}}[=:])[^\r\n]*", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(basic|bearer|digest|dpop|negotiate)[ \t]+[^\s,;\"']{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(://[^\s/:@]{0,256}):[^\s/@]{1,256}@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            # Without quotes it ends at a space only: a password may hold any other character.
            rf"(?<![a-z])((?:{_NAMES})[\"']?[ \t]{{0,4}}[=:][ \t]{{0,4}})"
            r"(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|\S+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # 40 characters without a break, a digit among them, are 160 bits or more: no name is. A UUID has 36 with breaks.
    (re.compile(r"(?<![\w+])(?=[A-Za-z_+]{0,256}[0-9])[\w+]{40,}={0,2}", re.ASCII), HIDDEN),
    (re.compile(r"(?<![\w+-])(?=[A-Za-z_+-]{0,256}[0-9])[\w+-]{43,}={0,2}", re.ASCII), HIDDEN),
    (re.compile(r"(?<![\w+/])[\w+/]{43,}={1,2}", re.ASCII), HIDDEN),
)


_PLAIN = re.compile(
    r"(?:(?:user|service|key|jwt|session):)?[\w.@{}%*-]{0,39}"
    r"|[0-9a-f:.]{2,39}"
    r"|[A-Z|]{2,40} (?:/[\w.@{}%*-]{0,39}){1,20}",
    re.ASCII,
)
"""Codes, names, addresses and routes: too short and too plain for any rule but the one for JWTs. Ten times faster."""


def clean(text: str) -> str:
    """Make a text fit for the journal: no secret, no control or disguising character, of bounded length."""
    if _PLAIN.fullmatch(text) and "eyJ" not in text:
        return text
    if len(text) > _SCANNED:
        text = text[:_SCANNED]
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    if not text.isprintable():
        text = "".join([letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in text])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def redact(event: Event) -> Event:
    """Give the event as the journal may hold it; the same object when nothing had to change."""
    changes: dict[str, object] = {}
    for name in _TEXTS:
        text = getattr(event, name)
        if text and (cleaned := clean(text)) != text:
            changes[name] = cleaned
    details = {clean(name): _detail(name, value) for name, value in list(event.details.items())[:MOST_DETAILS]}
    if details != event.details:
        changes["details"] = details
    return replace(event, **changes) if changes else event


_TEXTS = (
    "code",
    "actor",
    "subject",
    "outcome",
    "severity",
    "reason",
    "address",
    "route",
    "correlation",
    "tenant",
)


def _detail(name: str, value: str | int | bool) -> str | int | bool:
    if _SECRET_NAME.fullmatch(_CAMEL.sub("_", name)) and not isinstance(value, bool):
        return HIDDEN
    return clean(value) if isinstance(value, str) else value

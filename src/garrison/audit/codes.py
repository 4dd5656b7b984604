"""Every event the journal can hold: one table, from which the docs page and the exports are made.

The words are those of the OWASP logging vocabulary where it has one (cheat sheet "Application Logging
Vocabulary"); ours begin with `key_`, `signing_`, `policy_`, `secret_` or `audit_`.

The classes are those of OCSF 1.9.0. It retired Account Change (3001) and User Access Management (3005) for
User Management (3007), which is therefore what accounts and rights are exported as.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CODES", "OTHER", "REFUSED", "Code", "code_of", "page", "refused"]

AUTHENTICATION, SESSION, ENTITY, USER, API = 3002, 3003, 3004, 3007, 6003
"""Classes of OCSF."""


class Code(NamedTuple):
    """One kind of event."""

    name: str
    """`Event.code`."""

    severity: str
    """What `Event.severity` is unless the event knows better."""

    text: str
    """What happened, for the one who reads the journal."""

    ocsf: tuple[int, int]
    """Class and activity; activity 99 is "other"."""

    ecs: tuple[str, str]
    """`event.category` and `event.type`."""

    owasp: bool
    """Whether the word is OWASP's."""


_TABLE = """\
authn_login_success | info | owasp | 3002/1 | authentication/start | Somebody logged in.
authn_login_successafterfail | info | owasp | 3002/1 | authentication/start | Somebody logged in after failed tries.
authn_login_fail | warning | owasp | 3002/1 | authentication/start | A login was refused.
authn_login_fail_max | warning | owasp | 3002/1 | authentication/start | Too many logins failed.
authn_login_lock | warning | owasp | 3007/6 | iam/change | Logins of an account were stopped.
authn_logout | info | ours | 3002/2 | authentication/end | Somebody logged out.
authn_fail | warning | ours | 3002/99 | authentication/info | A credential was missing or refused.
authn_password_change | info | owasp | 3007/8 | iam/change | A password was changed.
authn_password_change_fail | critical | owasp | 3007/8 | iam/change | A change of password was refused.
authn_impossible_travel | critical | owasp | 3002/99 | authentication/info | One account acted from two distant places.
authn_token_created | info | owasp | 3002/99 | authentication/start | A token was issued.
authn_token_revoked | info | owasp | 3002/99 | authentication/end | Tokens were revoked.
authn_token_reuse | critical | owasp | 3002/99 | authentication/info | A spent token was presented; its family ended.
authn_token_delete | warning | owasp | 3002/99 | authentication/end | A token was deleted.
authz_fail | warning | owasp | 6003/99 | api/denied | Somebody known was refused for lack of a right.
authz_change | warning | owasp | 3007/14 | iam/change | What somebody may do was changed.
authz_admin | warning | owasp | 3007/2 | iam/admin | An administrator acted.
crypt_decrypt_fail | warning | owasp | 6003/99 | intrusion_detection/info | Something sealed could not be opened.
crypt_encrypt_fail | warning | owasp | 6003/99 | intrusion_detection/info | Something could not be sealed.
excess_rate_limit_exceeded | warning | owasp | 6003/99 | api/denied | A limit was spent.
input_validation_fail | warning | owasp | 6003/99 | api/denied | A request or body was malformed.
input_validation_discrete_fail | warning | owasp | 6003/99 | api/denied | A value outside a fixed list was sent.
malicious_excess_404 | warning | owasp | 6003/99 | intrusion_detection/info | Much was asked for that does not exist.
malicious_extraneous | critical | owasp | 6003/99 | intrusion_detection/info | Fields were sent that nothing here takes.
malicious_attack_tool | critical | owasp | 6003/99 | intrusion_detection/info | An attack tool was recognised.
malicious_cors | warning | owasp | 6003/99 | intrusion_detection/denied | A page of another origin was refused.
malicious_direct_reference | critical | owasp | 6003/99 | intrusion_detection/denied | Another's thing was asked for.
privilege_permissions_changed | warning | owasp | 3007/14 | iam/change | The rights on a thing were changed.
sensitive_create | warning | owasp | 6003/1 | api/creation | Sensitive data was created.
sensitive_read | warning | owasp | 6003/2 | api/access | Sensitive data was read.
sensitive_update | warning | owasp | 6003/3 | api/change | Sensitive data was changed.
sensitive_delete | warning | owasp | 6003/4 | api/deletion | Sensitive data was deleted.
sequence_fail | critical | owasp | 6003/99 | intrusion_detection/denied | A step was taken out of its order.
session_created | info | owasp | 3003/1 | session/start | A session began.
session_renewed | info | owasp | 3003/99 | session/info | A session was extended.
session_expired | info | owasp | 3003/99 | session/end | A session ended.
session_use_after_expire | critical | owasp | 3003/99 | session/info | An ended session was presented.
sys_startup | warning | owasp | 3004/10 | process/start | Garrison started.
sys_shutdown | warning | owasp | 3004/11 | process/end | Garrison stopped.
sys_restart | warning | owasp | 3004/10 | process/change | Garrison restarted.
sys_crash | critical | owasp | 3004/99 | process/info | Something failed that must not.
sys_monitor_disabled | critical | owasp | 3004/9 | configuration/change | A protection was switched off.
sys_monitor_enabled | warning | owasp | 3004/8 | configuration/change | A protection was switched on.
user_created | warning | owasp | 3007/1 | iam/creation | An account was made.
user_updated | warning | owasp | 3007/2 | iam/change | An account was changed.
user_archived | warning | owasp | 3007/5 | iam/deletion | An account was put aside.
user_deleted | warning | owasp | 3007/3 | iam/deletion | An account was deleted.
key_created | info | ours | 3004/1 | iam/creation | An API key was made.
key_imported | info | ours | 3004/6 | iam/creation | An API key of another system was taken over.
key_rotated | info | ours | 3004/3 | iam/change | A key got a new secret.
key_secret_dropped | info | ours | 3004/3 | iam/change | An old secret of a key was ended.
key_revoked | warning | ours | 3004/4 | iam/deletion | A key was ended.
key_compromised | critical | ours | 3004/4 | iam/deletion | A key was ended because others may know it.
key_quarantined | warning | ours | 3004/12 | iam/change | A key was restricted under suspicion.
key_released | warning | ours | 3004/13 | iam/change | A key is free of suspicion.
key_canary | critical | ours | 3002/99 | intrusion_detection/info | A key was used that exists only to be stolen.
signing_key_rotated | info | ours | 3004/3 | iam/change | A signing key took over, or was retired.
signing_key_compromised | critical | ours | 3004/4 | iam/deletion | A signing key was ended because others may know it.
secret_rotated | warning | ours | 3004/3 | configuration/change | A root key was replaced.
address_blocked | warning | ours | 6003/99 | intrusion_detection/denied | A network was shut out.
address_unblocked | warning | ours | 6003/99 | intrusion_detection/allowed | A block was lifted.
login_spraying | critical | ours | 3002/99 | intrusion_detection/info | Logins of so many accounts failed in a minute.
policy_changed | warning | ours | 3004/3 | configuration/change | Another policy is in force.
policy_refused | warning | ours | 3004/3 | configuration/info | A new policy was wrong; the old one stays.
audit_chain_broken | critical | ours | 3004/99 | intrusion_detection/info | The journal is damaged; a new chain began.
audit_events_lost | critical | ours | 3004/99 | process/info | So many events could not be written and are lost.
audit_trimmed | warning | ours | 3004/4 | configuration/deletion | Old events were removed by retention.
audit_unreadable | critical | ours | 3004/99 | intrusion_detection/info | A stored event cannot be read.
"""
"""One row each: code, severity, whose word, OCSF class/activity, ECS category/type, what happened."""


def _row(line: str) -> Code:
    name, severity, word, ocsf, ecs, text = line.split(" | ")
    kind, activity = ocsf.split("/")
    category, type_ = ecs.split("/")
    return Code(name, severity, text, (int(kind), int(activity)), (category, type_), word == "owasp")


CODES: dict[str, Code] = {code.name: code for code in map(_row, _TABLE.splitlines())}
"""Every code, by name."""

OTHER = Code("other", "info", "Something else.", (API, 99), ("api", "info"), owasp=False)
"""Stands for a code that is not in the table, such as one of the application's own."""

REFUSED: dict[str, str] = {
    "credential_missing": "authn_fail",
    "credential_ambiguous": "authn_fail",
    "credential_malformed": "authn_fail",
    "credential_refused": "authn_fail",
    "freshness_required": "authn_fail",
    "assurance_required": "authn_fail",
    "login_refused": "authn_login_fail",
    "login_throttled": "authn_login_fail_max",
    "scope_missing": "authz_fail",
    "credential_restricted": "authz_fail",
    "ownership_unproved": "malicious_direct_reference",
    "not_found": "authz_fail",
    "cross_site": "malicious_cors",
    "cors_refused": "malicious_cors",
    "limit_exceeded": "excess_rate_limit_exceeded",
    "busy": "excess_rate_limit_exceeded",
    "store_unavailable": "sys_crash",
    "internal_error": "sys_crash",
}
"""The event of each refusal code; every other refusal is `input_validation_fail`."""


def code_of(name: str) -> Code:
    """Give the row of a code, or `OTHER`."""
    return CODES.get(name, OTHER)


def refused(refusal: str) -> Code:
    """Give the event of a refusal by its code (`garrison.model.http.refusal.REFUSALS`)."""
    return CODES[REFUSED.get(refusal, "input_validation_fail")]


def page() -> str:
    """Write the page of the docs that lists every code."""
    rows = [
        f"| `{code.name}` | {code.severity} | {code.text} | {'OWASP' if code.owasp else 'ours'} | "
        f"{code.ocsf[0]} / {code.ocsf[1]} | {code.ecs[0]} / {code.ecs[1]} |"
        for code in CODES.values()
    ]
    return "\n".join([_INTRODUCTION, *rows, ""])


_INTRODUCTION = """\
# Events of the journal

Made from `garrison.audit.codes`. The word of an event is its `code`; "OWASP" marks the words of the OWASP
logging vocabulary. The severity is the usual one. The last two columns say as what an event is exported:
class and activity of OCSF 1.9.0, category and type of ECS.

A refused request is recorded under the word of its refusal, and its `reason` says exactly what failed.

| code | severity | what happened | word | OCSF | ECS |
|---|---|---|---|---|---|"""

"""Say what the policy makes of one request, why, and what would change it. Nothing is spent and nothing recorded.

Follows the path of a request (`garrison.guard.guard`) as far as it can be followed without stores: whether a
credential is good and whether a limit is spent are facts that the caller brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.cors.explain import explain as explain_cors
from garrison.cors.site import compile_served, cross_site_write, foreign_handshake
from garrison.limits import text as limit_text
from garrison.model.http.refusal import REFUSALS, Refusal
from garrison.model.principal import ANONYMOUS, Principal
from garrison.model.scope import missing
from garrison.model.units import duration_text, size_text
from garrison.policy.route import WEBSOCKET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.plan import Plan, Plans, Rule

__all__ = ["Asked", "Explanation", "Step", "explain"]

_NO_ORIGIN = compile_served(())
"""Pages of the API itself have an empty `Asked.origin`."""


class Asked(NamedTuple):
    """The request in question."""

    method: str
    path: str
    principal: Principal = ANONYMOUS
    """Who would be believed."""

    presented: tuple[str, ...] = ()
    """Kinds of the credentials that come along: `key`, `jwt`."""

    origin: str = ""
    """Of the page that makes a browser send it; empty: no browser, or a page of the API itself."""

    address: str = ""
    """Client address, after trusted proxies; counted, never judged."""

    now: int = 0
    """Wall microseconds; 0: a login counts as fresh."""


class Step(NamedTuple):
    """What one step of the guard makes of the request."""

    name: str
    """`route`, `limits`, `credential`, `scopes`, `freshness`, `assurance`, `site`, `ownership`, `body`, `page`."""

    passed: bool
    text: str
    code: str = ""
    """The refusal, where it does not pass; `page` never refuses, it only keeps the answer from the page."""

    remedy: str = ""
    """What would change it, in the policy or in the request."""


class Explanation(NamedTuple):
    """A decision with its grounds."""

    allowed: bool
    status: int
    """Of the refusal; 200 stands for whatever the application answers."""

    code: str
    """The refusal; empty when the request passes."""

    route: str
    """The route of the policy that decided; empty when there is none."""

    steps: tuple[Step, ...]
    """In the order of the guard, up to the first refusal."""

    observed: bool = False
    """Whether the route only observes, so that the refusal is recorded and the request passes."""

    def __str__(self) -> str:
        """Write the explanation as a few lines, the way the command line shows it."""
        head = f"{'passes' if self.allowed else 'is refused'}: {self.route or 'no route'}"
        if self.code:
            head += f", {self.status} {self.code}" + (" (only observed)" if self.observed else "")
        lines = [head]
        for step in self.steps:
            lines.append(f"  {'ok' if step.passed else 'no'} {step.name}: {step.text}")
            lines += [f"     {step.remedy}"] if step.remedy else []
        return "\n".join(lines)


def explain(plans: Plans, asked: Asked) -> Explanation:
    """Explain one request.

    Args:
        plans: The policy in force.
        asked: The request, and who would be believed.
    """
    found = plans.find(asked.method, asked.path)
    if isinstance(found, Refusal):
        return _ended((_missed(found, asked),), "", observed=plans.policy.mode == "observe")
    steps = [Step("route", True, f"{found.plan.route} stands in the policy")]
    for step in _steps(plans, found.plan, asked):
        steps.append(step)
        if step.code:
            break
    return _ended(tuple(steps), found.plan.route, observed=found.plan.observe)


def _ended(steps: tuple[Step, ...], route: str, *, observed: bool) -> Explanation:
    code = steps[-1].code
    status = REFUSALS[code].status if code else 200
    return Explanation(not code or observed, status, code, route, steps, bool(code) and observed)


def _missed(refusal: Refusal, asked: Asked) -> Step:
    remedies = {
        "path_ambiguous": "Send the path in its plain form: no //, no dots, nothing encoded twice",
        "method_not_allowed": f'Add the method to the route, or write "{asked.method} …" as a route of its own',
        "route_unknown": f'Write "{asked.method} {asked.path}" under [routes]; nothing is open by omission',
    }
    return Step("route", False, refusal.detail, refusal.code, remedies[refusal.code])


def _steps(plans: Plans, plan: Plan, asked: Asked) -> Iterator[Step]:
    """The steps after the route, in the order in which a request meets them."""
    yield from _spent(plan.before)
    yield _credential(plan, asked)
    yield from _permit(plan, asked)
    yield from _site(plans, plan, asked)
    yield from _spent(plan.after)
    if plan.own:
        yield Step("ownership", True, "the handler must prove whose thing it returns, else the answer is withheld")
    if plan.body is not None or asked.method in ("POST", "PUT", "PATCH"):
        yield _body(plan)
    yield from _page(plans, plan, asked)


def _body(plan: Plan) -> Step:
    kind = "fit its schema" if plan.body is not None else f"be {' or '.join(plan.content)}"
    text = f"a body must {kind} and have at most {size_text(plan.max_body)}"
    return Step("body", True, text if plan.content else "takes no body")


def _spent(rules: tuple[Rule, ...]) -> Iterator[Step]:
    if rules:
        written = ", ".join(f'"{limit_text(rule.limit)}"' for rule in rules)
        yield Step("limits", True, f"spends {written}")


def _credential(plan: Plan, asked: Asked) -> Step:
    accepted = " or ".join(plan.credentials) if not plan.all_credentials else " and ".join(plan.credentials)
    mine = [kind for kind in asked.presented if kind in plan.credentials]
    if not mine and plan.public:
        return Step("credential", True, "the route is public")
    if len(mine) == (len(plan.credentials) if plan.all_credentials else 1):
        return Step("credential", True, f"{' and '.join(mine)} is accepted")
    if len(mine) > 1 and not plan.all_credentials:
        text = f"{' and '.join(mine)} come together, and the route takes one"
        remedy = f"Send one, or write credentials = {{ all = {list(plan.credentials)} }}"
        return Step("credential", False, text, "credential_ambiguous", remedy.replace("'", '"'))
    return Step("credential", False, f"the route wants {accepted}", "credential_missing", f"Present {accepted}")


def _permit(plan: Plan, asked: Asked) -> Iterator[Step]:
    who = asked.principal
    if plan.scopes:
        lacking = missing(who.scopes, plan.scopes)
        if lacking:
            remedy = f"Grant {', '.join(lacking)} to {who.id}, or demand less"
            yield Step("scopes", False, f"{', '.join(lacking)} is missing", "scope_missing", remedy)
        else:
            yield Step("scopes", True, f"has {', '.join(plan.scopes)}")
    if plan.fresh:
        yield _fresh(plan, asked)
    if plan.methods:
        lacking = tuple(method for method in plan.methods if method not in who.methods)
        if lacking:
            text = f"the login did not use {', '.join(lacking)}"
            yield Step("assurance", False, text, "assurance_required", "Log in with a further factor")
        else:
            yield Step("assurance", True, f"the login used {', '.join(plan.methods)}")


def _fresh(plan: Plan, asked: Asked) -> Step:
    at, window = asked.principal.authenticated_at, duration_text(plan.fresh)
    if not at:
        text = "no person has logged in; a key is never fresh"
    elif asked.now and not at <= asked.now + plan.fresh < at + 2 * plan.fresh:
        text = f"the login is older than {window}"
    else:
        return Step("freshness", True, f"the login is at most {window} old")
    return Step("freshness", False, text, "freshness_required", "Log in again")


def _site(plans: Plans, plan: Plan, asked: Asked) -> Iterator[Step]:
    """What a page of another site may not make a browser send."""
    if not asked.origin or not (plan.sets_cookie or asked.method == WEBSOCKET):
        return
    cors, origin = plans.cors.get(plan.cors), asked.origin.encode("latin-1", "replace")
    if asked.method == WEBSOCKET:
        reason = foreign_handshake(origin, _NO_ORIGIN, cors, ambient=False)
    else:
        reason = cross_site_write(asked.method, origin, None, _NO_ORIGIN, cors)
    if reason:
        remedy = f"List {asked.origin} in the CORS policy of the route, with credentials where it sets a cookie"
        yield Step("site", False, f"{asked.origin} is a page of another site", "cross_site", remedy)
    else:
        yield Step("site", True, f"{asked.origin} may send this")


def _page(plans: Plans, plan: Plan, asked: Asked) -> Iterator[Step]:
    if not asked.origin:
        return
    cors = plans.cors.get(plan.cors)
    if cors is None:
        remedy = 'Write cors = "…" on the route or under [defaults]'
        yield Step("page", False, f"{asked.origin} may not read the answer: the route has no CORS policy", "", remedy)
        return
    fields = ["authorization"] if "jwt" in asked.presented else []
    fields += [plans.policy.keys.header] if "key" in asked.presented else []
    told = explain_cors(cors, asked.origin, "GET" if asked.method == WEBSOCKET else asked.method, fields)
    remedy = "" if told.allowed else f"Add it to [cors.{plan.cors}]"
    yield Step("page", told.allowed, f"{asked.origin}: {told.text}", "", remedy)

"""What is deleted when its time is over. `docs/privacy.md` says the same, and a test compares the two."""

from collections.abc import Callable
from dataclasses import dataclass

from flaskart.accounts.actions import forget_expired_flows, forget_expired_mailed_tokens, forget_expired_sign_ins
from flaskart.kit.db import Session
from flaskart.privacy import actions
from flaskart.web import counters, idempotency


@dataclass(frozen=True, slots=True)
class Limit:
    """How long the rows of a table are kept, in words, and what deletes those that are older."""

    table: str
    kept: str
    forget: Callable[[Session], int]


LIMITS = (
    Limit("idempotency_key", f"{idempotency.KEPT.total_seconds() / 3_600:.0f} hours", idempotency.forget_expired_keys),
    Limit("sign_in", "until it expires (`FLASKART_REFRESH_TOKEN_SECONDS`)", forget_expired_sign_ins),
    Limit("account_token", "until it expires", forget_expired_mailed_tokens),
    Limit("oidc_flow", "10 minutes", forget_expired_flows),
    Limit("rate_counter", "until it is over", counters.forget_expired_counters),
    Limit("export", f"{actions.KEPT.days} days", actions.forget_expired_exports),
)


def forget_what_is_over(session: Session) -> int:
    """Delete what is past its time; return how many rows there were."""
    return sum(limit.forget(session) for limit in LIMITS)

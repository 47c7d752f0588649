"""What staff do with the accounts of others. Nobody does it to who holds more than they do."""

from flaskart.accounts import queries
from flaskart.accounts.actions.revoking import drop_mailed_tokens, revoke_sign_ins_of
from flaskart.accounts.actions.second_factor import forget_second_factor
from flaskart.accounts.actions.staff import require_held
from flaskart.accounts.errors import CustomerErased, LastOwner, OwnAccount
from flaskart.accounts.models import CUSTOMER, Customer
from flaskart.kit import audit, clock
from flaskart.kit.actor import OF_STAFF, Actor, Role
from flaskart.kit.audit import Subject, System
from flaskart.kit.db import Session


def disable_customer(session: Session, actor: Actor | System, customer_id: int, *, reason: str) -> Customer:
    """Keep somebody from signing in and end their sign-ins at once. May be repeated; the first reason stays.

    Raises:
        CustomerNotFound: no such id.
        CustomerErased: there is nobody left to keep out.
        OwnAccount: nobody locks themselves out.
        MoreThanHeld: they hold more than the actor.
        LastOwner: nobody else could look after the shop.
    """
    if isinstance(actor, Actor) and customer_id == actor.customer_id:
        raise OwnAccount
    customer = _lock(session, actor, customer_id)
    if queries.is_owner(session, customer_id) and not queries.is_owner_besides(session, customer_id):
        raise LastOwner
    before = audit.fields_of(customer)
    if customer.disabled_at is None:
        customer.disabled_at, customer.disabled_reason = clock.now(), reason
        revoke_sign_ins_of(session, customer_id)
        drop_mailed_tokens(session, customer_id)
    _record(session, actor, "customer.disabled", customer, before)
    return customer


def enable_customer(session: Session, actor: Actor | System, customer_id: int) -> Customer:
    """Let somebody sign in again who was disabled. May be repeated.

    Raises:
        CustomerNotFound: no such id.
        CustomerErased: they are gone for good.
        MoreThanHeld: they hold more than the actor.
    """
    customer = _lock(session, actor, customer_id)
    before = audit.fields_of(customer)
    customer.disabled_at = customer.disabled_reason = None
    _record(session, actor, "customer.enabled", customer, before)
    return customer


def sign_customer_out(session: Session, actor: Actor | System, customer_id: int) -> Customer:
    """End all sign-ins of somebody, who may sign in again. May be repeated.

    Raises:
        CustomerNotFound: no such id.
        CustomerErased: they have no sign-ins.
        MoreThanHeld: they hold more than the actor.
    """
    customer = _lock(session, actor, customer_id)
    revoke_sign_ins_of(session, customer_id)
    audit.record(session, actor, "customer.signed_out", Subject(CUSTOMER, customer_id))
    return customer


def reset_second_factor(session: Session, actor: Actor | System, customer_id: int) -> Customer:
    """Take the second factor from somebody who lost it; how they proved that is the actor's matter. May be repeated.

    Raises:
        CustomerNotFound: no such id.
        CustomerErased: they are gone for good.
        OwnAccount: one turns one's own off with a code.
        MoreThanHeld: they hold more than the actor.
    """
    if isinstance(actor, Actor) and customer_id == actor.customer_id:
        raise OwnAccount
    customer = _lock(session, actor, customer_id)
    before = audit.fields_of(customer)
    forget_second_factor(session, customer)
    _record(session, actor, "customer.second_factor_reset", customer, before)
    return customer


def _lock(session: Session, actor: Actor | System, customer_id: int) -> Customer:
    customer = queries.lock_anybody(session, customer_id)
    if customer.erased_at is not None:
        raise CustomerErased
    if customer.role == Role.STAFF:
        queries.lock_rights(session)
        if isinstance(actor, Actor):
            require_held(queries.get_permissions(session, customer_id) & OF_STAFF, by=actor.permissions)
    return customer


def _record(session: Session, actor: Actor | System, action: str, customer: Customer, before: audit.Fields) -> None:
    session.flush()
    audit.record(session, actor, action, Subject(CUSTOMER, customer.id), before=before, after=audit.fields_of(customer))

"""Signing in through a provider (OpenID Connect), and the providers an account is linked to.

Nobody's transaction is open while a provider is asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from flaskart.accounts import queries
from flaskart.accounts.actions.account import register
from flaskart.accounts.actions.sign_in import Device, SignIn, Terms, admit, begin_sign_in
from flaskart.accounts.errors import (
    AccountNotLinked,
    EmailTaken,
    IdentityTaken,
    InvalidCredentials,
    InvalidFlow,
    LastWayIn,
    LinkNeedsVerifiedEmail,
    ProviderEmailUnverified,
    UsernameTaken,
)
from flaskart.accounts.models import Customer, ExternalIdentity, OidcFlow
from flaskart.kit import clock
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Database, Session, TryAgain
from flaskart.kit.ids import random_code

if TYPE_CHECKING:
    from flaskart.accounts.oidc.claims import Identity
    from flaskart.accounts.oidc.client import Client, Invitation

FLOW_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Callback:
    """What the provider has sent back, and the flow token that the client kept to itself meanwhile."""

    code: str
    state: str
    flow_token: str
    issuer: str | None


def start_flow(db: Database, client: "Client", redirect_uri: str, *, actor: Actor | None = None) -> "Invitation":
    """Begin to sign in through a provider or, with an actor, to link it to their account. Ten minutes are left then.

    Raises:
        LinkNeedsVerifiedEmail: of the actor's account.
        ProviderFailed: the provider does not say where people sign in.
    """
    invitation = client.invite(redirect_uri)
    with db.write() as session:
        if actor is not None:
            _lock_linkable(session, actor)
        session.add(
            OidcFlow(
                token_hash=queries.hash_token(invitation.flow_token),
                state_hash=queries.hash_token(invitation.state),
                provider=client.name,
                redirect_uri=redirect_uri,
                customer_id=actor.customer_id if actor else None,
                expires_at=clock.now() + timedelta(seconds=FLOW_SECONDS),
            )
        )
    return invitation


def sign_in_through(
    db: Database, client: "Client", callback: Callback, *, terms: Terms, otp: str | None = None, device: Device
) -> SignIn:
    """Sign in whom the provider has identified: into the account it is linked to, or else into a new one.

    An account of the same e-mail address is linked, if both the provider and this shop have verified the address.
    A provider is one factor: an account with a second one needs that as well.

    Raises:
        InvalidFlow: not begun by the holder of the flow token, finished before, or too long ago.
        AccountNotLinked: the address is that of an account that must be linked by hand.
        ProviderEmailUnverified: nobody is known, and no account can be made.
        InvalidCredentials: the account was erased.
        AccountDisabled, EmailNotVerified, SecondFactorRequired, SecondFactorFailed: see `admit`.
    """
    identity = _identified(db, client, callback, None)

    def sign_in() -> SignIn:
        with db.write() as session:
            customer = _account_of(session, identity)
            if customer.erased_at is not None:
                raise InvalidCredentials
            admit(session, customer, terms, otp)
            return begin_sign_in(session, customer.id, valid_seconds=terms.valid_seconds, device=device)

    return db.retrying(sign_in)  # not the whole request: the flow is used up


def link_identity(db: Database, client: "Client", actor: Actor, callback: Callback) -> ExternalIdentity:
    """Let whom the provider has identified sign in to the actor's account. What is linked already stays so.

    Raises:
        InvalidFlow: not begun by this account, finished before, or too long ago.
        IdentityTaken: it gets into another account.
        LinkNeedsVerifiedEmail: anybody can register with an address that is not theirs, and would keep a way in.
    """
    identity = _identified(db, client, callback, actor.customer_id)

    def link() -> ExternalIdentity:
        with db.write() as session:
            customer = _lock_linkable(session, actor)
            known = queries.find_identity(session, identity.provider, identity.subject)
            if known is None:
                return _link(session, customer, identity)
            if known.customer_id != customer.id:
                raise IdentityTaken
            return known

    return db.retrying(link)


def unlink_identity(session: Session, actor: Actor, identity_id: int) -> None:
    """Take a way in from one's account, unless it is the last one.

    Raises:
        IdentityNotFound: no such one, or somebody else's.
        LastWayIn: there is no password and no other provider.
    """
    customer = queries.lock_account(session, actor)
    identity = queries.get_identity(session, actor, identity_id)
    if not customer.password_hash and len(queries.list_identities(session, customer.id)) == 1:
        raise LastWayIn
    session.delete(identity)


def forget_expired_flows(session: Session) -> int:
    """Delete the sign-ins that were begun and never finished; return how many there were."""
    expired = delete(OidcFlow).where(OidcFlow.expires_at < clock.now())
    return len(session.execute(expired.returning(OidcFlow.id)).all())


def _identified(db: Database, client: "Client", callback: Callback, customer_id: int | None) -> "Identity":
    client.check_issuer(callback.issuer)
    with db.write() as session:
        redirect_uri = _use_up(session, client.name, callback, customer_id, clock.now())
    return client.identify(callback.code, redirect_uri=redirect_uri, flow_token=callback.flow_token)


def _use_up(session: Session, provider: str, callback: Callback, customer_id: int | None, now: datetime) -> str:
    """Delete a flow, so that it cannot be used again whatever comes of it, and return its redirect URI."""
    flow = delete(OidcFlow).where(
        OidcFlow.token_hash == queries.hash_token(callback.flow_token),
        OidcFlow.state_hash == queries.hash_token(callback.state),
        OidcFlow.provider == provider,
        OidcFlow.customer_id.is_not_distinct_from(customer_id),
        OidcFlow.expires_at > now,
    )
    redirect_uri = session.execute(flow.returning(OidcFlow.redirect_uri)).scalar_one_or_none()
    if redirect_uri is None:
        raise InvalidFlow
    return redirect_uri


def _account_of(session: Session, identity: "Identity") -> Customer:
    customer = queries.lock_by_identity(session, identity.provider, identity.subject)
    if customer is not None:
        return customer
    if identity.verified_email is None:
        raise ProviderEmailUnverified
    customer = queries.lock_by_email(session, identity.verified_email)
    if customer is None:
        customer = _open_account(session, identity, identity.verified_email)
    elif customer.email_verified_at is None or customer.role != Role.CUSTOMER:
        # Whoever registered first with somebody's address must not get them as a guest; staff decide for themselves.
        raise AccountNotLinked
    _link(session, customer, identity)
    return customer


def _open_account(session: Session, identity: "Identity", email: str) -> Customer:
    username = identity.username
    if queries.is_username_taken(session, username):
        username = f"{username}-{random_code(6).lower()}"
    try:
        customer = register(session, username=username, email=email, password_hash="")
    except (UsernameTaken, EmailTaken) as lost:
        raise TryAgain from lost  # since it was looked up, a moment ago
    customer.email_verified_at = clock.now()
    return customer


def _link(session: Session, customer: Customer, identity: "Identity") -> ExternalIdentity:
    linked = ExternalIdentity(
        customer_id=customer.id, provider=identity.provider, subject=identity.subject, created_at=clock.now()
    )
    session.add(linked)
    try:
        session.flush()
    except IntegrityError as lost:
        raise TryAgain from lost  # another sign-in has just linked it
    return linked


def _lock_linkable(session: Session, actor: Actor) -> Customer:
    customer = queries.lock_account(session, actor)
    if customer.email_verified_at is None:
        raise LinkNeedsVerifiedEmail
    return customer

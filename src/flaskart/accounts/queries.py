"""Named reads of the accounts room."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, literal_column, or_, select

from flaskart.accounts.errors import AccountNotFound, AddressNotFound, IdentityNotFound, KeyNotFound, RoleNotFound
from flaskart.accounts.models import (
    AccountToken,
    Address,
    ApiKey,
    ApiKeySecret,
    Consent,
    ConsentPurpose,
    Customer,
    ExternalIdentity,
    RecoveryCode,
    RefreshToken,
    RoleGrant,
    SignInRecord,
    StaffRole,
    fold,
)
from flaskart.kit import clock
from flaskart.kit.actor import ALL, Actor, Permission, Permissions, PresentedKey, Role, permissions_in, permissions_with
from flaskart.kit.db import Session
from flaskart.kit.paging import MAX_ID, Page, decode_cursor, page_of
from flaskart.kit.personal import Sections, records


def find_actor(session: Session, customer_id: int, session_id: str) -> Actor | None:
    """Return who a sign-in belongs to; None once it was revoked, or the account erased or disabled. One statement."""
    row = session.send(_ACTOR, {"customer_id": customer_id, "session_id": session_id}).one_or_none()
    if row is None:
        return None
    return Actor(customer_id, permissions_with(row[0] or ""), session_id, has_second_factor=bool(row[1]))


def find_key(session: Session, secret: str) -> PresentedKey | None:
    """Return who acts with a key; None once it was revoked or has expired, or its owner is not staff any more."""
    now = clock.now()
    found = session.send(_KEY, {"secret_hash": hash_token(secret), "now": now}).one_or_none()
    if found is None:
        return None
    actor = Actor(
        found.customer_id,
        permissions_with(found.held or "") & permissions_in(found.scopes),
        session_id="",
        key_id=found.id,
        operations=None if found.operations is None else frozenset(found.operations.split()),
        has_spend_cap=found.spend_cap_minor is not None,
    )
    noted_at = found.last_used_at
    return PresentedKey(actor, is_use_to_be_noted=noted_at is None or noted_at <= now - USE_IS_NOTED_EVERY)


def get_account(session: Session, actor: Actor) -> Customer:
    """Return the actor's own account.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    return _found(session.scalars(_own_account(actor)).one_or_none())


def get_email(session: Session, actor: Actor) -> str:
    """Return the actor's e-mail address; the account cannot be erased until the transaction ends.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    email = session.send(_EMAIL, {"customer_id": actor.customer_id}).scalar_one_or_none()
    if email is None:
        raise AccountNotFound
    return str(email)


def lock_account(session: Session, actor: Actor) -> Customer:
    """Return the actor's own account, which nobody else changes until the transaction ends.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    return _found(session.scalars(_own_account(actor).with_for_update(key_share=True)).one_or_none())


def find_by_login(session: Session, name: str) -> Customer | None:
    """Return the account with this username or e-mail address; usernames have no `@`, so only one can fit."""
    folded = fold(name)
    return session.scalars(
        select(Customer).where(
            or_(Customer.username_folded == folded, Customer.email_folded == folded), Customer.erased_at.is_(None)
        )
    ).one_or_none()


def get_by_login(session: Session, name: str) -> Customer:
    """Return the account with this username or e-mail address.

    Raises:
        AccountNotFound: there is none.
    """
    return _found(find_by_login(session, name))


def find_unchanged(session: Session, customer: Customer) -> Customer | None:
    """Return an account that was read before, locked; None if it was erased or got another password since."""
    same = (Customer.id == customer.id) & (Customer.password_hash == customer.password_hash)
    unchanged = select(Customer).where(same, Customer.erased_at.is_(None))
    return session.scalars(unchanged.with_for_update(key_share=True)).one_or_none()


def find_by_email(session: Session, email: str) -> int | None:
    """Return the id of the account with this address that may sign in."""
    return session.scalar(_ID_BY_EMAIL, {"email": fold(email)})


def find_unverified(session: Session, email: str) -> int | None:
    """Return the id of the account with this address that may sign in and has not verified it."""
    return session.scalar(_ID_BY_EMAIL.where(Customer.email_verified_at.is_(None)), {"email": fold(email)})


def lock_customer(session: Session, customer_id: int, *, is_enabled: bool = False) -> Customer:
    """Return somebody's account, which nobody else changes until the transaction ends; `is_enabled` asks for that, too.

    Raises:
        AccountNotFound: no such account, or an erased one.
    """
    theirs = select(Customer).where(Customer.id == customer_id, Customer.erased_at.is_(None))
    if is_enabled:
        theirs = theirs.where(Customer.disabled_at.is_(None))
    return _found(session.scalars(theirs.with_for_update(key_share=True)).one_or_none())


def lock_customer_of(session: Session, tokens: ColumnElement[bool]) -> Customer | None:
    """Return the account of a token that was mailed, locked."""
    owner = select(Customer).where(Customer.id.in_(select(AccountToken.customer_id).where(tokens)))
    return session.scalars(owner.with_for_update(key_share=True)).one_or_none()


def lock_sealed(session: Session) -> Sequence[Customer]:
    """Return the accounts with a sealed secret, locked."""
    sealed = select(Customer).where(Customer.totp_secret.is_not(None)).order_by(Customer.id)
    return session.scalars(sealed.with_for_update(key_share=True)).all()


def find_refresh_token(session: Session, token: str) -> RefreshToken | None:
    return session.scalars(select(RefreshToken).where(RefreshToken.token_hash == hash_token(token))).one_or_none()


def lock_sign_in_of(session: Session, token: str) -> SignInRecord | None:
    """Return the sign-in of a refresh token, which nobody continues or ends until the transaction ends."""
    family = select(RefreshToken.family).where(RefreshToken.token_hash == hash_token(token))
    sign_in = select(SignInRecord).where(SignInRecord.family == family.scalar_subquery())
    return session.scalars(sign_in.with_for_update(key_share=True)).one_or_none()


def alive_sign_ins(actor: Actor) -> ColumnElement[bool]:
    """Return what is true of the actor's own sign-ins that have neither ended nor expired."""
    in_time = SignInRecord.expires_at > clock.now()
    return (SignInRecord.customer_id == actor.customer_id) & SignInRecord.revoked_at.is_(None) & in_time


def list_sign_ins(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[SignInRecord]:
    """Return a page of the actor's own sign-ins that are alive, the newest first."""
    last_id = MAX_ID if after is None else decode_cursor(after)
    own = select(SignInRecord).where(alive_sign_ins(actor), SignInRecord.id < last_id)
    rows = session.scalars(own.order_by(SignInRecord.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, key=lambda sign_in: sign_in.id)


def is_strange_device(session: Session, customer_id: int, user_agent: str, ip: str) -> bool:
    """Tell whether an account has signed in before, but from elsewhere or with something else."""
    is_same = (SignInRecord.user_agent == user_agent) & (SignInRecord.ip == ip)
    counts = select(func.count(), func.count(case((is_same, 1)))).where(SignInRecord.customer_id == customer_id)
    earlier, alike = session.execute(counts).one()
    return bool(earlier and not alike)


def count_recovery_codes(session: Session, actor: Actor) -> int:
    return session.scalars(select(func.count()).where(RecoveryCode.customer_id == actor.customer_id)).one()


def lock_by_identity(session: Session, provider: str, subject: str) -> Customer | None:
    """Return the account that a provider's person gets into, erased or not, which nobody changes meanwhile."""
    linked = select(ExternalIdentity.customer_id).where(
        ExternalIdentity.provider == provider, ExternalIdentity.subject == subject
    )
    return session.scalars(
        select(Customer).where(Customer.id == linked.scalar_subquery()).with_for_update(key_share=True)
    ).one_or_none()


def lock_by_email(session: Session, email: str) -> Customer | None:
    """Return the account with an e-mail address, which nobody changes until the transaction ends."""
    same = Customer.email_folded == fold(email)
    return session.scalars(select(Customer).where(same).with_for_update(key_share=True)).one_or_none()


def is_username_taken(session: Session, username: str) -> bool:
    return session.scalar(select(exists().where(Customer.username_folded == fold(username)))) is True


def find_identity(session: Session, provider: str, subject: str) -> ExternalIdentity | None:
    same = (ExternalIdentity.provider == provider) & (ExternalIdentity.subject == subject)
    return session.scalars(select(ExternalIdentity).where(same)).one_or_none()


def get_identity(session: Session, actor: Actor, identity_id: int) -> ExternalIdentity:
    """Return a linked sign-in of the actor's own.

    Raises:
        IdentityNotFound: no such one, or somebody else's.
    """
    own = (ExternalIdentity.id == identity_id) & (ExternalIdentity.customer_id == actor.customer_id)
    identity = session.scalars(select(ExternalIdentity).where(own)).one_or_none()
    if identity is None:
        raise IdentityNotFound
    return identity


def list_identities(session: Session, customer_id: int) -> Sequence[ExternalIdentity]:
    own = ExternalIdentity.customer_id == customer_id
    return session.scalars(select(ExternalIdentity).where(own).order_by(ExternalIdentity.id)).all()


def list_accounts(session: Session) -> Sequence[Customer]:
    return session.scalars(select(Customer).where(Customer.erased_at.is_(None)).order_by(Customer.id)).all()


def personal_data_of(session: Session, customer_id: int) -> Sections:
    """Return an account and all that belongs to it as they are kept, without the secrets."""
    secrets = ("password_hash", "totp_secret", "totp_used_step", "username_folded", "email_folded")
    return {
        "account": records(session, Customer, Customer.id == customer_id, without=secrets),
        "sign_ins": records(session, SignInRecord, SignInRecord.customer_id == customer_id),
        "addresses": records(session, Address, Address.customer_id == customer_id),
        "consents": records(session, Consent, Consent.customer_id == customer_id),
        "identities": records(session, ExternalIdentity, ExternalIdentity.customer_id == customer_id),
        "api_keys": records(session, ApiKey, ApiKey.customer_id == customer_id),
    }


def list_consents(session: Session, actor: Actor) -> Sequence[Consent]:
    """Return what the actor said last about each purpose they were asked about."""
    last = select(func.max(Consent.id)).where(Consent.customer_id == actor.customer_id).group_by(Consent.purpose)
    return session.scalars(select(Consent).where(Consent.id.in_(last))).all()


def find_consent(session: Session, actor: Actor, purpose: ConsentPurpose) -> Consent | None:
    """Return what the actor said last about a purpose; None if never anything."""
    said = select(Consent).where(Consent.customer_id == actor.customer_id, Consent.purpose == purpose)
    return session.scalars(said.order_by(Consent.id.desc()).limit(1)).one_or_none()


def lock_rights(session: Session) -> None:
    """Have changes of roles, and of whom they are granted to, go one after another until the transaction ends."""
    owner = select(StaffRole.id).where(StaffRole.permissions == ALL)
    session.execute(owner.with_for_update(key_share=True))


def get_permissions(session: Session, customer_id: int) -> Permissions:
    """Return what an account may do by now."""
    return permissions_with(session.scalar(_HELD_BY.where(RoleGrant.customer_id == customer_id)) or "")


def list_roles(session: Session) -> Sequence[StaffRole]:
    return session.scalars(select(StaffRole).order_by(StaffRole.id)).all()


def get_role(session: Session, role_id: int) -> StaffRole:
    """Return a role.

    Raises:
        RoleNotFound: no such role.
    """
    role = session.get(StaffRole, role_id)
    if role is None:
        raise RoleNotFound
    return role


def count_grants(session: Session, role: StaffRole) -> int:
    return session.scalars(select(func.count()).where(RoleGrant.role_id == role.id)).one()


def is_owner_besides(session: Session, customer_id: int) -> bool:
    """Tell whether anybody else is an owner, and not disabled."""
    others = (
        select(RoleGrant.id)
        .join(StaffRole, StaffRole.id == RoleGrant.role_id)
        .join(Customer, Customer.id == RoleGrant.customer_id)
        .where(StaffRole.permissions == ALL, Customer.id != customer_id, Customer.disabled_at.is_(None))
    )
    return session.scalar(others.limit(1)) is not None


def list_staff(session: Session, *, limit: int, after: str | None) -> Page[Customer]:
    """Return a page of the accounts that were granted a role, the oldest first."""
    last_id = 0 if after is None else decode_cursor(after)
    staff = select(Customer).where(Customer.role == Role.STAFF, Customer.erased_at.is_(None), Customer.id > last_id)
    rows = session.scalars(staff.order_by(Customer.id).limit(limit + 1)).all()
    return page_of(rows, limit, key=lambda customer: customer.id)


def roles_of(session: Session, customers: Sequence[Customer]) -> Mapping[int, Sequence[StaffRole]]:
    """Return the roles of some accounts, by their ids. One statement."""
    grants = (
        select(RoleGrant.customer_id, StaffRole)
        .join(StaffRole, StaffRole.id == RoleGrant.role_id)
        .where(RoleGrant.customer_id.in_([customer.id for customer in customers]))
    )
    roles = defaultdict[int, list[StaffRole]](list)
    for customer_id, role in session.execute(grants.order_by(StaffRole.id)):
        roles[customer_id].append(role)
    return roles


def list_keys(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[ApiKey]:
    """Return a page of the keys that the actor may see, the oldest first."""
    last_id = 0 if after is None else decode_cursor(after)
    keys = _visible_keys(actor).where(ApiKey.id > last_id).order_by(ApiKey.id).limit(limit + 1)
    return page_of(session.scalars(keys).all(), limit, key=lambda key: key.id)


def get_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Return one of the actor's keys; whoever may change staff sees everybody's.

    Raises:
        KeyNotFound: no such key, or somebody else's.
    """
    return _found_key(session.scalars(_visible_keys(actor).where(ApiKey.id == key_id)).one_or_none())


def lock_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Return a key as `get_key` does, which nobody else changes until the transaction ends.

    Raises:
        KeyNotFound: likewise.
    """
    visible = _visible_keys(actor).where(ApiKey.id == key_id)
    return _found_key(session.scalars(visible.with_for_update(key_share=True)).one_or_none())


def lock_own_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Return one of the actor's own keys, which nobody else changes until the transaction ends.

    Raises:
        KeyNotFound: no such key, or somebody else's.
    """
    key = lock_key(session, actor, key_id)
    return _found_key(key if key.customer_id == actor.customer_id else None)


def list_addresses(session: Session, actor: Actor) -> Sequence[Address]:
    """Return all of the actor's addresses, of which there are `MAX_ADDRESSES` at most, the oldest first."""
    return session.scalars(select(Address).where(Address.customer_id == actor.customer_id).order_by(Address.id)).all()


def get_address(session: Session, actor: Actor, address_id: int) -> Address:
    """Return one of the actor's addresses.

    Raises:
        AddressNotFound: no such address, or somebody else's.
    """
    own = (Address.id == address_id) & (Address.customer_id == actor.customer_id)
    address = session.scalars(select(Address).where(own)).one_or_none()
    if address is None:
        raise AddressNotFound
    return address


def count_addresses(session: Session, actor: Actor) -> int:
    return session.scalars(select(func.count(Address.id)).where(Address.customer_id == actor.customer_id)).one()


def hash_token(token: str) -> str:
    """Return what is stored of a random token; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _own_account(actor: Actor) -> Select[Customer]:
    return select(Customer).where(Customer.id == actor.customer_id, Customer.erased_at.is_(None))


def _visible_keys(actor: Actor) -> Select[ApiKey]:
    keys = select(ApiKey)
    return keys if Permission.STAFF_WRITE in actor.permissions else keys.where(ApiKey.customer_id == actor.customer_id)


def _found_key(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise KeyNotFound
    return key


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise AccountNotFound
    return customer


# Put together once: building them takes longer than running them.
# Constants stand in the statements' text: each bound one would cost 3 us a request.
_SPACE: ColumnElement[str] = literal_column("' '")
_HELD_BY = select(func.aggregate_strings(StaffRole.permissions, _SPACE)).join(  # type: ignore[arg-type]
    RoleGrant, RoleGrant.role_id == StaffRole.id
)
_HELD = _HELD_BY.where(RoleGrant.customer_id == Customer.id).scalar_subquery()
_IS_STAFF = Customer.role == literal_column(f"'{Role.STAFF}'")
_ACTOR = (
    select(case((_IS_STAFF, _HELD)), Customer.second_factor_at.is_not(None))  # a customer has no role to look for
    .join(SignInRecord, SignInRecord.customer_id == Customer.id)
    .where(
        SignInRecord.family == bindparam("session_id"),
        SignInRecord.revoked_at.is_(None),
        Customer.id == bindparam("customer_id"),
        Customer.disabled_at.is_(None),
        Customer.erased_at.is_(None),
    )
)
_ID_BY_EMAIL = select(Customer.id).where(
    Customer.email_folded == bindparam("email"), Customer.erased_at.is_(None), Customer.disabled_at.is_(None)
)
_KEY = (
    select(
        ApiKey.id,
        ApiKey.customer_id,
        ApiKey.scopes,
        ApiKey.operations,
        ApiKey.spend_cap_minor,
        ApiKey.last_used_at,
        _HELD.label("held"),
    )
    .join(ApiKeySecret, ApiKeySecret.api_key_id == ApiKey.id)
    .join(Customer, Customer.id == ApiKey.customer_id)
    .where(
        ApiKeySecret.secret_hash == bindparam("secret_hash"),
        or_(ApiKeySecret.expires_at.is_(None), ApiKeySecret.expires_at > bindparam("now")),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now")),
        ApiKey.revoked_at.is_(None),
        Customer.erased_at.is_(None),
        Customer.disabled_at.is_(None),
        _IS_STAFF,
    )
)
# A share of the lock is enough, and lets what refers to the account be written meanwhile; changing it waits.
_EMAIL = (
    select(Customer.email)
    .where(Customer.id == bindparam("customer_id"), Customer.erased_at.is_(None))
    .with_for_update(read=True)
)
# How exactly a key's last use is known: reading through a key must not be a write each time.
USE_IS_NOTED_EVERY = timedelta(minutes=1)

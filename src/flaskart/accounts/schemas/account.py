"""Public JSON of one's own account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import (
    BaseModel,
    Field,
)

from flaskart.accounts.models import (
    Consent,
    ConsentPurpose,
    ConsentSource,
    Customer,
    ExternalIdentity,
    SignInRecord,
)
from flaskart.accounts.schemas.fields import Code, EmailAddress, NewPassword, Password, Username
from flaskart.kit.actor import Actor, Role
from flaskart.kit.paging import Page
from flaskart.web.fields import Change, Input, Pagination


class AccountChange(Change):
    username: Username | None = None
    email: EmailAddress | None = None


class CurrentPassword(Input):
    current_password: Password


class SecondFactorCode(Input):
    otp: Code


class PasswordAndCode(Input):
    current_password: Password
    otp: Code


class SessionPath(BaseModel):
    session_id: Annotated[str, Field(max_length=32)]


class PasswordChange(Input):
    current_password: Password
    new_password: NewPassword


class AccountOut(BaseModel):
    """`pending_email` is an address that takes the place of `email` when its owner confirms it."""

    id: int
    username: str
    email: str
    role: Role
    is_email_verified: bool
    pending_email: str | None
    has_second_factor: bool
    created_at: datetime

    @classmethod
    def of(cls, customer: Customer) -> "AccountOut":
        return cls(
            id=customer.id,
            username=customer.username,
            email=customer.email,
            role=Role(customer.role),
            is_email_verified=customer.email_verified_at is not None,
            pending_email=customer.pending_email,
            has_second_factor=customer.second_factor_at is not None,
            created_at=customer.created_at,
        )


class ConsentPath(BaseModel):
    purpose: ConsentPurpose


class ConsentChange(Input):
    granted: bool


class ConsentOut(BaseModel):
    """What one said last; `recorded_at` and `source` are null where one was never asked, which is no consent."""

    purpose: ConsentPurpose
    granted: bool
    source: ConsentSource | None
    recorded_at: datetime | None

    @classmethod
    def of(cls, consent: Consent) -> "ConsentOut":
        return cls(
            purpose=ConsentPurpose(consent.purpose),
            granted=consent.granted,
            source=ConsentSource(consent.source),
            recorded_at=consent.created_at,
        )


class ConsentList(BaseModel):
    consents: list[ConsentOut]

    @classmethod
    def of(cls, said: Sequence[Consent]) -> "ConsentList":
        by_purpose = {consent.purpose: ConsentOut.of(consent) for consent in said}
        never_asked = {"granted": False, "source": None, "recorded_at": None}
        return cls(
            consents=[
                by_purpose.get(purpose) or ConsentOut(purpose=purpose, **never_asked) for purpose in ConsentPurpose
            ]
        )


class ConsentRecorded(BaseModel):
    msg: str
    consent: ConsentOut


class AccountShown(BaseModel):
    user: AccountOut


class AccountChanged(BaseModel):
    msg: str
    user: AccountOut


class Done(BaseModel):
    msg: str


class SessionOut(BaseModel):
    """A sign-in. `last_used_at` is when it was begun or last continued with a refresh token."""

    id: str
    user_agent: str
    ip: str
    created_at: datetime
    last_used_at: datetime
    is_current: bool

    @classmethod
    def of(cls, sign_in: SignInRecord, actor: Actor) -> "SessionOut":
        return cls(
            id=sign_in.family,
            user_agent=sign_in.user_agent,
            ip=sign_in.ip,
            created_at=sign_in.created_at,
            last_used_at=sign_in.last_used_at,
            is_current=sign_in.family == actor.session_id,
        )


class SessionList(BaseModel):
    sessions: list[SessionOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[SignInRecord], actor: Actor) -> "SessionList":
        return cls(sessions=[SessionOut.of(sign_in, actor) for sign_in in page.rows], pagination=Pagination.of(page))


class SecondFactorShown(BaseModel):
    is_enrolled: bool
    recovery_codes_left: int


class SecondFactorBegun(BaseModel):
    """Shown once. An app reads `otpauth_uri` as a QR code, or `secret` typed by hand."""

    msg: str
    secret: str
    otpauth_uri: str


class RecoveryCodes(BaseModel):
    """Shown once. Each takes the place of a one-time password, one time."""

    msg: str
    recovery_codes: list[str]


class IdentityPath(BaseModel):
    identity_id: int


class IdentityOut(BaseModel):
    id: int
    provider: str
    created_at: datetime

    @classmethod
    def of(cls, identity: ExternalIdentity) -> "IdentityOut":
        return cls(id=identity.id, provider=identity.provider, created_at=identity.created_at)


class IdentityList(BaseModel):
    """The last one cannot be removed while `has_password` is false."""

    identities: list[IdentityOut]
    has_password: bool

    @classmethod
    def of(cls, customer: Customer, identities: Sequence[ExternalIdentity]) -> "IdentityList":
        return cls(
            identities=[IdentityOut.of(identity) for identity in identities], has_password=bool(customer.password_hash)
        )


class IdentityLinked(BaseModel):
    msg: str
    identity: IdentityOut

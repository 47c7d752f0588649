"""Public JSON of the accounts room."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from flaskart.accounts.actions.keys import PREFIX, SpendCap
from flaskart.accounts.errors import PasswordLikeName
from flaskart.accounts.models import (
    MAX_EMAIL,
    MAX_KEY_NAME,
    MAX_POSTAL,
    MAX_REDIRECT_URI,
    MAX_ROLE_NAME,
    MAX_USERNAME,
    Address,
    ApiKey,
    Consent,
    ConsentPurpose,
    ConsentSource,
    Customer,
    ExternalIdentity,
    SignInRecord,
    StaffRole,
    fold,
)
from flaskart.accounts.passwords import MAX_LENGTH, MIN_LENGTH, is_common, is_like_name
from flaskart.accounts.postal import PostalAddress, national_form
from flaskart.kit.actor import OF_KEYS, OF_STAFF, Actor, Permission, Permissions, Role, permissions_in
from flaskart.kit.money import to_major, to_minor
from flaskart.kit.paging import Page
from flaskart.web.fields import Amount, Change, Input, Line, NoControls, Pagination


def _username(name: str) -> str:
    name = unicodedata.normalize("NFKC", name)
    if len(name) > MAX_USERNAME or len(fold(name)) > MAX_USERNAME:
        raise PydanticCustomError("string_too_long", "At most {limit} characters", {"limit": MAX_USERNAME})
    if "@" in name or any(character.isspace() for character in name):
        raise PydanticCustomError("username_characters", "A username has neither spaces nor an @")
    return name


def _email(address: str) -> str:
    try:
        address = validate_email(address, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as refused:
        raise PydanticCustomError("email", "{reason}", {"reason": str(refused)}) from None
    if len(fold(address)) > MAX_EMAIL:
        raise PydanticCustomError("string_too_long", "At most {limit} characters", {"limit": MAX_EMAIL})
    return address


def _uncommon(password: str) -> str:
    if is_common(password):
        raise PydanticCustomError("common_password", "This password is one of those that are tried first")
    return password


def _of_staff(permission: Permission) -> Permission:
    if permission not in OF_STAFF:
        raise PydanticCustomError("permission", "Everybody has this permission, without a role")
    return permission


def _of_keys(permission: Permission) -> Permission:
    if permission not in OF_KEYS:
        raise PydanticCustomError("permission", "No API key has this permission, only a person")
    return permission


def _named(permissions: Permissions) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": sorted(permissions)})


Username = Annotated[Line, Field(max_length=MAX_USERNAME, examples=["alice"]), AfterValidator(_username), NoControls]
EmailAddress = Annotated[
    str,
    Field(max_length=MAX_EMAIL),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_EMAIL, "examples": ["alice@example.com"]}),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]
NewPassword = Annotated[
    str,
    StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH),
    AfterValidator(_uncommon),
    Field(examples=["correct horse"]),
]
Code = Annotated[
    str,
    StringConstraints(min_length=6, max_length=32),
    Field(description="Six digits of the authenticator app, or a recovery code.", examples=["492039"]),
]
Token = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Consents(Change):
    """What somebody agrees to, and what not; about a purpose that is not given they said nothing."""

    marketing_email: bool | None = None
    marketing_sms: bool | None = None
    analytics: bool | None = None
    personalization: bool | None = None

    @property
    def given(self) -> dict[ConsentPurpose, bool]:
        return {ConsentPurpose(name): granted for name, granted in self.model_dump(exclude_unset=True).items()}


# JSON has no enumerations, so that text is taken for one although nothing else is converted.
StaffPermission = Annotated[Permission, Field(strict=False), AfterValidator(_of_staff), _named(OF_STAFF)]
Scope = Annotated[Permission, Field(strict=False), AfterValidator(_of_keys), _named(OF_KEYS)]
RoleName = Annotated[str, Field(max_length=MAX_ROLE_NAME, pattern=r"^[a-z][a-z0-9_]*$", examples=["packer"])]
KeyName = Annotated[Line, Field(max_length=MAX_KEY_NAME, examples=["Warehouse"]), NoControls]
OperationId = Annotated[str, Field(max_length=100, pattern=r"^[a-z_]+$", examples=["place_order"])]
Item = TypeVar("Item")
Some = Annotated[list[Item], Field(min_length=1, max_length=100)]
PostalLine = Annotated[Line, Field(max_length=MAX_POSTAL), NoControls]
MaybePostalLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_POSTAL, pattern=r"^[^\r\n\t]*$"),
    NoControls,
]
PostalLines = Annotated[list[PostalLine], Field(max_length=4, examples=[["1600 Amphitheatre Parkway"]])]
Region = Annotated[MaybePostalLine, Field(description="Its code, or its name.", examples=["CA"])]
PostalCode = Annotated[MaybePostalLine, Field(max_length=20, examples=["94043"])]
Country = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$"),
    Field(description="A code of ISO 3166-1, two letters.", examples=["US"]),
]
Phone = Annotated[
    MaybePostalLine,
    Field(description="With the country's code, or as it is dialled in the country.", examples=["+1 650 253 0000"]),
]


class Registration(Input):
    username: Username
    email: EmailAddress
    password: NewPassword
    consents: Consents = Field(default_factory=Consents)

    @field_validator("password")
    @classmethod
    def _unlike_names(cls, password: str, fields: ValidationInfo) -> str:
        if is_like_name(password, *fields.data.values()):
            raise PydanticCustomError(PasswordLikeName.code, PasswordLikeName.message)
        return password


class Credentials(Input):
    """A password, and either the username or the e-mail address; `username` may hold either.

    `otp` is needed by an account with a second factor, and ignored by one without.
    """

    username: Annotated[Line, Field(max_length=MAX_EMAIL), NoControls] | None = None
    email: Annotated[Line, Field(max_length=MAX_EMAIL), NoControls] | None = None
    password: Password
    otp: Code | None = None

    @model_validator(mode="after")
    def _one_name(self) -> "Credentials":
        if (self.username is None) == (self.email is None):
            raise PydanticCustomError("login_name", "Give either a username or an e-mail address")
        return self

    @property
    def name(self) -> str:
        return self.username or self.email or ""


class RefreshRequest(Input):
    refresh_token: Token


class LogoutRequest(Input):
    refresh_token: Token | None = None


class AccountChange(Change):
    username: Username | None = None
    email: EmailAddress | None = None


class EmailGiven(Input):
    email: EmailAddress


class MailedToken(Input):
    token: Token


class PasswordReset(Input):
    token: Token
    new_password: NewPassword


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


class Registered(BaseModel):
    msg: str
    user: AccountOut


class AccountShown(BaseModel):
    user: AccountOut


class AccountChanged(BaseModel):
    msg: str
    user: AccountOut


class TokenPair(BaseModel):
    """`expires_in` is how many seconds the access token is valid."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int


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


class NewRole(Input):
    name: RoleName
    permissions: Some[StaffPermission]


class RoleChange(Change):
    name: RoleName | None = None
    permissions: Some[StaffPermission] | None = None


class RolePath(BaseModel):
    role_id: int


class RoleOut(BaseModel):
    id: int
    name: str
    permissions: list[Permission]
    is_built_in: bool

    @classmethod
    def of(cls, role: StaffRole) -> "RoleOut":
        return cls(id=role.id, name=role.name, permissions=sorted(role.holds), is_built_in=role.is_built_in)


class RoleList(BaseModel):
    roles: list[RoleOut]


class RoleAdded(BaseModel):
    msg: str
    role: RoleOut


class RoleChanged(BaseModel):
    msg: str
    role: RoleOut


class RolesWanted(Input):
    """All roles that the account shall have, by their names."""

    roles: Annotated[list[RoleName], Field(max_length=100)]


class StaffPath(BaseModel):
    customer_id: int


class StaffOut(BaseModel):
    """`permissions` is what the roles allow together."""

    id: int
    username: str
    email: str
    roles: list[str]
    permissions: list[Permission]

    @classmethod
    def of(cls, account: Customer, roles: Sequence[StaffRole]) -> "StaffOut":
        return cls(
            id=account.id,
            username=account.username,
            email=account.email,
            roles=[role.name for role in roles],
            permissions=sorted(frozenset[Permission]().union(*(role.holds for role in roles))),
        )


class StaffList(BaseModel):
    staff: list[StaffOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[Customer], roles: Mapping[int, Sequence[StaffRole]]) -> "StaffList":
        staff = [StaffOut.of(account, roles.get(account.id, ())) for account in page.rows]
        return cls(staff=staff, pagination=Pagination.of(page))


class StaffChanged(BaseModel):
    msg: str
    staff: StaffOut


class NewApiKey(Input):
    """`scopes` is what the key may do, `operations` the only operations it is for, if it is not for all.

    `spend_cap`, in the shop's currency, is how much may be ordered with it in all.
    """

    name: KeyName
    scopes: Some[Scope]
    operations: Some[OperationId] | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3_650, description="Null: never.")] | None = 365
    spend_cap: Amount | None = None

    def cap(self, currency: str) -> SpendCap | None:
        return _cap(self.spend_cap, currency)


class KeyChange(Change):
    name: KeyName | None = None
    scopes: Some[Scope] | None = None
    operations: Some[OperationId] | None = None
    spend_cap: Amount | None = None

    def cap(self, currency: str) -> SpendCap | None:
        return _cap(self.spend_cap, currency)


class KeyRotation(Input):
    """`overlap_seconds` is how long the secret before works on."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 3_600


class KeyPath(BaseModel):
    key_id: int


class KeyOut(BaseModel):
    """`hint` is how the secret begins and ends. `spent` is what was ordered under the cap; both are null without."""

    id: int
    customer_id: int
    name: str
    hint: str
    scopes: list[Permission]
    operations: list[str] | None
    spend_cap: Amount | None
    spent: Amount | None
    currency: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        return cls(
            id=key.id,
            customer_id=key.customer_id,
            name=key.name,
            hint=f"{PREFIX}…{key.last_four}",
            scopes=sorted(permissions_in(key.scopes)),
            operations=None if key.operations is None else key.operations.split(),
            spend_cap=_amount(key.spend_cap_minor, key.currency),
            spent=_amount(key.spent_minor, key.currency),
            currency=key.currency,
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


class KeyList(BaseModel):
    keys: list[KeyOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[ApiKey]) -> "KeyList":
        return cls(keys=[KeyOut.of(key) for key in page.rows], pagination=Pagination.of(page))


class KeyShown(BaseModel):
    key: KeyOut


class KeyChanged(BaseModel):
    msg: str
    key: KeyOut


class KeySecret(BaseModel):
    """`secret` is shown this once; only its hash is kept."""

    msg: str
    secret: str
    key: KeyOut


def _cap(amount: Decimal | None, currency: str) -> SpendCap | None:
    return None if amount is None else SpendCap(to_minor(amount, currency, pointer="/spend_cap"), currency)


def _amount(minor: int | None, currency: str | None) -> Decimal | None:
    return None if minor is None or currency is None else to_major(minor, currency)


class AddressPath(BaseModel):
    address_id: int


class NewAddress(Input):
    """What an address needs depends on its country; what it does not need may be left out, or empty."""

    name: PostalLine
    company: MaybePostalLine = ""
    lines: PostalLines = []
    district: MaybePostalLine = ""
    city: MaybePostalLine = ""
    region: Region = ""
    postal_code: PostalCode = ""
    country: Country
    phone: Phone = ""
    is_default_shipping: bool = False
    is_default_billing: bool = False

    def postal(self) -> PostalAddress:
        return PostalAddress(**self.model_dump(exclude={"is_default_shipping", "is_default_billing"}))


class AddressChange(Change):
    """What to change; what is not given stays, and an empty string takes away what the country does not need."""

    name: PostalLine | None = None
    company: MaybePostalLine | None = None
    lines: PostalLines | None = None
    district: MaybePostalLine | None = None
    city: MaybePostalLine | None = None
    region: Region | None = None
    postal_code: PostalCode | None = None
    country: Country | None = None
    phone: Phone | None = None
    is_default_shipping: bool | None = None
    is_default_billing: bool | None = None

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude={"is_default_shipping", "is_default_billing"})


class AddressOut(BaseModel):
    """`phone` is in E.164, `phone_national` the same number as it is written in its country."""

    id: int
    name: str
    company: str
    lines: list[str]
    district: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str
    phone_national: str
    is_default_shipping: bool
    is_default_billing: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, address: Address) -> "AddressOut":
        shown = {name: getattr(address, name) for name in cls.model_fields if name != "phone_national"}
        return cls(phone_national=national_form(address.phone) if address.phone else "", **shown)


class AddressBook(BaseModel):
    addresses: list[AddressOut]

    @classmethod
    def of(cls, addresses: Sequence[Address]) -> "AddressBook":
        return cls(addresses=[AddressOut.of(address) for address in addresses])


class AddressShown(BaseModel):
    address: AddressOut


class AddressChanged(BaseModel):
    msg: str
    address: AddressOut


class ProviderPath(BaseModel):
    provider: Annotated[str, Field(description="A provider's name.", examples=["google"])]


class IdentityPath(BaseModel):
    identity_id: int


class FlowStart(Input):
    """Where the provider sends people back to; it must be one of the addresses this shop allows."""

    redirect_uri: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REDIRECT_URI)]


class FlowFinish(Input):
    """What the provider added to the redirect URI, and the flow token that was kept meanwhile.

    `otp` is needed by an account with a second factor, and ignored by one without.
    """

    code: Annotated[str, StringConstraints(min_length=1, max_length=4_096)]
    state: Token
    flow_token: Token
    iss: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    otp: Code | None = None


class ProviderOut(BaseModel):
    name: str
    display_name: str


class ProviderList(BaseModel):
    providers: list[ProviderOut]


class FlowStarted(BaseModel):
    """Keep `flow_token` where only this client reads it, and send people to `authorization_url`."""

    authorization_url: str
    state: str
    flow_token: str
    expires_in: int


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

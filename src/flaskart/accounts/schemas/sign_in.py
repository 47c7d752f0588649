"""Public JSON of registering and signing in."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from flaskart.accounts.errors import PasswordLikeName
from flaskart.accounts.models import (
    MAX_EMAIL,
    MAX_REDIRECT_URI,
    ConsentPurpose,
)
from flaskart.accounts.passwords import is_like_name
from flaskart.accounts.schemas.account import AccountOut
from flaskart.accounts.schemas.fields import Code, EmailAddress, NewPassword, Password, Token, Username
from flaskart.web.fields import Change, Input, Line, NoControls


class Consents(Change):
    """What somebody agrees to, and what not; about a purpose that is not given they said nothing."""

    marketing_email: bool | None = None
    marketing_sms: bool | None = None
    analytics: bool | None = None
    personalization: bool | None = None

    @property
    def given(self) -> dict[ConsentPurpose, bool]:
        return {ConsentPurpose(name): granted for name, granted in self.model_dump(exclude_unset=True).items()}


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


class EmailGiven(Input):
    email: EmailAddress


class MailedToken(Input):
    token: Token


class PasswordReset(Input):
    token: Token
    new_password: NewPassword


class Registered(BaseModel):
    msg: str
    user: AccountOut


class TokenPair(BaseModel):
    """`expires_in` is how many seconds the access token is valid."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class ProviderPath(BaseModel):
    provider: Annotated[str, Field(description="A provider's name.", examples=["google"])]


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

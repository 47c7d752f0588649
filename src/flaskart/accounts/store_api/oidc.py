"""The door for those who sign in with an account elsewhere (OpenID Connect)."""

from typing import cast

from flask import Response, current_app

from flaskart.accounts import actions
from flaskart.accounts.actions.social_sign_in import FLOW_SECONDS
from flaskart.accounts.errors import (
    AccountDisabled,
    AccountNotLinked,
    CodeRefused,
    EmailNotVerified,
    IdTokenRefused,
    InvalidCredentials,
    InvalidFlow,
    IssuerMixedUp,
    ProviderEmailUnverified,
    ProviderFailed,
    ProviderNotFound,
    RedirectUriNotAllowed,
    SecondFactorFailed,
    SecondFactorRequired,
)
from flaskart.accounts.oidc.providers import KEY, Providers
from flaskart.accounts.schemas import (
    FlowFinish,
    FlowStart,
    FlowStarted,
    ProviderList,
    ProviderOut,
    ProviderPath,
    TokenPair,
)
from flaskart.accounts.store_api.auth import device_of_caller, terms_of_sign_in, token_pair
from flaskart.kit.actor import Actor
from flaskart.web.attempts import SIGN_IN, attempt
from flaskart.web.auth import anyone
from flaskart.web.http import db, show
from flaskart.web.limits import TooManyAttempts
from flaskart.web.openapi import WITHOUT_DATABASE, WITHOUT_IDEMPOTENCY, answers, door

STARTING = (ProviderNotFound, RedirectUriNotAllowed, ProviderFailed)
FINISHING = (ProviderNotFound, InvalidFlow, IssuerMixedUp, CodeRefused, IdTokenRefused, ProviderFailed)

api = door("oidc", __name__, "/auth/oidc", "oidc", "Sign in with an account elsewhere, by OpenID Connect.")


@api.get("", responses=answers(ProviderList), openapi_extensions=WITHOUT_DATABASE)
@anyone
def list_providers() -> Response:
    """List the providers one can sign in with."""
    listed = [ProviderOut(name=name, display_name=p.display_name) for name, p in providers().all.items()]
    return show(ProviderList(providers=listed))


@api.post("/<provider>/start", responses=answers(FlowStarted, *STARTING), openapi_extensions=WITHOUT_IDEMPOTENCY)
@anyone
def start_social_sign_in(path: ProviderPath, body: FlowStart) -> Response:
    """Start to sign in with a provider.

    Send people to `authorization_url`. They come back to the redirect URI with a `code` and the `state`, which are
    finished together with the `flow_token`. Keep that one where only this client reads it: whoever has no flow token
    of their own cannot be signed in to somebody else's account.
    """
    return show(started(path.provider, body))


@api.post(
    "/<provider>/finish",
    responses=answers(
        TokenPair,
        *FINISHING,
        InvalidCredentials,
        ProviderEmailUnverified,
        AccountNotLinked,
        AccountDisabled,
        EmailNotVerified,
        SecondFactorRequired,
        SecondFactorFailed,
        TooManyAttempts,
    ),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@anyone
def finish_social_sign_in(path: ProviderPath, body: FlowFinish) -> Response:
    """Finish to sign in with a provider; who comes for the first time gets an account.

    An account that has the same e-mail address is linked, if both the provider and the shop have verified it. One with
    a second factor needs a code besides, `otp`; without it the answer is 401 `second_factor_required`, and one starts
    again.
    """
    client = providers().client(path.provider)
    with attempt(SIGN_IN):
        sign_in = actions.sign_in_through(
            db(), client, callback_of(body), terms=terms_of_sign_in(), otp=body.otp, device=device_of_caller()
        )
    return show(token_pair(sign_in))


def providers() -> Providers:
    return cast("Providers", current_app.extensions[KEY])


def started(provider: str, body: FlowStart, actor: Actor | None = None) -> FlowStarted:
    """Start a flow; with an actor, one that links the provider to their account."""
    client = providers().client(provider)
    providers().check_redirect_uri(body.redirect_uri)
    invitation = actions.start_flow(db(), client, body.redirect_uri, actor=actor)
    return FlowStarted(
        authorization_url=invitation.authorization_url,
        state=invitation.state,
        flow_token=invitation.flow_token,
        expires_in=FLOW_SECONDS,
    )


def callback_of(body: FlowFinish) -> actions.Callback:
    return actions.Callback(code=body.code, state=body.state, flow_token=body.flow_token, issuer=body.iss)

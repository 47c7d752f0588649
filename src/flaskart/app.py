"""The builder: the only module that knows all rooms."""

import ctypes
from typing import TYPE_CHECKING, cast

from flask import Flask
from flask_openapi.models.info import Info
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskart import __version__
from flaskart.accounts.actions import note_use
from flaskart.accounts.admin_api.customers import api as customers_admin_api
from flaskart.accounts.admin_api.keys import api as keys_api
from flaskart.accounts.admin_api.roles import api as roles_api
from flaskart.accounts.admin_api.staff import api as staff_api
from flaskart.accounts.oidc.providers import KEY as PROVIDERS
from flaskart.accounts.oidc.providers import read_providers
from flaskart.accounts.queries import find_actor, find_key
from flaskart.accounts.store_api.account import api as account_api
from flaskart.accounts.store_api.addresses import api as addresses_api
from flaskart.accounts.store_api.auth import api as auth_api
from flaskart.accounts.store_api.consents import api as consents_api
from flaskart.accounts.store_api.identities import api as identities_api
from flaskart.accounts.store_api.mailed import api as mailed_api
from flaskart.accounts.store_api.oidc import api as oidc_api
from flaskart.accounts.store_api.second_factor import api as second_factor_api
from flaskart.accounts.store_api.sessions import api as sessions_api
from flaskart.audit.admin_api import api as audit_api
from flaskart.cart.store_api import api as cart_api
from flaskart.checkout.store_api import api as checkout_api
from flaskart.kit.db import Database
from flaskart.kit.seals import Seals
from flaskart.kit.slots import Slots
from flaskart.listings.admin_api import api as products_admin_api
from flaskart.listings.store_api import api as products_api
from flaskart.migrations import head_revision
from flaskart.orders.store_api import api as orders_api
from flaskart.privacy.store_api import api as privacy_api
from flaskart.settings import Settings, rate_of
from flaskart.web import auth, http, idempotency, problems, requests
from flaskart.web.counters import Counters, MemoryCounters, RedisCounters, counters_at
from flaskart.web.docs import pages
from flaskart.web.health import api as health_api
from flaskart.web.kept import KeptAnswers
from flaskart.web.limits import Attempts, RequestLimit
from flaskart.web.openapi import SECURITY_SCHEMES, ShopApp
from flaskart.web.tokens import AccessTokens

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

DOORS = (
    auth_api,
    account_api,
    addresses_api,
    oidc_api,
    identities_api,
    roles_api,
    staff_api,
    keys_api,
    mailed_api,
    sessions_api,
    second_factor_api,
    consents_api,
    privacy_api,
    customers_admin_api,
    products_api,
    products_admin_api,
    cart_api,
    orders_api,
    checkout_api,
    audit_api,
    health_api,
)
HASHING_WAIT_SECONDS = 5.0
M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES = -1, 128 * 1024  # see mallopt(3)


def create_app(settings: Settings) -> ShopApp:
    """Build an app. Nothing is shared with another one, and the database is first asked when a request comes.

    Raises:
        SettingsError: no usable secret.
        OperatorError: the file of sign-in providers is not right.
    """
    app = ShopApp(
        __name__,
        info=Info(title="Flaskart", version=__version__, description="A headless commerce backend."),
        security_schemes=SECURITY_SCHEMES,
        validation_error_callback=problems.refuse_fields,
        validation_error_model=problems.Problem,
        doc_ui=False,
        static_folder=None,
    )
    secret, old_secrets = settings.secret(), tuple(settings.old_secrets())
    db = Database(settings.database)
    tokens = AccessTokens.with_secret(secret, settings.access_token_seconds, old_secrets)
    counters = counters_at(settings.rate_limit_storage, db, secret) if settings.rate_limits == "on" else None
    app.extensions[http.KEY] = http.Shop(
        settings=settings,
        secret=secret,
        old_secrets=old_secrets,
        seals=Seals([secret, *old_secrets]),
        hashing=Slots(settings.max_password_hashes, wait_seconds=HASHING_WAIT_SECONDS),
        db=db,
        tokens=tokens,
        find_actor=find_actor,
        find_key=find_key,
        note_use=note_use,
        revision=head_revision(),
        kept=KeptAnswers(app.wsgi_app, db),
        attempts=None if counters is None else Attempts(rate_of(settings.rate_limit_failures), counters),
    )
    app.extensions[PROVIDERS] = read_providers(settings.oidc_providers)
    app.url_map.converters["id"] = http.IdConverter
    for door in DOORS:
        app.register_api(door)
    app.register_blueprint(pages)
    for part in (http, problems, idempotency, auth, requests):
        part.register(app)
    app.wsgi_app = _before_flask(app.extensions[http.KEY], counters)  # type: ignore[assignment, method-assign]
    return app


def _before_flask(shop: http.Shop, counters: Counters | None) -> "WSGIApplication":
    """Return the app with what a request meets before it: the proxies' headers, the limit, the kept answers."""
    settings, app = shop.settings, cast("WSGIApplication", shop.kept)
    if counters is not None:
        rate = rate_of(settings.rate_limit_requests)
        # A write for every request is more than a database should bear: without Redis each process counts by itself.
        shared = counters if isinstance(counters, RedisCounters) else MemoryCounters()
        app = RequestLimit(app, shop.tokens, rate, shared)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app = ProxyFix(app, x_for=count, x_proto=count, x_host=count)
    return app


def wsgi() -> Flask:
    """Build the app of a server process from its environment."""
    _give_memory_back()
    return create_app(Settings.load())


def _give_memory_back() -> None:
    """Keep glibc, in a process that serves, from keeping the 19 MiB that hashing a password takes for a moment.

    It would learn from the first one not to give back anything of that size. Other C libraries have nothing to set.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES)

"""What each route needs and what it is about: one line for each. A route without its line fails the tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flaskart.kit.actor import Permission
from flaskart.web.auth import ANYONE, Access
from tests.authorization.things import (
    ACCOUNT,
    ADDRESS,
    API_KEY,
    AUDIT_ENTRY,
    CART_LINE,
    CONSENT,
    EMAIL_CHANGE,
    EXPORT,
    EXPORT_TOKEN,
    HOME,
    IDENTITY,
    ONE_TIME_PASSWORD,
    ORDER,
    PASSWORD_RESET,
    PRODUCT,
    PROVIDER,
    RECOVERY_CODE,
    REFRESH_TOKEN,
    ROLE,
    SESSION,
    USERNAME,
    VERIFICATION,
    Id,
    Thing,
    file,
)
from tests.callers import PASSWORD


@dataclass(frozen=True)
class Row:
    """A route: the permission it needs, what its path names, and a body and status with which it succeeds."""

    access: Access
    thing: Thing | None = None
    body: Mapping[str, Any] | Callable[[Id], Mapping[str, Any]] | None = None
    status: int = 200

    def body_for(self, thing: Id) -> Mapping[str, Any] | None:
        return self.body(thing) if callable(self.body) else self.body


OWN = Permission.ACCOUNT
SHOP = Permission.SHOPPING
CATALOG = Permission.CATALOG_WRITE
STAFF = Permission.STAFF_WRITE
KEYS = Permission.KEYS_WRITE
CUSTOMERS = Permission.CUSTOMERS_WRITE
FLOW = {"code": "code", "state": "state", "flow_token": "token"}
REDIRECT = {"redirect_uri": "https://shop.example/back"}


def _with_password(otp: Id) -> Mapping[str, Any]:
    return {"current_password": PASSWORD, "otp": otp}


TABLE: Mapping[str, Row] = {
    "GET /healthz": Row(ANYONE),
    "GET /readyz": Row(ANYONE),
    "GET /openapi.json": Row(ANYONE),
    "GET /docs": Row(ANYONE),
    "GET /docs/own/{name}": Row(ANYONE, file("docs.css")),
    "GET /docs/swagger/{name}": Row(ANYONE, file("css/swagger-ui.css")),
    "POST /auth/register": Row(
        ANYONE, USERNAME, lambda n: {"username": f"x{n}", "email": f"x{n}@example.com", "password": PASSWORD}, 201
    ),
    "POST /auth/login": Row(ANYONE, USERNAME, lambda name: {"username": name, "password": PASSWORD}),
    "POST /auth/refresh": Row(ANYONE, REFRESH_TOKEN, lambda token: {"refresh_token": token}),
    "POST /auth/logout": Row(ANYONE, REFRESH_TOKEN, lambda token: {"refresh_token": token}),
    "GET /account": Row(OWN),
    "PATCH /account": Row(OWN, USERNAME, lambda name: {"username": f"x{name}"}),
    "DELETE /account": Row(OWN),
    "POST /account/password": Row(OWN, body={"current_password": PASSWORD, "new_password": "battery staple"}),
    "POST /auth/verify-email": Row(ANYONE, VERIFICATION, lambda token: {"token": token}),
    "POST /auth/verify-email/resend": Row(ANYONE, USERNAME, lambda name: {"email": f"{name}@example.com"}),
    "POST /auth/password/forgot": Row(ANYONE, USERNAME, lambda name: {"email": f"{name}@example.com"}),
    "POST /auth/password/reset": Row(
        ANYONE, PASSWORD_RESET, lambda token: {"token": token, "new_password": "battery staple"}
    ),
    "POST /auth/email/confirm": Row(ANYONE, EMAIL_CHANGE, lambda token: {"token": token}),
    # This shop has no providers, so whoever is let in does not find one; tests/accounts/test_social_sign_in.py has one.
    "GET /auth/oidc": Row(ANYONE),
    "POST /auth/oidc/{provider}/start": Row(ANYONE, PROVIDER, REDIRECT, 404),
    "POST /auth/oidc/{provider}/finish": Row(ANYONE, PROVIDER, FLOW, 404),
    "GET /account/identities": Row(OWN, IDENTITY),
    "POST /account/identities/{provider}/start": Row(OWN, PROVIDER, REDIRECT, 404),
    "POST /account/identities/{provider}/finish": Row(OWN, PROVIDER, FLOW, 404),
    "DELETE /account/identities/{identity_id}": Row(OWN, IDENTITY),
    "GET /account/addresses": Row(OWN, ADDRESS),
    "POST /account/addresses": Row(OWN, body=HOME, status=201),
    "GET /account/addresses/{address_id}": Row(OWN, ADDRESS),
    "PATCH /account/addresses/{address_id}": Row(OWN, ADDRESS, {"is_default_billing": True}),
    "DELETE /account/addresses/{address_id}": Row(OWN, ADDRESS),
    "GET /account/sessions": Row(OWN, SESSION),
    "DELETE /account/sessions": Row(OWN, SESSION),
    "DELETE /account/sessions/{session_id}": Row(OWN, SESSION),
    "GET /account/second-factor": Row(OWN, RECOVERY_CODE),
    "POST /account/second-factor": Row(OWN, body={"current_password": PASSWORD}, status=201),
    "POST /account/second-factor/confirm": Row(OWN, ONE_TIME_PASSWORD, lambda otp: {"otp": otp}),
    "POST /account/second-factor/recovery-codes": Row(OWN, RECOVERY_CODE, _with_password),
    "POST /account/second-factor/disable": Row(OWN, RECOVERY_CODE, _with_password),
    "GET /account/consents": Row(OWN),
    "PUT /account/consents/{purpose}": Row(OWN, CONSENT, {"granted": True}),
    "POST /account/export": Row(OWN, status=202),
    "GET /account/exports": Row(OWN, EXPORT),
    "GET /account/exports/{token}": Row(ANYONE, EXPORT_TOKEN),
    "GET /products": Row(ANYONE, PRODUCT),
    "GET /products/{product_id}": Row(ANYONE, PRODUCT),
    "POST /products": Row(CATALOG, body={"name": "Cup", "price": 5}, status=201),
    "PATCH /products/{product_id}": Row(CATALOG, PRODUCT, {"price": 5}),
    "PUT /products/{product_id}": Row(CATALOG, PRODUCT, {"price": 5}),
    "DELETE /products/{product_id}": Row(CATALOG, PRODUCT),
    "GET /cart": Row(SHOP, CART_LINE),
    "POST /cart": Row(SHOP, PRODUCT, lambda product_id: {"product_id": product_id}),
    "PATCH /cart/{product_id}": Row(SHOP, CART_LINE, {"quantity": 2}),
    "DELETE /cart/{product_id}": Row(SHOP, CART_LINE),
    "DELETE /cart/clear": Row(SHOP, CART_LINE),
    "POST /orders": Row(SHOP, CART_LINE, {}, 201),
    "GET /orders": Row(SHOP, ORDER),
    "GET /orders/history": Row(SHOP, ORDER),
    "GET /orders/{order_id}": Row(SHOP, ORDER),
    "POST /orders/{order_id}/cancel": Row(SHOP, ORDER),
    "GET /admin/roles": Row(Permission.STAFF_READ),
    "POST /admin/roles": Row(STAFF, body={"name": "cook", "permissions": ["staff.write"]}, status=201),
    "PATCH /admin/roles/{role_id}": Row(STAFF, ROLE, {"permissions": ["staff.write"]}),
    "DELETE /admin/roles/{role_id}": Row(STAFF, ROLE),
    "GET /admin/staff": Row(Permission.STAFF_READ),
    "PUT /admin/staff/{customer_id}/roles": Row(STAFF, ACCOUNT, {"roles": []}),
    "GET /admin/keys": Row(KEYS, API_KEY),
    "POST /admin/keys": Row(KEYS, body={"name": "robot", "scopes": ["shopping"]}, status=201),
    "GET /admin/keys/{key_id}": Row(KEYS, API_KEY),
    "PATCH /admin/keys/{key_id}": Row(KEYS, API_KEY, {"name": "rover"}),
    "DELETE /admin/keys/{key_id}": Row(KEYS, API_KEY),
    "POST /admin/keys/{key_id}/rotate": Row(KEYS, API_KEY, {"overlap_seconds": 60}),
    "GET /admin/customers": Row(Permission.CUSTOMERS_READ),
    "GET /admin/customers/{customer_id}": Row(Permission.CUSTOMERS_READ, ACCOUNT),
    "POST /admin/customers/{customer_id}/disable": Row(CUSTOMERS, ACCOUNT, {"reason": "Chargebacks"}),
    "POST /admin/customers/{customer_id}/enable": Row(CUSTOMERS, ACCOUNT),
    "POST /admin/customers/{customer_id}/sign-out": Row(CUSTOMERS, ACCOUNT),
    "POST /admin/customers/{customer_id}/reset-second-factor": Row(CUSTOMERS, ACCOUNT),
    "GET /admin/audit": Row(Permission.AUDIT_READ, AUDIT_ENTRY),
    "GET /admin/audit/{entry_id}": Row(Permission.AUDIT_READ, AUDIT_ENTRY),
}

"""No column is forgotten: each that could hold something of a person says so, or a reason stands here why it cannot."""

from sqlalchemy import BigInteger, Boolean, DateTime, Integer, Numeric
from sqlalchemy.types import TypeDecorator, TypeEngine

from flaskart.migrations.tables import METADATA
from tests.privacy.planting import OWNED, personal_columns

COUNTED = (BigInteger, Boolean, DateTime, Integer, Numeric)
NOT_PERSONAL = {
    "customer.role": "one of a few words",
    "sign_in.family": "random; the row is deleted",
    "refresh_token.family": "random; the row is deleted",
    "refresh_token.token_hash": "of a random token; the row is deleted",
    "account_token.purpose": "one of a few words",
    "account_token.token_hash": "of a random token; the row is deleted",
    "recovery_code.code_hash": "of a random code; the row is deleted",
    "external_identity.provider": "what the shop's settings call it",
    "oidc_flow.token_hash": "of a random token; the row is deleted",
    "oidc_flow.state_hash": "of a random state; the row is deleted",
    "oidc_flow.provider": "what the shop's settings call it",
    "oidc_flow.redirect_uri": "one of those in the shop's settings",
    "address.country": "a code of ISO 3166",
    "consent.purpose": "one of a few words",
    "consent.source": "one of a few words",
    "role.name": "what the shop calls a set of permissions",
    "role.permissions": "a few words",
    "api_key.last_four": "of a random secret",
    "api_key.scopes": "a few words",
    "api_key.operations": "names of operations of the API",
    "api_key.currency": "a code of ISO 4217",
    "api_key_secret.secret_hash": "of a random secret",
    "cart.currency": "a code of ISO 4217",
    "order.number": "counts the shop's orders, and stays in its books",
    "order.currency": "a code of ISO 4217",
    "order.status": "one of a few words",
    "order.payment_status": "one of a few words",
    "order.fulfillment_status": "one of a few words",
    "order.return_status": "one of a few words",
    "order_line.sku": "what the shop calls its goods",
    "order_line.product_name": "what the shop calls its goods",
    "order_event.kind": "one of a few words",
    "product.name": "what the shop sells",
    "product.slug": "what the shop sells",
    "product.description": "what the shop sells",
    "product.status": "one of a few words",
    "variant.sku": "what the shop sells",
    "variant.currency": "a code of ISO 4217",
    "stock_location.name": "a place of the shop",
    "stock_movement.kind": "one of a few words",
    "stock_movement.reference": "an order's id",
    "idempotency_key.caller": "a customer's id; the row is deleted",
    "export.state": "one of a few words",
    "export.token_hash": "of a random token; the row is deleted",
    "job.name": "what the worker calls it",
    "job.leased_by": "a process of the shop",
    "rate_counter.key": "a keyed digest; the row runs out",
    "audit_entry.at": "a time",
    "audit_entry.actor_kind": "one of a few words",
    "audit_entry.action": "one of a few words",
    "audit_entry.subject_kind": "one of a few words",
    "audit_entry.before": "fields that its kind lists as not personal",
    "audit_entry.after": "fields that its kind lists as not personal",
    "audit_entry.withheld": "names of fields",
    "audit_entry.request_id": "random",
    "audit_entry.previous_hash": "of an entry, which holds nothing personal",
    "audit_entry.hash": "of an entry, which holds nothing personal",
    "audit_head.hash": "of an entry, which holds nothing personal",
}


def can_hold_text(kind: TypeEngine[object]) -> bool:
    if isinstance(kind, TypeDecorator):
        return can_hold_text(kind.impl_instance)
    return not isinstance(kind, COUNTED)


def test_every_column_that_can_hold_text_is_personal_or_has_a_reason_not_to_be() -> None:
    columns = [column for table in METADATA.sorted_tables for column in table.columns if can_hold_text(column.type)]
    personal = {str(column) for column in personal_columns()}

    assert {str(column) for column in columns} - personal == NOT_PERSONAL.keys()
    assert personal.isdisjoint(NOT_PERSONAL)
    assert "customer.email" in personal


def test_every_table_with_personal_columns_is_planted_in() -> None:
    assert {column.table.name for column in personal_columns()} == OWNED.keys()

"""What a person can do with an account."""

from flaskart.accounts.actions.account import (
    change_password,
    delete_account,
    edit_account,
    find_verified_hash,
    register,
)
from flaskart.accounts.actions.addresses import add_address, edit_address, remove_address
from flaskart.accounts.actions.sign_in import (
    SignIn,
    begin_sign_in,
    forget_expired_sign_ins,
    log_in,
    log_out,
    refresh,
    revoke_sign_in,
)
from flaskart.accounts.actions.social_sign_in import (
    Callback,
    forget_expired_flows,
    link_identity,
    sign_in_through,
    start_flow,
    unlink_identity,
)

__all__ = [
    "Callback",
    "SignIn",
    "add_address",
    "begin_sign_in",
    "change_password",
    "delete_account",
    "edit_account",
    "edit_address",
    "find_verified_hash",
    "forget_expired_flows",
    "forget_expired_sign_ins",
    "link_identity",
    "log_in",
    "log_out",
    "refresh",
    "register",
    "remove_address",
    "revoke_sign_in",
    "sign_in_through",
    "start_flow",
    "unlink_identity",
]

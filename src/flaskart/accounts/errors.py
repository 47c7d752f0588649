"""How dealing with an account can fail."""

from flaskart.kit.errors import BadGateway, Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated


class UsernameTaken(Conflict):
    code = "username_taken"
    message = "This username is taken"
    pointer = "/username"


class EmailTaken(Conflict):
    code = "email_taken"
    message = "This e-mail address is taken"
    pointer = "/email"


class InvalidCredentials(Unauthenticated):
    code = "invalid_credentials"
    message = "Invalid credentials"


class SecondFactorRequired(Unauthenticated):
    code = "second_factor_required"
    message = "This account has a second factor: send its code, too, as otp"


class SecondFactorFailed(InvalidCredentials):
    """Credentials were wrong, too: whoever counts failed sign-ins counts this."""

    code = "second_factor_failed"
    message = "This code of the second factor is not right, has expired or was used"


class AccountDisabled(Forbidden):
    code = "account_disabled"
    message = "This account was disabled by the shop"


class EmailNotVerified(Forbidden):
    code = "email_not_verified"
    message = "Confirm your e-mail address first: the message that was sent to it says how"


class InvalidRefreshToken(Unauthenticated):
    code = "invalid_refresh_token"
    message = "The refresh token is not valid, has expired or was revoked"


class InvalidMailedToken(InvalidInput):
    code = "invalid_mailed_token"
    message = "This token is not valid, has expired or was used"
    pointer = "/token"


class WrongPassword(InvalidInput):
    code = "wrong_password"
    message = "This is not your current password"
    pointer = "/current_password"


class CustomerNotFound(NotFound):
    code = "customer_not_found"
    message = "Customer not found"


class CustomerErased(Conflict):
    code = "customer_erased"
    message = "This customer was erased"


class OwnAccount(Conflict):
    code = "own_account"
    message = "You cannot disable your own account"


class PasswordLikeName(InvalidInput):
    code = "password_like_name"
    message = "A password must not contain the username or the e-mail address"
    pointer = "/new_password"


class WrongCode(InvalidInput):
    code = "wrong_code"
    message = "This code is not right, has expired or was used"
    pointer = "/otp"


class SecondFactorEnrolled(Conflict):
    code = "second_factor_enrolled"
    message = "This account has a second factor already"


class SecondFactorMissing(Conflict):
    code = "second_factor_missing"
    message = "This account has no second factor"


class SignInNotFound(NotFound):
    code = "session_not_found"
    message = "Session not found"


class AccountNotFound(NotFound):
    code = "account_not_found"
    message = "Account not found"


class RoleNotFound(NotFound):
    code = "role_not_found"
    message = "Role not found"


class RoleUnknown(InvalidInput):
    code = "role_unknown"
    message = "There is no such role"
    pointer = "/roles"


class RoleNameTaken(Conflict):
    code = "role_name_taken"
    message = "There is a role of this name"
    pointer = "/name"


class RoleBuiltIn(Conflict):
    code = "role_built_in"
    message = "A built-in role stays as it is; make one of your own"


class RoleInUse(Conflict):
    code = "role_in_use"
    message = "Some accounts have this role"


class MoreThanHeld(Forbidden):
    code = "more_than_held"
    message = "Nobody gives, takes or changes permissions that they do not hold themselves"


class LastOwner(Conflict):
    code = "last_owner"
    message = "A shop keeps at least one owner"


class KeyNotFound(NotFound):
    code = "key_not_found"
    message = "API key not found"


class KeyRevoked(Conflict):
    code = "key_revoked"
    message = "This API key was revoked"


class OperationUnknown(InvalidInput):
    code = "operation_unknown"
    message = "There is no such operation"
    pointer = "/operations"


class SpendCapReached(Forbidden):
    code = "spend_cap_reached"
    message = "This API key may not spend so much"


class AddressNotFound(NotFound):
    code = "address_not_found"
    message = "Address not found"


class InvalidAddress(InvalidInput):
    code = "invalid_address"
    message = "The address is not one of its country"


class AddressBookFull(Conflict):
    code = "address_book_full"
    message = "The account has as many addresses as it can"


class ProviderNotFound(NotFound):
    code = "provider_not_found"
    message = "This shop has no such sign-in provider"


class ProviderFailed(BadGateway):
    code = "provider_failed"
    message = "The sign-in provider does not answer as it should; try again later"


class IdTokenRefused(BadGateway):
    code = "id_token_refused"
    message = "The sign-in provider did not prove who you are; start again"


class RedirectUriNotAllowed(InvalidInput):
    code = "redirect_uri_not_allowed"
    message = "This shop sends nobody there after a sign-in"
    pointer = "/redirect_uri"


class InvalidFlow(InvalidInput):
    code = "invalid_sign_in_flow"
    message = "This sign-in was not started by you, is finished already or took too long; start again"


class IssuerMixedUp(InvalidInput):
    code = "issuer_mixed_up"
    message = "This answer does not come from the provider that was asked"
    pointer = "/iss"


class CodeRefused(InvalidInput):
    code = "code_refused"
    message = "The sign-in provider does not accept this code; start again"
    pointer = "/code"


class ProviderEmailUnverified(Forbidden):
    code = "provider_email_unverified"
    message = "The provider does not vouch for an e-mail address of yours: register, then link it to your account"


class AccountNotLinked(Conflict):
    code = "account_not_linked"
    message = "An account has this e-mail address already: sign in to it, then link the provider to it"


class LinkNeedsVerifiedEmail(Conflict):
    code = "link_needs_verified_email"
    message = "Verify the e-mail address of your account before you link a provider to it"


class IdentityTaken(Conflict):
    code = "identity_taken"
    message = "This sign-in belongs to another account of this shop"


class IdentityNotFound(NotFound):
    code = "identity_not_found"
    message = "Your account has no such linked sign-in"


class LastWayIn(Conflict):
    code = "last_way_in"
    message = "This is the only way into your account: set a password or link another provider first"

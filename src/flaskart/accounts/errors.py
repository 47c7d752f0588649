"""How dealing with an account can fail."""

from flaskart.kit.errors import Conflict, InvalidInput, NotFound, Unauthenticated


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


class InvalidRefreshToken(Unauthenticated):
    code = "invalid_refresh_token"
    message = "The refresh token is not valid, has expired or was revoked"


class WrongPassword(InvalidInput):
    code = "wrong_password"
    message = "This is not your current password"
    pointer = "/current_password"


class AccountNotFound(NotFound):
    code = "account_not_found"
    message = "Account not found"


class AddressNotFound(NotFound):
    code = "address_not_found"
    message = "Address not found"


class InvalidAddress(InvalidInput):
    code = "invalid_address"
    message = "The address is not one of its country"


class AddressBookFull(Conflict):
    code = "address_book_full"
    message = "The account has as many addresses as it can"

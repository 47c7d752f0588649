"""The staff's doors to accounts: roles, who has them, and keys."""

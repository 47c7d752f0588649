"""The shopper's doors to accounts."""

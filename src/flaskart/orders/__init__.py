"""What was agreed: orders, their lines and what happened to them."""

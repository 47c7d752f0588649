"""OpenID Connect, the shop's side: which providers there are, and the talk with them. No tables, no transactions."""

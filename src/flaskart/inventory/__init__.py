"""How much of each variant the shop has, and where: levels, and the ledger that explains them."""

"""What stands in the shop: a product with its price and its stock, which catalog and inventory know apart."""

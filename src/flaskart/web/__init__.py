"""Flask lives here: what every door of the shop shares."""

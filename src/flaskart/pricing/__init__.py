"""The one room where money is added up: pure functions, no tables."""

"""Transactional mail: what a shop writes to its customers, and how it is sent."""

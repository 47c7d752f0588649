"""Customers and staff: who they are and how they sign in."""

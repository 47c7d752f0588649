"""Tools that know nothing of commerce or HTTP."""

"""How much work the shop does for each request, beside a bare Flask view on the same server."""

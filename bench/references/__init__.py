"""What the shop is compared with: as little as can be done on the same server, and in the same database."""

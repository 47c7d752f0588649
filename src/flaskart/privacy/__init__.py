"""What people may ask of a shop that keeps data about them: to see it, and to be forgotten."""

"""What staff see of the audit log, which `kit/audit.py` writes."""

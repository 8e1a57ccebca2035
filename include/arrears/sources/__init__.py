"""Where a ledger comes from: databases, files, the strict reading of what they deliver, and the vault for the rest."""

"""Authentication and encryption between processes: signed access tokens and sealed boxes."""

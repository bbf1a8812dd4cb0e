"""Who acts, and what only its addressee can read: signed tokens and sealed boxes."""

"""Evidence: files that are received, inspected, kept and served. Their bytes never cross the broker."""

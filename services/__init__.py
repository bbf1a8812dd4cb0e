"""The four stages of the procedure. Each is deployed, scaled and stored on its own; none imports another."""

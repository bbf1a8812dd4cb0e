"""The four stages of the procedure. Each has its own deployment, scaling and database, and none imports another."""

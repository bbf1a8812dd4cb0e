"""A stage's database: connections and transactions, outbox and inbox and their pruning, migrations, pages of rows."""

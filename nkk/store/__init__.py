"""A stage's database: connections, transactions, the outbox, the inbox, their pruning, migrations and paging."""

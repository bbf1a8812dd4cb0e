"""A stage's database: connections and transactions, the outbox and the inbox, migrations, and pages of rows."""

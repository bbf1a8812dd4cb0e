"""Transport of events and calls: the outbox relay, event consumers, RPC, and the broker topology they share.

It is generic: it depends on no particular event or call, and on nothing of the procedure.
"""

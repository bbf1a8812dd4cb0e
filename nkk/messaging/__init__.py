"""The plumbing between the stages: transactions with outbox and inbox, relay, consumers that lose nothing, RPC, actors.

It moves events and calls of any kind and knows none of them; the words of the procedure do not occur in here.
"""

"""How events and calls travel: the relay, consumers that lose nothing, RPC, and the topology they share.

It moves events and calls of any kind and knows none of them; the words of the procedure do not occur in here.
"""

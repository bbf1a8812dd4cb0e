"""Webhooks: each posts the events that one tool may hear to a URL, signed, from a process of its own.

The stages do not know of it. A webhook is a tool called `hook-<name>`, with a broker user and a queue of its own, so
that the broker itself limits what it hears.
"""

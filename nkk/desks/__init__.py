"""What every desk has in common: how its worklist is narrowed, and the columns of who is on what stands there."""

from nkk.desks.claims import claim_columns
from nkk.desks.worklist import EVERYTHING, Wanted, in_turn, narrowed, read_wanted

__all__ = ["EVERYTHING", "Wanted", "claim_columns", "in_turn", "narrowed", "read_wanted"]

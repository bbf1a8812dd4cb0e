"""The accountant: reads what an installation holds past its services, and says which of its books do not balance.

pages     what the databases hold, read once
events    everything told was sent, in order, and heard once
effects   every table holds what follows from the facts told, once
commands  what clients were answered and what was told agree
answers   every answer is a promised one, in time
broker    nothing waits, nothing is in quarantine that was not meant to fail
letters   nobody is written to twice, and everybody once
balance   all of them together
history   everything known about one complaint, for a book that does not balance
"""

from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Books, Pages, Told

__all__ = ["Books", "Breach", "Pages", "Told"]

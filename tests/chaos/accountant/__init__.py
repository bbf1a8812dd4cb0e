"""The accountant: reads the data of an installation without its services, and reports which books do not balance.

pages     what the databases contain, read once
events    every published event was sent, in order, and consumed once
effects   every table contains the effects of the published facts, once
commands  the answers to clients agree with the published facts
answers   every answer is a promised one, in time
broker    no message is waiting, and nothing is in quarantine that was not meant to fail
files     every file on a receipt is in the store, whole, and at every desk that has the report, and in no other report
notes     every accepted note is there once
recusals  who stepped aside is known to every stage
joins     a joined report rests only while the first is undecided, and is given what that one got
questions every question is kept once, ends once, as it was told, and no desk waits for one that has ended
closings  what a desk closed as not completed had a question that lapsed, and did not go on
letters   every letter was sent, and none twice
balance   all of them together
history   everything known about one complaint, for a book that does not balance
"""

from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Books, Pages, Told

__all__ = ["Books", "Breach", "Pages", "Told"]

"""A crowded complaint: its reporter and all the staff act on it whenever they may, several of them at once."""

import asyncio
from random import Random
from typing import Any

from nkk.sop.acts import RULES, Act
from nkk.sop.endings import ENDED
from tests.chaos.accountant.commands import SUCCESS, UNKNOWN
from tests.chaos.acts import ACTS, EVERY, OPDS, RETURN, Sent
from tests.chaos.traffic import Account, Journey, Traffic

HANDS = 2
"""How many people act at the same time."""

PAUSES = (0.3, 0.8)
MOST_TIMES = 2
"""How often an act is carried out that somebody wants to carry out at all."""

STALE = 0.05
"""The probability that somebody tries an act that their page does not offer."""

NEIGHBOURS = 6
"""With how many of the newest other complaints one may be joined."""

WITH_FILE = 0.3
"""The probability that an answer to a question has a file."""

LAST_LOOKS = 15
"""How often the reporter of a report that ended outside of the steps looks whether it goes on."""

SILENT = 0.5
"""The share of reporters who let the questions to them lapse, which the traffic makes happen."""

TOO_LATE = 0.4
"""The probability that such a reporter answers at the moment at which the question lapses."""

PATIENT_LOOKS = 40
"""For how many looks the desks leave a case whose question is to lapse, so that it does not go on before."""

IMPATIENT = 0.02
"""The probability that somebody of the staff acts all the same."""

AT_ONCE = 0.7
"""The probability that a desk closes a report at once when it sees that its question lapsed, or asks at once where the
reporter is silent; else it does any act that it wants to do."""


class Crowd(Journey):
    """One complaint, and what the people about it still want to do. It ends when nobody wants anything any more."""

    END = "crowded to the end"

    def __init__(self, traffic: Traffic, dice: Random) -> None:
        super().__init__(traffic, dice)
        self.sends_refused, self.adds_after = False, None
        self._wants = {
            sent.operation: dice.randint(1, MOST_TIMES) if dice.random() < sent.wanted else 0
            for sent in EVERY
            if sent.wanted is not None
        }
        self._left_looks = LAST_LOOKS
        self._is_silent = dice.random() < SILENT
        self._at_once = [ACTS[Act.ABANDON].operation]
        if self._is_silent:
            self._at_once.append(ACTS[Act.ASK].operation)
            self._wants[ACTS[Act.ASK].operation] = dice.randint(1, MOST_TIMES)
        self._patience = 0
        self._over = False

    async def travel(self) -> None:
        """Submit the report, then let the hands act until it is over. Raise Left where time is up before."""
        self._reporter = await self._traffic.somebody(self._dice)
        await self._submit()
        self._traffic.crowds(self.ticket)
        hands = [self._act_while_it_lasts(Random(f"{self.ticket} {hand}")) for hand in range(HANDS)]
        for result in await asyncio.gather(*hands, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _act_while_it_lasts(self, dice: Random) -> None:
        people = (self._reporter, *map(self._traffic.person, ("operator", "main_team", *OPDS)))
        while not self._over:
            person = dice.choices(people, (2, 2, 3, 1, 1))[0]
            await self._take_a_turn(person, dice)
            await self._traffic.pause(dice.uniform(*PAUSES))

    async def _take_a_turn(self, person: Account, dice: Random) -> None:
        """Look at the case as `person`, and carry out one of the acts that its page offers."""
        is_reporter = person is self._reporter
        status, shown = await self._ask(person, "read" if is_reporter else "look", "GET", f"/complaints/{self.ticket}")
        if status != 200:
            return
        if person.name == "main_team" and self.ticket not in self._traffic.at_triage:
            self._traffic.at_triage.append(self.ticket)
        if is_reporter and self._is_silent and Act.ANSWER_QUESTION in shown["acts"]:
            await self._keep_silent(person, dice)
            return
        if not is_reporter and self._waits(shown) and dice.random() > IMPATIENT:
            return
        acts = [each for act in shown["acts"] for each in self._ways(Act(act), person)]
        at_once = [sent for sent in acts if sent.operation in self._at_once] if dice.random() < AT_ONCE else []
        if dice.random() < STALE:
            acts = at_once = [sent for sent in EVERY if sent.operation in self._of_role(person)]
        wanted, first = self._wanted(acts), self._wanted(at_once)
        if wanted:
            await self._carry_out(person, dice.choice(first or wanted), dice)
        elif is_reporter:
            self._look_on(shown["stands"]["state"])

    def _wanted(self, acts: list[Sent]) -> list[Sent]:
        return [sent for sent in acts if self._wants.get(sent.operation, 1)]

    def _waits(self, shown: dict[str, Any]) -> bool:
        """Return whether the staff leave the case, because its question is to lapse."""
        if Act.ABANDON in shown["acts"] or shown["stands"]["state"] in ENDED:
            self._patience = 0
        self._patience = max(0, self._patience - 1)
        return self._patience > 0

    async def _keep_silent(self, person: Account, dice: Random) -> None:
        """Let the open question lapse; some answer it at the same moment."""
        answers = [self._carry_out(person, ACTS[Act.ANSWER_QUESTION], dice)] if dice.random() < TOO_LATE else []
        lapses, *_ = await asyncio.gather(self._traffic.let_lapse(self.ticket), *answers)
        if lapses:
            self._patience = PATIENT_LOOKS

    def _ways(self, act: Act, person: Account) -> tuple[Sent, ...]:
        if act == Act.RECUSE and person.name != "main_team":
            return ()
        return (ACTS[act], RETURN) if act == Act.APPROVE else (ACTS[act],)

    def _of_role(self, person: Account) -> set[str]:
        """Return the operations of the role of `person`."""
        role = "reporter" if person is self._reporter else person.name if person.name not in OPDS else "opd_team"
        return {sent.operation for rule in RULES if rule.role == role for sent in self._ways(rule.act, person)}

    def _look_on(self, state: str) -> None:
        """End the journey where its reporter wants nothing, and nobody else goes on with it."""
        self._left_looks -= state in ENDED
        self._over = state == "closed" or self._left_looks <= 0

    async def _carry_out(self, person: Account, sent: Sent, dice: Random) -> None:
        """Send an act, and again where its outcome is unknown: the second is refused by name, or does the same."""
        if sent.operation == "supplement":
            self._wants[sent.operation] -= 1
            await self._supplement()
            return
        path, form = sent.path, sent.form(dice)
        if sent.operation == "join":
            others = [ticket for ticket in self._traffic.at_triage if ticket != self.ticket]
            if not others:
                return
            form = form | {"first": dice.choice(others[-NEIGHBOURS:])}
            self._traffic.joins(self.ticket, form["first"])
        elif sent.operation == "answer question":
            path, form = await self._answered(person, form, dice)
        for _ in range(2):
            status = await self._send(person, sent, path, form)
            if status in SUCCESS and sent is ACTS[Act.ASK] and self._is_silent:
                self._patience = PATIENT_LOOKS
            if status in (*SUCCESS, *UNKNOWN) and sent.operation in self._wants:
                self._wants[sent.operation] = max(0, self._wants[sent.operation] - 1)
            if status not in UNKNOWN or sent.operation == "note" or dice.random() < 0.5:
                return

    async def _answered(self, person: Account, form: Any, dice: Random) -> tuple[str, Any]:
        """Return the address and the form of the answer to an open question, or to the first one; some have a file."""
        _, shown = await self._ask(person, "questions", "GET", f"/complaints/{self.ticket}/questions")
        numbers = [each["number"] for each in shown.get("items", ()) if each["state"] == "open"]
        if dice.random() < WITH_FILE:
            id, content = await self._upload(person)
            self._traffic.sent(content, self.ticket)
            form = form | {"files": [id]}
        return f"questions/{(numbers or [1])[0]}/answer", form

    async def _send(self, person: Account, sent: Sent, path: str, form: Any) -> int | None:
        status, _ = await self._ask(person, sent.operation, "POST", f"/complaints/{self.ticket}/{path}", form)
        if sent.operation == "note":
            self._traffic.noted(form["text"], self.ticket, status)
        return status

    async def _supplement(self) -> None:
        """Add a file, unless the report takes none any more."""
        id, content = await self._upload(self._reporter)
        self._traffic.sent(content, self.ticket)
        path = f"/complaints/{self.ticket}/supplements"
        while (await self._ask(self._reporter, "supplement", "POST", path, {"files": [id]}))[0] in UNKNOWN:
            await self._traffic.pause(PAUSES[0])

"""The users' guides name every act of their role by the words of its button."""

from pathlib import Path

import pytest

from gateway.site.acts import BY_ACT
from nkk.sop.acts import RULES, Rule
from nkk.sop.steps import Role

GUIDES = Path(__file__).parents[3] / "docs" / "panduan"
OF_ROLE = {
    Role.REPORTER: "pelapor.md",
    Role.OPERATOR: "operator.md",
    Role.MAIN_TEAM: "tim-utama.md",
    Role.OPD_TEAM: "tim-opd.md",
}
WITH_PAGE = [rule for rule in RULES if rule.act in BY_ACT]


@pytest.mark.parametrize("rule", WITH_PAGE, ids=lambda rule: f"{rule.role}-{rule.act}")
def test_a_guide_names_every_act_of_its_role(rule: Rule) -> None:
    words = " ".join((GUIDES / OF_ROLE[rule.role]).read_text(encoding="utf-8").split())
    assert str(BY_ACT[rule.act].name) in words

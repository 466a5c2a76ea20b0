"""Every case of ``cases/*.sql``; a new case takes no Python."""

from __future__ import annotations

import pytest
from tests.unit.sqltext.cases import CASES, SCHEMAS, SEARCH_PATHS, Case, read_cases, shown_facts, shown_template

from beholden.sqltext import analyse, template

TEMPLATES = list(read_cases(CASES / "template.sql"))
STATEMENTS = [case for path in sorted(CASES.glob("*.sql")) if path.stem != "template" for case in read_cases(path)]


@pytest.mark.parametrize("case", TEMPLATES, ids=lambda case: case.name)
def test_the_template_is_as_written(case: Case):
    assert shown_template(template(case.sql, case.dialect)) == case.expected


@pytest.mark.parametrize("case", STATEMENTS, ids=lambda case: case.name)
def test_the_facts_are_as_written(case: Case):
    made = template(case.sql, case.dialect)
    schema = SCHEMAS[case.dialect]
    facts = analyse(made, case.dialect, schema, search_path=SEARCH_PATHS[case.dialect])
    assert shown_facts(made, facts, schema) == case.expected


def test_there_are_cases():
    assert len(TEMPLATES) > 25
    assert len(STATEMENTS) > 150

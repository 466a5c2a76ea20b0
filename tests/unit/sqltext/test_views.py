"""What stands behind a view: the datasets it reads, how much of each it shows, and the fields it passes on."""

from __future__ import annotations

import pytest

from beholden.core.limits import STATEMENT_BYTES_MAX
from beholden.sqltext import Analyser, ViewSources

SCHEMA = {
    "main.person": ("person_id", "name", "email", "boss"),
    "main.visit": ("visit_id", "person_id", "room"),
    "main.card": ("id", "name"),
    "other.person": ("person_id", "moved"),
}


def told(sql: str, dialect: str = "sqlite", search_path: tuple[str, ...] = ("main",)) -> ViewSources:
    found = Analyser(dialect, SCHEMA, search_path).view_sources(sql)
    assert found is not None
    return found


def shown(sources: ViewSources) -> list[str]:
    """Each column with what it passes on, without the schema."""
    return [
        " ".join(f"{path.removeprefix('main.')}#{name}" for path, name in sorted(column)) for column in sources.columns
    ]


@pytest.mark.parametrize(
    ("query", "reads", "columns"),
    [
        ("select * from person", {"person": "whole"}, ["person#person_id", "person#name", "person#email", "person#boss"]),
        ("select email as e, upper(name), 5 from person", {"person": "whole"}, ["person#email", "", ""]),
        ("select cast(person_id as text), (boss) from person", {"person": "whole"}, ["person#person_id", "person#boss"]),
        ("select person_id from person where boss = 3", {"person": "part"}, ["person#person_id"]),
        ("select name from person limit 5", {"person": "part"}, ["person#name"]),
        ("select name, count(*) from person group by name", {"person": "part"}, ["person#name", ""]),
        ("select count(*) from person", {"person": "none"}, [""]),
        ("select room from visit where person_id in (select person_id from person)",
         {"visit": "part", "person": "none"}, ["visit#room"]),
        ("select v.room, p.name from visit v left join person p on p.person_id = v.person_id",
         {"visit": "whole", "person": "part"}, ["visit#room", "person#name"]),
        ("select person_id from visit join person using (person_id)",
         {"visit": "part", "person": "part"}, ["person#person_id visit#person_id"]),
        ("select person_id from person union all select person_id from visit",
         {"person": "whole", "visit": "whole"}, ["person#person_id visit#person_id"]),
        ("select person_id from person union select 5", {"person": "whole"}, [""]),
        ("with p as (select person_id as x from person) select x from (select * from p) q",
         {"person": "whole"}, ["person#person_id"]),
        ("with recursive up(n) as (select person_id from person union all select boss from person, up where n = boss) select n from up",
         {"person": "whole"}, ["person#boss person#person_id"]),
        ("select c.*, p.email from card c cross join person p", {"card": "whole", "person": "whole"},
         ["card#id", "card#name", "person#email"]),
        ("select p.email, v.room, c.name from (((person p) join visit v on ((v.person_id = p.person_id))) join card c on ((c.id = v.room)))",
         {"person": "part", "visit": "part", "card": "part"}, ["person#email", "visit#room", "card#name"]),
        ("select j.value, person_id from person, json_each(name) j", {"person": "part"}, ["", "person#person_id"]),
        ("select 1 as one", {}, [""]),
        ("values (1, 2)", {}, ["", ""]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["{}", "CREATE VIEW v AS {}", 'create view if not exists "a view" (x, y) as {}'])
def test_a_view_is_followed(query, reads, columns, form):
    found = told(form.format(query))
    assert {path.removeprefix("main."): reach for path, reach in found.reads.items()} == reads
    assert shown(found) == columns


def test_names_are_looked_for_in_the_search_path_and_as_written():
    assert list(told("select * from person", search_path=("other", "main")).reads) == ["other.person"]
    assert list(told("select * from other.person", "postgres", ()).reads) == ["other.person"]
    assert list(told("select * from gone").reads) == ["gone"]
    assert told("select * from gone").columns == ()


def test_a_title_that_is_a_sentence_stands_for_its_field():
    found = told('create view v as select "Mail of a person" from (select email as "Mail of a person" from person)')
    assert shown(found) == ["person#email"]


def test_what_is_not_a_query_or_not_understood_is_not_known():
    analyser = Analyser("sqlite", SCHEMA, ("main",))
    for sql in ("create view v as selec * frm person", "create table t (a int)", "", "select 1; select 2",
                "delete from person", "select * from person where name = 'x"):  # fmt: skip
        assert analyser.view_sources(sql) is None, sql
    assert analyser.view_sources(f"select {'a' * STATEMENT_BYTES_MAX} from person") is None
    assert analyser.view_sources("select " + "(" * 20_000 + "1" + ")" * 20_000 + " from person") is None

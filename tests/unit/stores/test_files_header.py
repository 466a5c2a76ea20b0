"""Whether the first row of a CSV file names the fields or is a record: both ways, on many shapes."""

from __future__ import annotations

import csv
import io
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from beholden.core.config import StoreConfig
from beholden.stores import open_store
from beholden.stores._files_header import has_header

NO_HEADER = "no header row: fields are named column_1, column_2 and so on"


@contextmanager
def opened(place):
    with open_store(StoreConfig(name="exports", url=str(place)), root=Path("/"), environ={}) as store:
        yield store


def parsed(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.replace(" / ", "\n"))) if row]


# Rows are divided by " / ".
WITH_HEADER = [
    "id,name / 1,Jane Roe / 2,John Doe",
    "x / 1",
    "a,b,a, / 1,2,3,4 / 1,2",
    "a,b",
    "Name",
    "customer_id,customer_type_id",
    "Name,City / Anna,Berlin / Jonas,Hamburg",
    "Vorname,Nachname,Ort / Anna,Schmidt,Berlin / Jonas,Weber,Hamburg",
    "Nom,Prénom,Ville / Roux,Anne,Lyon / Petit,Luc,Nice",
    "姓名,城市 / 王伟,北京 / 李娜,上海",
    "FIRSTNAME,LASTNAME / Anna,Schmidt / Jonas,Weber",
    "foo,bar,baz / Anna,Schmidt,Berlin / Jonas,Weber,Hamburg",
    "foo,bar / abc,def / ghi,jkl",
    "firstName,homeTown / anna,berlin / jonas,hamburg",
    "BillingCity,ShipRegion / Berlin,North / Hamburg,West",
    "e-mail,phone no. / a@example.org,+49 30 123456 / b@example.org,+49 30 123457",
    "Größe (cm),% / 180,0.5 / 175,0.7",
    "country,2019,2020,2021 / DE,100,200,300 / FR,110,210,310",  # a cross table by years
    "Country,1/22/20,1/23/20,1/24/20 / Germany,0,0,1 / France,2,2,3",  # and by days
    "week,1,2,3,4 / Anna,8,7,8,8 / Jonas,4,4,4,4",
    ",count,mean,std,min,25%,50%,75%,max / age,9,40.1,3.2,18,30,40,50,81 / height,9,170,9.9,150,160,170,180,199",
    "Timestamp,How satisfied are you with our service? / 2024-01-31 10:00:00,Very / 2024-01-31 10:05:00,Not at all",
    "q1,q2,q3 / 5,4,3 / 1,2,3",
    "24h,7d,30d / 5,4,3 / 1,2,3",
    "@timestamp,@version,message / 2024-01-31T10:00:00Z,1,started / 2024-01-31T10:00:01Z,1,stopped",
    "_id,_source / 5f1e,web / 6a2b,app",
    "code,value / DE-1234,x / FR-9876,y",
    "NULL,id / a,1 / b,2",
    "id,note / 1, / 2, / 3,",
    "id,id,id / 1,2,3 / 4,5,6",
    "first_name,last_name,mail / Anna,Schmidt,a@example.org / first_name,last_name,mail / Jonas,Weber,b@example.org",
    "guid,ip / 6f9619ff-8b86-d011-b42d-00cf4fc964ff,10.0.0.1 / 7f9619ff-8b86-d011-b42d-00cf4fc964ff,10.0.0.2",
    "active,when / true,10:30 / false,11:45",
]
WITHOUT_HEADER = [
    "jane.roe@example.org,Jane Roe / john@example.org,John Doe",
    "jane.roe@example.org",
    "1,Jane,Roe,4111 1111 1111 1111 / 2,John,Doe,5500 0000 0000 0004",
    "4111111111111111,open / 5500000000000004,open",
    "Jane Roe,+49 151 2345678",
    "Jane Roe,0151/2345-6789",
    "DE89 3704 0044 0532 0130 00,Jane Roe / FR14 2004 1010 0505 0001 3M02 606,John Doe",
    "Jane Roe <jane@example.org>,Berlin / John Doe <john@example.org>,Paris",
    "name,jane@example.org / name,john@example.org",  # one mail address settles it
    "id,4111-1111-1111-1111 / 7,x",
    "1,2,3 / 4,5,6 / 7,8,9",
    "1 / 2 / 3",
    "2024-01-31,7.5 / 2024-02-01,8.5",
    "2024-01-31 10:00:00,login,ok / 2024-01-31 10:05:00,logout,ok",
    "31.01.2024;x / 01.02.2024;y",
    "Anna,Schmidt,Berlin / Jonas,Weber,Hamburg / Mia,Fischer,Köln",
    "Anna,1987 / Jonas,1990",
    "Jane Roe / John Doe",
    "Jane,Roe",
    "DE,FR / US,GB",
    "DE-1234,Anna / FR-9876,Jonas",
    "Anna,active / Jonas,active / Mia,closed",
    "Anna,NULL,7 / Jonas,x,8 / Mia,y,9",
    "Anna,unknown,7,8 / Jonas,5,8,9 / Mia,6,9,9",
    "true,10:30 / false,11:45",
    "6f9619ff-8b86-d011-b42d-00cf4fc964ff,a / 7f9619ff-8b86-d011-b42d-00cf4fc964ff,b",
    "10.0.0.1,GET,/index / 10.0.0.2,GET,/start",
    "BERGS,Christina Berglund,S-958 22 / BLAUS,Hanna Moos,68306 / BLONP,Citeaux Frederique,67000",
    "McDonald,Anna / Schmidt,Jonas / Weber,Mia",
    "jane,Roe,Berlin / John,Doe,Paris / Mia,Fischer,Köln",
    "王伟,北京 / 李娜,上海",
    "1,Main Street 5,State Bank / 2,High Street 7,City Bank",
    "€ 5.00,Anna / € 7.50,Jonas",
    f"id,{'a long text ' * 30} / x,y",
]


@pytest.mark.parametrize("text", WITH_HEADER, ids=range(len(WITH_HEADER)))
def test_a_header_is_one(text):
    assert has_header(parsed(text))


@pytest.mark.parametrize("text", WITHOUT_HEADER, ids=range(len(WITHOUT_HEADER)))
def test_a_record_is_no_header(text):
    assert not has_header(parsed(text))


@pytest.mark.parametrize(
    "cell", ["a@" * 50_000, "1 " * 60_000, "a_" * 60_000, "1." * 60_000, ":" * 90_000, "A" * 130_000], ids=range(6)
)
def test_long_cells_cost_no_time(cell):
    began = time.process_time()
    has_header([["id", cell], ["x", cell]])
    has_header([["id", cell[:300]], *[["x", cell]] * 100])
    assert time.process_time() - began < 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("large", [False, True])
def test_without_a_header_fields_are_named_by_their_place_and_every_row_is_read(tmp_path, delimiter, large):
    path = tmp_path / "p.csv"
    count = 150_000 if large else 50
    with path.open("w") as file:
        file.writelines(
            delimiter.join((f"user{i}@example.org", f"41111111{i:08}", "x" * 60)) + "\n" for i in range(count)
        )
    with opened(tmp_path) as store:
        (info,) = store.datasets()
        assert [field.name for field in info.fields] == ["column_1", "column_2", "column_3"]
        assert info.rows is not None
        assert abs(info.rows.rows - count) <= count * 0.05
        sample = store.sample("p.csv", 2000, 1)
        assert sample.schema.names == ["column_1", "column_2", "column_3"]
        assert sample.num_rows == min(count, 2000)
        assert store.count("p.csv") == count
        first = next(store.read("p.csv", ["column_1"]))
        assert first.column("column_1")[0].as_py() == "user0@example.org"
        (found,) = store.find("p.csv", "column_1", ["user0@example.org"])
        assert found.num_rows == 1
        assert [(told.reason, told.count) for told in store.shortfalls()] == [(NO_HEADER, 1)]


@pytest.mark.parametrize("blank", ["", "\n", "\r\n\n\n"])
def test_blank_lines_before_the_first_row_are_none(tmp_path, blank):
    (tmp_path / "p.csv").write_bytes(f"{blank}id,name\n1,Jane Roe\n2,John Doe\n".encode())
    (tmp_path / "q.csv").write_bytes(f"{blank}1,jane@example.org\n2,john@example.org\n".encode())
    with opened(tmp_path) as store:
        assert next(store.read("p.csv")).to_pylist() == [
            {"id": "1", "name": "Jane Roe"},
            {"id": "2", "name": "John Doe"},
        ]
        assert next(store.read("q.csv")).column("column_1").to_pylist() == ["1", "2"]
        assert store.sample("p.csv", 9, 1).num_rows == store.count("p.csv") == store.count("q.csv") == 2


@pytest.fixture(scope="module")
def real_files() -> list[Path]:
    directory = Path(__file__).parents[4] / "shared" / "data" / "stores"
    if not directory.is_dir():
        pytest.skip("../shared/data is absent")
    return sorted(directory.glob("*/*.csv"))


def test_headers_of_real_files_are_headers_and_their_records_are_not(real_files):
    assert len(real_files) > 90
    for path in real_files:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = [row for row, _ in zip(csv.reader(file), range(200), strict=False) if row]
        assert has_header(rows), path.name
        assert len(rows) == 1 or not has_header(rows[1:]), path.name

from __future__ import annotations

from pathlib import Path

import pytest

from beholden.core.config_file import find_estate, load_config, parse_config
from beholden.core.errors import ConfigError, NotFoundError

COMPLETE = """
[estate]
name = "meridian"
[[ledger.retention]]
events = "*"
keep_days = 2555
purpose = "accountability"
[[subject]]
kind = "customer"
key = "crm/public.customer#customer_id"
[[zone]]
name = "cardholder"
only_here = ["payment_card"]
[[store]]
name = "crm"
url = "postgresql://reader@localhost/crm"
[[log]]
name = "crm-audit"
format = "pgaudit-csv"
store = "crm"
path = "logs/*.csv"
"""


def test_the_example_is_read_and_paths_are_resolved_against_the_estate(tmp_path):
    config = parse_config(COMPLETE, tmp_path)
    assert config.store[0].max_connections == 2
    assert config.ledger.retention[0].keep_days == 2555
    assert config.url(config.state.url) == f"sqlite:///{tmp_path}/.beholden/state.db"
    assert config.path("logs/x") == tmp_path / "logs/x"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ('[[store]]\nname = "crm"\n\nurl = 3\n', 4, "store[0].url"),
        ('[[store]]\nname = "crm"\nurl = "x"\nzome = "a"\n', 4, "zome"),
        ('[[store]]\nname = "Crm"\nurl = "x"\n', 2, "store[0].name"),
        ('[[log]]\nname = "a"\nformat = "x"\npath = "y"\nstore = "zz"\n', 5, "zz"),
        ('[[zone]]\nname = "a"\n[[zone]]\nname = "b"\nonly_here = ["foo"]\n', 5, "zone[1]"),
        ('[[zone]]\nname = "a"\n[[zone]]\nname = "a"\n', 4, "twice"),
        ('[[subject]]\nkind = "customer"\nkey = "crm.customer"\n', 3, "subject[0].key"),
        ('[[log]]\nname = "a"\nformat = "mapped"\npath = "y"\n', 3, "mapping"),
        ('[[log]]\nname = "a"\nformat = "x"\npath = "y"\ntime_zone = "Mars/Base"\n', 5, "time_zone"),
        ("[watch]\nfalse_cases_per_day = -1\n", 2, "false_cases_per_day"),
        ('[ledger]\nurl = "s3://key:secret@bucket/x"\n', 2, "s3://BUCKET/PREFIX"),
        ('[ledger]\nurl = "gs://bucket/x"\n', 2, "a directory, or s3://"),
    ],
)
def test_errors_name_the_line_and_the_key(tmp_path, text, line, part):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, tmp_path)
    message = str(caught.value)
    assert f"line {line}" in message
    assert part in message
    assert "\n" not in message
    assert caught.value.exit_code == 2


def test_broken_toml_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"beholden\.toml"):
        parse_config("[estate\n", tmp_path)


def test_a_missing_estate_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFoundError, match="beholden init"):
        find_estate(tmp_path)
    with pytest.raises(NotFoundError, match="beholden init"):
        load_config(tmp_path)


def test_the_nearest_estate_above_is_found(tmp_path):
    (tmp_path / "beholden.toml").write_text("")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_estate(below) == tmp_path


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "beholden.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path)


def test_an_unknown_store_is_answered_with_those_that_exist(tmp_path):
    with pytest.raises(NotFoundError, match="crm"):
        parse_config(COMPLETE, tmp_path).store_named("shop")


def test_the_contract_example_is_valid():
    contract = Path(__file__).parents[4] / "shared" / "CONTRACT.md"
    if not contract.is_file():
        pytest.skip("../shared/data is absent")
    text = contract.read_text().partition("```toml\n")[2].partition("```")[0]
    assert parse_config(text, Path("/nowhere")).estate.name == "meridian"


REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_the_documented_example_is_valid_and_every_key_is_documented():
    import msgspec

    from beholden.core import config

    text = REFERENCE.read_text()
    assert parse_config(text.partition("```toml\n")[2].partition("```")[0], Path("/nowhere")).feed[0].name == "tickets"
    sections: dict[str, type[msgspec.Struct]] = {
        "estate": config.EstateConfig,
        "state": config.StateConfig,
        "vault": config.VaultConfig,
        "ledger": config.LedgerConfig,
        "ledger.retention": config.RetentionConfig,
        "engine": config.EngineConfig,
        "watch": config.WatchConfig,
        "subject": config.SubjectConfig,
        "zone": config.ZoneConfig,
        "store": config.StoreConfig,
        "log": config.LogConfig,
        "feed": config.FeedConfig,
    }
    keys = [f"{name}.{field.name}" for name, kind in sections.items() for field in msgspec.structs.fields(kind)]
    missing = [key for key in keys if f"`{key}`" not in text and key != "ledger.retention"]
    assert missing == []

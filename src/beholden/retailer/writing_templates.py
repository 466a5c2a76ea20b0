"""Texts of wiki pages, source files, notebooks, logs and chats, with marks for what is filled in (see `writings`)."""

from __future__ import annotations

from typing import Final

__all__ = ["CHATS", "FILES", "LOGS", "PAGES", "PLAIN_PAGES", "PLAIN_SOURCES", "TOPICS"]

TOPICS: Final = (
    "onboarding", "runbook", "returns", "refunds", "release-notes", "how-we-work", "weekly", "incident-review", "migration",
    "reporting", "checklist", "faq", "data-requests", "partner-access", "restore", "planning",
)  # fmt: skip

PLAIN_PAGES: Final = (
    """# @@~word@@ @@~word@@

Owner: @@~team@@. Last looked at on @@~day@@.

We agreed to answer within one working day. What takes longer goes to the lead of the shift.

* Look at the order first, then at the carrier's page.
* A parcel such as @@-tracking@@ is lost after ten days.
* Write down what you promised.
""",
    """# Release @@~number@@

Built from commit `@@-commit@@` on @@~day@@; image `@@-sha256@@`.

Nothing changes for users. If the page stays empty, look for trace `@@-trace@@` in the log.
""",
    """# Meeting of @@~day@@

Present: @@~team@@, @@~word@@ and two guests.

1. The figures of the week are as expected.
2. The request @@-uuid@@ is still open.
3. Next time we look at the forecast.
""",
    """# How to get access

Ask for a role in the directory; it lasts ninety days. Never put a key on a page like this one.
Write `password: @@-placeholder@@` in examples and keep the real one in the vault (`@@-reference@@`).

In manuals you will see the key `@@-aws_example@@`, which never worked anywhere.
""",
    """# @@~word@@ report

| figure | value |
|---|---|
| rows | @@~number@@ |
| checked | @@~day@@ |
| etag | @@-etag@@ |

The query is in the repository of the team.
""",
)

#: Pages that tell too much.
PAGES: Final = (
    """# Restoring the nightly export

When the job fails before four in the morning:

1. Sign in to the jump host.
2. Set the job's own key:

       export AWS_ACCESS_KEY_ID=@@own:aws_access_key@@
       export AWS_SECRET_ACCESS_KEY=@@aws_secret_key@@

3. Run it again for @@~day@@ and compare the etag, last time it was @@-etag@@.
""",
    """# First day in the team

Your laptop is on your desk. The shared account for the reporting tool is `reports`, password @@password@@ (ask
@@~team@@ if it does not work). The test system takes any password.
""",
    """# Reporting database

Connect with `@@database_url@@` and do not run anything heavy before noon.

The read replica is for everybody; its certificate has the fingerprint @@-sha256@@.
""",
    """# Hooks of the chat

| channel | hook |
|---|---|
| alerts | @@slack_webhook@@ |
| deploys | `@@-placeholder@@` (moved to the vault) |

The bot's token is @@slack_token@@.
""",
    """# Deploying by hand

```
git clone https://deploy:@@github_token@@@github.com/meridian-example/checkout.git
git checkout @@-commit@@
```

Then tell the channel.
""",
    """# Mail provider

Key for the newsletter: `@@sendgrid_key@@`
Key that the web page shows to everybody: `@@-publishable_key@@`
""",
    """# Two factors for the shared account

Scan this once: @@otp_seed@@
Recovery goes over @@~team@@.
""",
    """# Access for the agency

They call the partner interface with

    Authorization: Bearer @@bearer_token@@

until @@~day@@. Their public key:

@@-public_key@@
""",
)

PLAIN_SOURCES: Final = (
    ("README.md", "# @@~word@@\n\nRun `make test`. Questions go to @@~team@@.\n"),
    (
        "src/main.py",
        '''"""Reads what arrived and passes it on."""

import os

BATCH = @@~number@@
PASSWORD = os.environ["DB_PASSWORD"]
REQUEST_ID = "@@-uuid@@"


def accepted(rows):
    """Rows that have an order."""
    return [row for row in rows if row["order_id"]]
''',
    ),
    (
        "package-lock.json",
        """{
  "name": "@@~word@@",
  "lockfileVersion": 3,
  "packages": {
    "node_modules/left": {"version": "1.3.0", "integrity": "@@-integrity@@"},
    "node_modules/right": {"version": "2.0.1", "integrity": "@@-integrity@@"}
  }
}
""",
    ),
    (
        "config/settings.example.yaml",
        """database:
  host: localhost
  user: app
  password: @@-placeholder@@
aws:
  access_key_id: @@-aws_example@@
  secret_access_key: @@-aws_secret_example@@
""",
    ),
    ("Dockerfile", 'FROM python@@@-sha256@@\nCOPY src /src\nCMD ["python", "/src/main.py"]\n'),
    (
        "tests/test_main.py",
        """from main import accepted

TOKEN = "@@-placeholder@@"


def test_rows_without_an_order_are_left_out():
    assert accepted([{"order_id": 0}, {"order_id": @@~number@@}]) == [{"order_id": @@~number@@}]
""",
    ),
    ("web/logo.css", ".logo { background: url(@@-image@@); }\n.key { color: #@@~colour@@; }\n"),
)

#: Files that tell too much: place in a repository, text.
FILES: Final = (
    (
        ".env",
        """APP_ENV=production
DATABASE_URL=@@database_url@@
SESSION_ID=@@-uuid@@
STRIPE_SECRET_KEY=@@stripe_key@@
STRIPE_PUBLISHABLE_KEY=@@-publishable_key@@
""",
    ),
    (
        "config/production.yaml",
        """database:
  host: orders-db1.corp.meridian.example
  user: svc_orders
  password: "@@password@@"
build: @@-commit@@
maps:
  key: @@google_api_key@@
""",
    ),
    (
        "infra/main.tf",
        """provider "aws" {
  region     = "eu-central-1"
  access_key = "@@aws_access_key@@"
  secret_key = "@@aws_secret_key@@"
}

resource "aws_s3_bucket" "exports" {
  bucket = "meridian-exports"
}
""",
    ),
    ("deploy/id_deploy", "@@private_key@@\n"),
    ("deploy/id_deploy.pub.pem", "@@-public_key@@\n"),
    (
        "scripts/backfill.sh",
        """#!/bin/sh
# one-off, delete me
set -e
export PGPASSWORD='@@password@@'
psql -h orders-db2.corp.meridian.example -U svc_orders -c "select count(*) from orders"
curl -H "Authorization: Basic @@basic_auth@@" https://api.meridian.example/v1/ping
""",
    ),
    (
        "notebooks/explore.ipynb",
        """{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 3,
   "metadata": {},
   "outputs": [{"name": "stdout", "output_type": "stream", "text": ["@@~number@@ rows, etag @@-etag@@\\n"]}],
   "source": [
    "import pandas as pd\\n",
    "url = '@@json:database_url@@'\\n",
    "frame = pd.read_sql('select * from dim_customer', url)\\n"
   ]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
""",
    ),
    (
        "service-account.json",
        """{
  "type": "service_account",
  "project_id": "meridian-example",
  "private_key_id": "@@-commit@@",
  "private_key": "@@json:private_key@@",
  "client_email": "loader@meridian-example.iam.example"
}
""",
    ),
    (".npmrc", "registry=https://packages.meridian.example/\n//packages.meridian.example/:_authToken=@@npm_token@@\n"),
    (
        "config/legacy.properties",
        """storage.connection=@@azure_storage@@
service.token=@@jwt@@
service.password.reference=@@-reference@@
""",
    ),
    (
        ".gitlab-ci.yml",
        """variables:
  API_TOKEN: "@@gitlab_token@@"
  IMAGE: "python@@@-sha256@@"
test:
  script: [make test]
""",
    ),
)

#: Bucket, key, text.
CHATS: Final = (
    (
        "meridian-chat-archive", "2026/team-data/general.json",
        """[
 {"ts": "@@~number@@.0001", "user": "U1", "text": "does anybody have the login of the bi box?"},
 {"ts": "@@~number@@.0002", "user": "U2", "text": "it is svc_bi, the password is @@json:password@@, please delete after reading"},
 {"ts": "@@~number@@.0003", "user": "U1", "text": "thanks! the job is @@-uuid@@"}
]
""",
    ),
    (
        "meridian-chat-archive", "2026/deploys/2026.json",
        """[
 {"ts": "@@~number@@.0001", "user": "U7", "text": "deployed @@-commit@@"},
 {"ts": "@@~number@@.0002", "user": "U8", "text": "use this one for the packages: @@json:npm_token@@"},
 {"ts": "@@~number@@.0003", "user": "U7", "text": "rotate it then"}
]
""",
    ),
    (
        "meridian-scratch", "notes/todo.txt",
        """ask @@~team@@ for the figures
key for the sandbox: @@aws_access_key@@ / @@aws_secret_key@@
parcel @@-tracking@@ still missing
""",
    ),
)  # fmt: skip
#: As above: what programs wrote down.
LOGS: Final = (
    (
        "meridian-weblogs", "app/debug-sync.log",
        """@@~day@@T03:10:11Z INFO start build=@@-commit@@
@@~day@@T03:10:12Z DEBUG request headers={"authorization": "Bearer @@jwt@@", "x-trace": "@@-trace@@"}
@@~day@@T03:10:14Z DEBUG connect url=@@database_url@@
@@~day@@T03:10:15Z INFO done rows=@@~number@@
""",
    ),
    (
        "meridian-deploy-state", "prod/terraform.tfstate",
        """{
  "version": 4,
  "serial": @@~number@@,
  "lineage": "@@-uuid@@",
  "resources": [
    {"type": "aws_db_instance", "name": "orders", "instances": [{"attributes": {
      "username": "svc_orders",
      "password": "@@json:password@@"}}]},
    {"type": "aws_iam_access_key", "name": "loader", "instances": [{"attributes": {
      "id": "@@aws_access_key@@",
      "secret": "@@aws_secret_key@@"}}]}
  ]
}
""",
    ),
)  # fmt: skip

"""What a SQL text reads, writes and names, given schemas as an argument."""

from __future__ import annotations

from beholden.sqltext.analyse import Analyser, analyse
from beholden.sqltext.facts import Asked, KeyPredicate, Reach, Relation, Schema, StatementFacts, Template, ViewSources
from beholden.sqltext.template import template

__all__ = [
    "Analyser",
    "Asked",
    "KeyPredicate",
    "Reach",
    "Relation",
    "Schema",
    "StatementFacts",
    "Template",
    "ViewSources",
    "analyse",
    "template",
]

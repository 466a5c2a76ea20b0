"""What a SQL text reads, writes and names, given schemas as an argument."""

from __future__ import annotations

from beholden.sqltext.analyse import Analyser, analyse
from beholden.sqltext.facts import KeyPredicate, Relation, Schema, StatementFacts, Template
from beholden.sqltext.template import template

__all__ = [
    "Analyser",
    "KeyPredicate",
    "Relation",
    "Schema",
    "StatementFacts",
    "Template",
    "analyse",
    "template",
]

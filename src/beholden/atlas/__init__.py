"""Discover, classify, map: which field of which store holds which class of data, and what was not looked at.

The doors are `beholden.atlas.scan.scan`, `beholden.atlas.queries` and `beholden.atlas.classify`.
"""

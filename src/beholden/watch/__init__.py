"""Reasons for accesses. Detectors, the false-alert budget, cases and drills will live here."""

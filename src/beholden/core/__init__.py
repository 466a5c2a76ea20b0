"""The vocabulary of the house: names, classes of data, ids, times, limits, errors, events and config.

Imports nothing of ours. Everything here is a plain record or a pure function.
"""

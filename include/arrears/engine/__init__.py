"""Runs SELECTs over the lake."""

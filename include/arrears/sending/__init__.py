"""Turns the plan into messages: never twice, never after paying, never silently lost."""

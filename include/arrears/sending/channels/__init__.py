"""The ways to reach people, each behind ``values.Channel``."""

"""What several tests need: a small portfolio folder, and lake partitions from rows."""

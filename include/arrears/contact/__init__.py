"""From cases and strategies to the day's contact plan, every answer of the policy kept."""

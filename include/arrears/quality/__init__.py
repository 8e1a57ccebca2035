"""The two gates at which Great Expectations decides, and what it decides on."""

"""Cases at work: rows in, queues and agents out. The rules themselves stand in ``rules.cases`` and ``assignment``."""

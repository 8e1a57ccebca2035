"""Contact rules as data: pack files, typed and validated, turned into the values ``rules.contact`` reads."""

"""The questions of docs/how-to/bi-queries.md, as a BI tool asks them."""

import re

from arrears.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "how-to" / "bi-queries.md"
QUESTION = re.compile(r"^## (\d+\. .+?)\n\n```sql\n(.+?)```", re.MULTILINE | re.DOTALL)


def questions():
    """SELECT by question, its variables as parameters of psycopg."""
    found = QUESTION.findall(PAGE.read_text(encoding="utf-8"))
    return {name: re.sub(r":'(\w+)'", r"%(\1)s", sql.replace("%", "%%")) for name, sql in found}

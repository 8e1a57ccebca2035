"""A portfolio whose source is an inbox, sound deliveries dropped into it, and ways to spoil them."""

import gzip
import hashlib
import io
import json
from datetime import timedelta

import fsspec
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from support.books import PORTFOLIO, make_book
from support.deliveries import CLOSE, HEADERS, SOUND

SUMS = {
    "loan": ["principal_minor"],
    "instalment": ["principal_minor", "interest_minor"],
    "transaction": ["amount_minor"],
}
ENDINGS = {"loan": "csv.gz", "instalment": "csv.gz", "transaction": "parquet"}
NEXT = CLOSE + timedelta(days=1)


class Drops:
    """One portfolio ``book`` with its inbox and archive.

    Args:
        folder: Of everything; the inbox and the archive too, unless ``url`` is another place.
        url: Folder of ``inbox`` and ``archive``.
        changes_daily: Kinds declared so.
    """

    def __init__(self, folder, *, url=None, changes_daily=()):
        self.settings = make_book(folder)
        self.url = url or str(folder)
        self.files, root = fsspec.core.url_to_fs(self.url)
        self.inbox, self.archive = f"{root}/inbox", f"{root}/archive"
        self.files.makedirs(self.inbox, exist_ok=True)
        book = self.settings.portfolios / "book"
        kinds = [
            f"    {noun}: {{pattern: '{noun}_{{closing_date}}.{ending}', "
            + ("format: parquet" if ending == "parquet" else f"columns: [{HEADERS[noun]}]")
            + (", changes_daily: true}" if noun in changes_daily else "}")
            for noun, ending in ENDINGS.items()
        ]
        source = [
            "source:",
            "  kind: inbox",
            f"  directory: {self.url}/inbox",
            f"  archive: {self.url}/archive",
            "  files:",
            *kinds,
        ]
        kept = [line for line in PORTFOLIO.splitlines() if not line.startswith("source:")]
        (book / "portfolio.yaml").write_text("\n".join([*kept, "reject_limit_pct: 60", *source]) + "\n")
        for noun in HEADERS:
            (book / f"{noun}.sql").write_text(f"SELECT * FROM {noun}\n")

    def drop(self, closing_date=CLOSE, *, control=None, sums=None, **changed):
        """Drop a delivery, its control file last; what its control file says.

        Args:
            closing_date: Its day.
            control: Changes what the control file says, in place.
            sums: Other sums by noun and column.
            changed: Other rows by noun.
        """
        listed = []
        for noun, rows in {**SOUND, **changed}.items():
            content = packed(noun, rows)
            name = f"{noun}_{closing_date}.{ENDINGS[noun]}"
            self.put(name, content)
            column = HEADERS[noun].split(",").index
            ours = {name: sum(int(row.split(",")[column(name)]) for row in rows) for name in SUMS[noun]}
            listed.append(
                {
                    "name": name,
                    "kind": noun,
                    "rows": len(rows),
                    "sums": ours | (sums or {}).get(noun, {}),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
        said = {"closing_date": str(closing_date), "files": listed}
        if control:
            control(said)
        self.put(f"control_{closing_date}.json", json.dumps(said).encode())
        return said

    def put(self, name, content):
        """Write a file into the inbox."""
        self.files.pipe_file(f"{self.inbox}/{name}", content)

    def take(self, name):
        """Remove a file from the inbox; its content."""
        content = self.files.cat_file(f"{self.inbox}/{name}")
        self.files.rm_file(f"{self.inbox}/{name}")
        return content

    def lying(self):
        """Names and content of what lies in the inbox."""
        return self._contents(self.inbox)

    def kept(self):
        """Names below the archive and content of what lies there."""
        return self._contents(self.archive)

    def _contents(self, root):
        if not self.files.exists(root):
            return {}
        return {path.removeprefix(f"{root}/"): self.files.cat_file(path) for path in self.files.find(root)}


def packed(noun, rows):
    """A file of a noun's rows as its kind is delivered."""
    text = "\n".join([HEADERS[noun], *rows]) + "\n"
    if ENDINGS[noun] != "parquet":
        return gzip.compress(text.encode(), mtime=0)
    kinds = {name: pa.int64() if name.endswith("_minor") else pa.string() for name in HEADERS[noun].split(",")}
    table = pacsv.read_csv(io.BytesIO(text.encode()), convert_options=pacsv.ConvertOptions(column_types=kinds))
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()

"""The other engine: the same SELECTs on Apache Spark, carried over by sqlglot. Needs the extra ``spark`` and a JRE.

Belongs here: the dialect and Spark's own tables. Which SELECTs there are, and what they mean, is no engine's matter.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from arrears.engine.duckdb import select_text
from arrears.engine.tables import bound
from arrears.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, as in DuckDB
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.adaptive.enabled": "true",
    "spark.ui.enabled": "false",
    # Spark 4.3 cannot carry constraints over a union of kept rows (key not found in UnionBase.rewriteConstraints).
    "spark.sql.constraintPropagation.enabled": "false",
}


@contextmanager
def session(master: str, *, partitions: int = 8) -> Iterator[SparkSession]:
    """A Spark session, stopped afterwards.

    Args:
        master: ``local[*]``, ``local[2]``, ``spark://host:port`` or what else Spark takes.
        partitions: Of a shuffle; Spark merges those that turn out small.

    Raises:
        ConfigurationError: The extra is not installed, or there is no Java.
    """
    try:
        from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415  an optional extra
        from pyspark.sql import SparkSession  # noqa: PLC0415  as above
    except ImportError:
        raise ConfigurationError("PySpark is not installed", "pip install 'arrears[spark]'", "ARREARS_ENGINE") from None
    settings = {**SETTINGS, "spark.sql.shuffle.partitions": str(partitions)}
    if master.startswith("local"):
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    try:
        made = SparkSession.builder.master(master).appName("arrears").config(map=settings).getOrCreate()
    except PySparkRuntimeError as error:
        raise ConfigurationError(
            f"Spark does not start ({error.getCondition()})", "a Java 17 runtime and a master that answers", master
        ) from None
    try:
        yield made
    finally:
        made.stop()


class SparkTables:
    """Tables of a Spark session: temporary views over rows that are computed once and kept."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def read(self, name: str, paths: Sequence[str]) -> None:
        """Make ``name`` from Parquet files that every worker can read."""
        self._spark.read.parquet(*paths).createOrReplaceTempView(name)

    def put(self, name: str, rows: pa.Table) -> None:
        """As the protocol says."""
        self._keep(name, self._spark.createDataFrame(rows))

    def make(self, name: str, select: str, known: Mapping[str, Any], *, append: bool = False) -> None:
        """As the protocol says."""
        text = select_text(select)
        self._keep(name, self._spark.sql(in_spark(text, bound(text, known))), append=append)

    def take(self, name: str, source: str, condition: str, *, append: bool = False) -> None:
        """As the protocol says."""
        self._keep(name, self._spark.table(source).where(condition), append=append)

    def alias(self, name: str, source: str) -> None:
        """As the protocol says."""
        self._spark.table(source).createOrReplaceTempView(name)

    def rename(self, name: str, new: str) -> None:
        """As the protocol says."""
        self.alias(new, name)

    def number(self, query: str) -> int:
        """As the protocol says."""
        found: int = self._spark.sql(query).collect()[0][0]
        return found

    def rows(self, name: str) -> pa.Table:
        """As the protocol says."""
        found: pa.Table = self._spark.table(name).toArrow()
        return found

    def _keep(self, name: str, rows: DataFrame, *, append: bool = False) -> None:
        """Computed now, without its history: a replay of many moves would otherwise plan all of them each time."""
        whole = self._spark.table(name).unionByName(rows) if append else rows
        whole.localCheckpoint(eager=True).createOrReplaceTempView(name)


def in_spark(select: str, parameters: Mapping[str, Any]) -> str:
    """A SELECT of ours in Spark's dialect, its parameters as literals."""
    from sqlglot import exp  # noqa: PLC0415  an optional extra

    def filled(node: exp.Expression) -> exp.Expression:
        is_parameter = isinstance(node, (exp.Parameter, exp.Placeholder))
        return _literal(parameters[node.name]) if is_parameter else node

    def carried(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Anonymous) and node.name.upper() == "TIMEZONE":
            zone, instant = node.expressions
            return exp.func("FROM_UTC_TIMESTAMP", instant, zone)
        return node

    text: str = _parsed(select).transform(filled).transform(carried).sql(dialect="spark", comments=False)
    return text


@cache
def _parsed(select: str) -> Any:  # noqa: ANN401  a type of an optional extra
    from sqlglot import parse_one  # noqa: PLC0415  as above

    return parse_one(select, read="duckdb")


def _literal(value: object) -> Any:  # noqa: ANN401  as above
    from sqlglot import exp  # noqa: PLC0415  as above

    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    return exp.convert(value)

"""Apache Spark, classic and Connect: a DataFrame in, the same DataFrame out with the tags added.

Only the DataFrame's own methods are used, never a ``SparkContext``, which Spark Connect does not have. The package must
be installed for the Python of every worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError
from .arrow import TagBatches
from .tables.columns import check_clash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


def tag(df: DataFrame, column: str | Sequence[str], **options: Any) -> DataFrame:
    """``df`` with the columns terms, probabilities, definitions, evidence, reason and model. Lazy, as Spark is.

    Args:
        column: the column that holds the text, or several.
        options: more fields of :class:`classifier.edges.arrow.TagBatches`.

    Raises:
        InputError: for a column that is not there, one that is called like an added one, or an unknown country.
        MissingExtraError: when pyspark is not installed.
    """
    function = tag_batches(column, **options)
    return df.mapInArrow(function, tagged_schema(df.schema, function))


def tag_batches(column: str | Sequence[str], **options: Any) -> TagBatches:
    """The function for ``DataFrame.mapInArrow``; options as for :func:`tag`, the schema from :func:`tagged_schema`."""
    return TagBatches(column, **options)


def tagged_schema(schema: StructType, function: TagBatches) -> StructType:
    """The schema of a DataFrame that went through ``function``.

    Raises:
        InputError: for a column that is not there, or one that is called like an added one.
        MissingExtraError: when pyspark is not installed.
    """
    try:
        from pyspark.sql.types import ArrayType, DoubleType, StringType, StructField, StructType
    except ImportError:
        raise MissingExtraError("pyspark", "spark") from None
    function.positions(schema.names)
    # To Spark, Terms and terms are one column.
    added = function.added()
    check_clash([name.lower() for name in schema.names], [(name.lower(), False) for name, _ in added], "the table")
    kinds = {"text": StringType(), "texts": ArrayType(StringType()), "numbers": ArrayType(DoubleType())}
    return StructType([*schema.fields, *(StructField(name, kinds[kind]) for name, kind in added)])

"""Querysets that are compiled once: for the few reads that are asked for most.

Building the SQL and the models takes Django several times as long as the database needs for the rows.
"""

from typing import Any, NamedTuple, override

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, QuerySet
from django.db.models.sql.compiler import SQLCompiler


class Parameter(Expression):
    """Stands for a value that comes with each run: https://docs.djangoproject.com/en/6.1/ref/models/expressions/"""

    def __init__(self, field: "Field[Any, Any]", name: str) -> None:
        super().__init__(output_field=field)
        self.name = name

    @override
    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        return "%s", (self,)


class Statement(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]
    compiler: SQLCompiler
    converters: dict[int, Any]


class Compiled[Row: tuple[Any, ...]]:
    """`Compiled(Item.objects.filter(id=Parameter(Item._meta.pk, "id")).values_list("title")).rows(id=item_id)`"""

    def __init__(self, queryset: "QuerySet[Any, Row]") -> None:
        self._queryset = queryset
        self._statements: dict[str, Statement] = {}

    def rows(self, **values: object) -> list[Row]:
        """What the queryset gives, from the database and over the connection that it would ask."""
        using = self._queryset.db
        connection = connections[using]
        statement = self._statements.get(using) or self._compile(using)
        parameters = [
            part.output_field.get_db_prep_value(values[part.name], connection) if isinstance(part, Parameter) else part
            for part in statement.parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            rows: list[Any] = cursor.fetchall()
        if statement.converters:
            rows = list(map(tuple, statement.compiler.apply_converters(rows, statement.converters)))
        return rows

    def _compile(self, using: str) -> Statement:
        compiler = self._queryset.all().query.get_compiler(using)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self._statements[using] = Statement(sql, parameters, compiler, converters)
        return self._statements[using]

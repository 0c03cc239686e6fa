"""Django's SQLite, which also runs migrations that are written for PostgreSQL.

https://docs.djangoproject.com/en/6.1/ref/databases/#subclassing-the-built-in-database-backends
"""

from typing import override

from django.db.backends.sqlite3 import base, schema
from django.db.models import Index, Model


class SchemaEditor(schema.DatabaseSchemaEditor):
    """There is nobody to be kept waiting by an index that `AddIndexConcurrently` makes."""

    @override
    def add_index(self, model: type[Model], index: Index, concurrently: bool = False) -> None:
        super().add_index(model, index)

    @override
    def remove_index(self, model: type[Model], index: Index, concurrently: bool = False) -> None:
        super().remove_index(model, index)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor

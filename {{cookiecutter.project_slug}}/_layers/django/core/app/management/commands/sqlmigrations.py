from collections.abc import Sequence

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader


class Command(BaseCommand):
    """Like `sqlmigrate` for all of the project's migrations on PostgreSQL, but no server has to run."""

    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        loader = MigrationLoader(None)
        for key, migration in sorted(loader.graph.nodes.items()):
            if apps.get_app_config(migration.app_label).name.startswith("app."):
                editor = SchemaEditor(DatabaseWrapper({}), collect_sql=True)
                editor.deferred_sql = []
                migration.apply(loader.project_state(key, at_end=False), editor, collect_sql=True)
                for sql in editor.deferred_sql:
                    editor.execute(sql, None)
                statements = editor.collected_sql
                self.stdout.write("\n".join(["BEGIN;", *statements, "COMMIT;"] if migration.atomic else statements))


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, but where that asks the server, it makes do."""

    def execute(self, sql: Statement | str, params: Sequence[object] | None = ()) -> None:
        # The server's driver would put the parameters in.
        BaseDatabaseSchemaEditor.execute(self, sql, params)

    def _constraint_names(self, *_: object, **__: object) -> list[str]:
        return ["unknown"]

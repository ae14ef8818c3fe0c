"""Copy the options of earlier jobs out of their parameters, which keep them: a running old program reads on.

A few hundred rows a transaction, so that no worker waits for a row. Rows that an old program makes meanwhile
stay null, and are read as they are.
"""

from typing import Any

from django.db import migrations

#: As they are called among the parameters, with their types; another type is a parameter of a tool's own.
MOVED = {"only": dict, "guard": str, "include_closed": bool, "field_names": dict}
PER_TRANSACTION = 500


def copy(apps: Any, schema_editor: Any) -> None:
    jobs = apps.get_model("jobs", "Job").objects.using(schema_editor.connection.alias)
    numbers = list(jobs.filter(options__isnull=True).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(numbers), PER_TRANSACTION):
        rows = list(jobs.filter(pk__in=numbers[start : start + PER_TRANSACTION]).only("params"))
        for row in rows:
            row.options = {
                name: row.params[name]
                for name, kind in MOVED.items()
                if isinstance(row.params.get(name), kind)
            }
        jobs.bulk_update(rows, ["options"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0016_options")]

    operations = [migrations.RunPython(copy, migrations.RunPython.noop)]

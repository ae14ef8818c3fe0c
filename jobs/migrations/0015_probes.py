"""Name pilots probes in the program; the columns keep their names, so nothing happens in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0014_what_batches_carry")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("batch", "pilot", "probe"),
                migrations.RenameField("job", "pilots", "probes"),
                migrations.AlterField(
                    "batch",
                    "probe",
                    models.CharField(blank=True, db_column="pilot", db_default="", default="", max_length=16),
                ),
                migrations.AlterField(
                    "job",
                    "probes",
                    models.JSONField(blank=True, db_column="pilots", db_default={}, default=dict),
                ),
            ]
        )
    ]

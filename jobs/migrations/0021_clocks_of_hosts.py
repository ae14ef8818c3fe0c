from django.db import migrations, models

import jobs.clocks.clock


class Migration(migrations.Migration):
    dependencies = [("jobs", "0020_copies_and_holds")]

    operations = [
        migrations.AddField("beat", "clock_ahead", models.FloatField(default=0.0, db_default=0.0)),
        # The program sets the defaults, not the database: no table is touched.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "job", "created_at", models.DateTimeField(default=jobs.clocks.clock.now)
                ),
                migrations.AlterField(
                    "transition", "at", models.DateTimeField(default=jobs.clocks.clock.now)
                ),
                migrations.AlterField(
                    "pruning",
                    "at",
                    models.DateTimeField(default=jobs.clocks.clock.now, verbose_name="deleted at"),
                ),
            ]
        ),
    ]

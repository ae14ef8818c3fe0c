from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0017_options_of_earlier_jobs")]

    operations = [
        migrations.AddField("job", "calls_verify", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("job", "verified", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("job", "evidence", models.JSONField(blank=True, db_default={}, default=dict)),
        migrations.AddField("batch", "verified_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "pruning", "calls_verify", models.PositiveBigIntegerField(db_default=0, default=0)
        ),
    ]

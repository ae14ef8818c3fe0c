"""Give a job's options a column of their own. Null means that a program of before made the job."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0015_probes")]

    operations = [
        migrations.AddField("job", "options", models.JSONField(blank=True, null=True)),
    ]

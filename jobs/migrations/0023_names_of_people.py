"""A person's name beside the account, which may be deleted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0021_clocks_of_hosts")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="created_by_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="transition",
            name="by_person",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="transition",
            index=models.Index(
                condition=models.Q(("by_person", True)), fields=["-id"], name="steps_of_people"
            ),
        ),
    ]

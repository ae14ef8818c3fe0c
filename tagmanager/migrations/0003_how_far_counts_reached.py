from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tagmanager", "0002_counts_outlive_their_job")]

    operations = [
        migrations.AddField("taglist", "counted_from", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("taglist", "reached_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "taglist", "changed_meanwhile", models.PositiveIntegerField(db_default=0, default=0)
        ),
    ]

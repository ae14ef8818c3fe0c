"""What workers learn about the slots of the account, for all of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0018_evidence")]

    operations = [
        migrations.AddField(
            model_name="gate",
            name="learned",
            field=models.JSONField(blank=True, null=True),
        ),
    ]

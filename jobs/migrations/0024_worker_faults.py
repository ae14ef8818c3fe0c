"""What of the workers' duties fails while jobs go on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0023_once_a_day")]

    operations = [
        migrations.CreateModel(
            name="WorkerFault",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("owner", models.CharField(max_length=200)),
                ("duty", models.CharField(max_length=40)),
                ("cause", models.CharField(max_length=100)),
                ("since", models.DateTimeField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "duty"), name="one_fault_of_a_duty")
                ],
            },
        ),
    ]

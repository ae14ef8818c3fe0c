"""Which database this is, holds of all jobs, and batches that are believed only of tickets that show it."""

from django.db import migrations, models

import jobs.clocks.clock


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0019_slots_that_are_free"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="is_doubted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="job",
            name="waiting_for",
            field=models.CharField(
                blank=True,
                choices=[
                    ("rate_limit", "Rate Limit"),
                    ("job_slots", "Job Slots"),
                    ("service_away", "Service Away"),
                    ("worker_lost", "Worker Lost"),
                    ("database", "Database"),
                    ("held", "Held"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.JSONField(default=dict)),
                ("recorded_at", models.DateTimeField(default=jobs.clocks.clock.now)),
                ("recorded_by", models.CharField(blank=True, default="", max_length=200)),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                ("held_by", models.CharField(blank=True, default="", max_length=200)),
                ("held_why", models.TextField(blank=True, default="")),
            ],
            options={
                "permissions": [
                    ("hold_jobs", "Can hold and release all jobs, and confirm a copied database")
                ],
                "default_permissions": [],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="there_is_one_installation")
                ],
            },
        ),
    ]

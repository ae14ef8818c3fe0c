from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tagmanager", "0004_column_choices"),
    ]

    operations = [
        migrations.CreateModel(
            name="PageCalls",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("minute", models.BigIntegerField(unique=True)),
                ("calls", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100, unique=True)),
                ("token", models.CharField(max_length=32)),
                ("until", models.DateTimeField()),
            ],
        ),
    ]

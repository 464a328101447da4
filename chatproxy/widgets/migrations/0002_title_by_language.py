from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WAS_THE_DEFAULT = "Chat with us"


def follow_the_language(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Who never chose a title has it in the visitor's language from now on."""
    widgets = apps.get_model("widgets", "Widget").objects
    widgets.filter(title=WAS_THE_DEFAULT).update(title="")


class Migration(migrations.Migration):
    dependencies = [("widgets", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="widget",
            name="title",
            field=models.CharField(
                blank=True,
                help_text="Empty: Chat with us, in the visitor's language.",
                max_length=80,
            ),
        ),
        migrations.RunPython(follow_the_language, migrations.RunPython.noop),
    ]

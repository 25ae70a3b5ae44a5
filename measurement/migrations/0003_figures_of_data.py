from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ('measurement', '0002_looks_and_spend_stay'),
    ]

    operations = [
        migrations.CreateModel(
            name='PanelFigures',
            fields=[
                ('panel', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='figures', serialize=False, to='measurement.panelversion')),
                ('content', models.BinaryField(help_text='a print, as measurement.core.figure_prints packs it')),
            ],
        ),
    ]

"""A person may judge a factor, with the reason."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="incrementalityfactor",
            name="evidence",
            field=models.CharField(
                choices=[
                    ("experiment", "randomised experiment"),
                    ("counterfactual", "modelled counterfactual (geo or time)"),
                    ("econometric", "econometric model"),
                    ("proxy", "taken over from a similar scope"),
                    ("judgement", "judgement of a person, with the reason"),
                ],
                max_length=16,
            ),
        ),
    ]

"""A budget of an account names the account's retailer, so that a scope has one budget whichever way it was typed."""

from typing import Any

from django.db import migrations


def name_the_retailer(apps: Any, schema_editor: Any) -> None:
    """Fill the retailer in; of two budgets that become the same, the one that was set last stays."""
    budgets = apps.get_model("planning", "Budget").objects
    for budget in budgets.filter(account__isnull=False, retailer__isnull=True).select_related("account"):
        twin = budgets.filter(
            brand_id=budget.brand_id, retailer_id=budget.account.retailer_id, account_id=budget.account_id,
            campaign=budget.campaign, period_start=budget.period_start, period_end=budget.period_end,
        ).first()  # fmt: skip
        if twin is not None and twin.updated_at >= budget.updated_at:
            budget.delete()
            continue
        if twin is not None:
            twin.delete()
        budget.retailer_id = budget.account.retailer_id
        budget.save(update_fields=["retailer"])


class Migration(migrations.Migration):
    dependencies = [
        ("harmonization", "0009_returns"),
        ("planning", "0003_budget"),
    ]

    operations = [migrations.RunPython(name_the_retailer, migrations.RunPython.noop)]

"""Forms of the settings pages. They read input; the rules are the services'."""

from __future__ import annotations

from uuid import UUID

from django import forms

from accounts.core.grants import Grant
from accounts.core.permissions import Role
from accounts.models import Brand
from tenants.core.problems import Problem

_ROLES = [(role.value, role.label.capitalize()) for role in Role]
_LIVES = [(30, "30 days"), (90, "90 days"), (180, "half a year"), (366, "a year")]


def refuse(form: forms.Form, problem: Problem) -> None:
    """Show a problem at the field it names, else above the form."""
    field = problem.where if problem.where in form.fields else None
    form.add_error(field, f"{problem.detail} {problem.fix}".strip())


class GrantForm(forms.Form):
    """A role, for all brands or one."""

    role = forms.ChoiceField(choices=_ROLES, initial=Role.VIEWER.value)
    brand = forms.ModelChoiceField(queryset=Brand.objects.none(), required=False, empty_label="All brands")

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        # Here and not in the class: its rows are those of the tenant of this request.
        self.fields["brand"].queryset = Brand.objects.all()  # type: ignore[attr-defined]

    def grant(self) -> Grant:
        """The role that was asked for."""
        brand: Brand | None = self.cleaned_data["brand"]
        brand_id: UUID | None = brand.pk if brand else None
        return Grant(Role(self.cleaned_data["role"]), brand_id)


class InviteForm(GrantForm):
    """A new person with one role; more roles are given on their page."""

    email = forms.EmailField(max_length=254, label="Work email")
    name = forms.CharField(max_length=120, required=False)
    field_order = ["email", "name", "role", "brand"]


class NameForm(forms.Form):
    """What a person is called."""

    name = forms.CharField(max_length=120, required=False)


class BrandForm(forms.Form):
    """A brand's name."""

    name = forms.CharField(max_length=120)


class TokenForm(forms.Form):
    """What a token is for, and how long it lives."""

    name = forms.CharField(max_length=80, help_text="What will use it, such as “nightly upload”.")
    days = forms.TypedChoiceField(choices=_LIVES, coerce=int, initial=90, label="Expires after")

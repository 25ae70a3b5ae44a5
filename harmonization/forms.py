"""Forms of the data pages."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from harmonization import selectors
from harmonization.core.load_context import parse_answers
from harmonization.core.source_file import SUFFIXES
from harmonization.models import Account, MappingContract, Upload
from harmonization.services.uploads import OF_THE_TENANT
from tenants.core.problems import InvalidInput


class UploadForm(forms.Form):
    """A file to send."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        help_text="CSV, XLSX, JSON, NDJSON or Parquet, as the network exported it; also packed as gz, zst or zip.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )
    kind = forms.ChoiceField(label="What it is", choices=Upload.Kind.choices, initial=Upload.Kind.REPORT)
    account = forms.ModelChoiceField(
        label="Account",
        queryset=Account.objects.none(),
        required=False,
        empty_label="Choose an account",
        help_text="The account that a report or audiences are of. Other files need none.",
    )
    contract = forms.ChoiceField(
        label="Mapping", help_text="How the columns are read. Automatic takes the mapping that fits the headers."
    )

    parameters = forms.CharField(
        label="Parameters",
        required=False,
        max_length=400,
        help_text="What the file does not tell and its mapping asks for, such as click_window=14D, view_window=none.",
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        # Here and not in the class: rows of the tenant and the person of this request.
        self.fields["account"].queryset = selectors.accounts_visible(  # type: ignore[attr-defined]
            user=user, permission="uploads.create"
        )
        names = MappingContract.objects.filter(published__isnull=False).values_list("name", flat=True)
        self.fields["contract"].choices = [("auto", "Automatic"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def clean_parameters(self) -> dict[str, str]:
        try:
            return parse_answers(self.cleaned_data["parameters"])
        except InvalidInput as problem:
            raise forms.ValidationError(f"{problem.detail} {problem.fix}") from problem

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") not in OF_THE_TENANT and not data.get("account"):
            what = "report is" if data.get("kind") == Upload.Kind.REPORT else "audiences are"
            self.add_error("account", f"Choose the account that the {what} of.")
        return data


class ContractForm(forms.Form):
    """The text of a mapping contract."""

    text = forms.CharField(
        label="Contract (YAML)",
        strip=False,
        max_length=400_000,
        widget=forms.Textarea(attrs={"rows": 32, "class": "mono", "spellcheck": "false", "wrap": "off"}),
    )
    note = forms.CharField(label="What changed", required=False, max_length=200)

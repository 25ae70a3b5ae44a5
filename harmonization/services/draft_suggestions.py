"""A column that a finding proposes, taken into a draft of the mapping."""

from __future__ import annotations

from accounts.models import User
from harmonization.core import contract_edit
from harmonization.core.contract_edit import read_choice, read_document, write_document
from harmonization.models import DataFinding, MappingDraft
from harmonization.services.drafts import change_draft, open_draft
from tenants.core.problems import InvalidInput


def map_finding(*, actor: User, finding: DataFinding) -> MappingDraft:
    """A draft of the mapping that read a finding's file, with the column as the finding proposes it.

    Raises:
        InvalidInput: the finding proposes nothing.
    """
    load = finding.load
    if load is None or load.contract_version is None or not finding.evidence.get("suggestion"):
        raise InvalidInput("This finding proposes no column.", where="finding", fix="Choose one that does.")
    draft = open_draft(actor=actor, contract=load.contract_version.contract, upload=load.upload)
    return take_suggestion(actor=actor, draft=draft, finding=finding)


def take_suggestion(*, actor: User, draft: MappingDraft, finding: DataFinding) -> MappingDraft:
    """Read the column of a finding, in a draft, as the finding proposes; the editor shows how sure that is.

    A proposal that is not sure has to be accepted before the draft can be published, like any other.

    Raises:
        InvalidInput: the draft's file does not have the column.
    """
    header, told = finding.evidence["header"], finding.evidence["suggestion"]
    headers = [column["source"] for column in draft.columns]
    if header not in headers:
        raise InvalidInput(f"The draft's file has no column {header!r}.", where="finding", fix="Name its file too.")

    def change(locked: MappingDraft) -> None:
        document = read_document(locked.text)
        locked.text = write_document(
            contract_edit.assign(document, header, read_choice(told["choice"]), headers), like=locked.text
        )
        shown = {name: told[name] for name in ("target", "attribution", "confidence", "reason")}
        locked.columns = [{**one, **shown} if one["source"] == header else one for one in locked.columns]
        locked.decided = {name: what for name, what in locked.decided.items() if name != header}

    return change_draft(actor, draft, change)

"""Mappings being worked on: proposed for a file, changed column by column or as text, tested, published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from accounts import selectors as roles
from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.core import contract_edit
from harmonization.core.contract import parse_contract
from harmonization.core.contract_edit import read_choice, read_document, write_document
from harmonization.core.contract_examples import check_examples, failed_examples
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.proposal import ProposedColumn
from harmonization.core.matching.propose import propose
from harmonization.core.preview import ROWS, Preview, preview, sample_columns
from harmonization.models import ContractVersion, MappingContract, MappingDraft, Upload
from harmonization.services.contracts import ensure_shipped_contracts, save_contract
from harmonization.services.load_context import build_context
from harmonization.services.loads import start_load
from jobs import services as jobs
from jobs.core.registry import JobContext
from jobs.models import Job
from tenants.core.problems import Conflict, InvalidInput, Problem

PROPOSE_KIND: Final = "harmonization.propose"
#: A suggestion as sure as this stands unless a person changes it; below it somebody has to look.
SURE: Final = 0.8
#: A column of which nothing is known this surely is left out without asking.
SURELY_NOTHING: Final = 0.6
#: Rows of a test by hand.
TEST_ROWS: Final = 10_000
#: How long the first rows of a file stay in the cache after they were read.
KEPT_SECONDS: Final = 3600


def propose_contract(*, actor: User, upload: Upload) -> MappingDraft:
    """Have a mapping proposed for an upload, as a job; the one open draft of the upload where there is one.

    Raises:
        InvalidInput: the upload is no report.
        NotAllowed: no role carries mappings.manage for the upload's brand.
    """
    people.require(user=actor, permission="mappings.manage", brand=upload.brand_id)
    if upload.kind != Upload.Kind.REPORT:
        raise InvalidInput("Only reports have a mapping; this upload is none.", where="upload")
    ensure_shipped_contracts()
    with transaction.atomic():
        Upload.objects.select_for_update().get(pk=upload.pk)
        draft = upload.drafts.filter(contract=None, state__in=["proposing", "open"]).first()
        if draft is not None:
            return draft
        draft = MappingDraft.objects.create(upload=upload, state=MappingDraft.State.PROPOSING, created_by=actor)
        job = jobs.submit_job(
            kind=PROPOSE_KIND,
            params={"draft_id": str(draft.pk)},
            actor=actor,
            brand=upload.brand,
            title=f"Propose a mapping for {upload.file_name}",
            idempotency_key=f"{PROPOSE_KIND}:{draft.pk}",
            subject=f"upload:{upload.pk}",
        )
        draft.job_id = job.pk
        draft.save(update_fields=["job_id"])
    return draft


def run_proposal(*, context: JobContext, embedder: Embedder | None = None) -> dict[str, Any]:
    """The job: match the file's columns and draft a contract of them. A problem is kept on the draft.

    Without an `embedder` columns are matched by words and values alone; the worker gives the packaged one, and a web
    process has none.
    """
    draft = MappingDraft.objects.select_related("upload").get(pk=context.params["draft_id"])
    upload = draft.upload
    assert upload is not None, "a proposal is made for an upload"
    known = [parse_contract(version.text) for version in selectors.published_versions()]
    context.progress("match columns", 0, 1, "files")
    named = context.staging / upload.file_name
    named.parent.mkdir(parents=True, exist_ok=True)
    named.hardlink_to(selectors.stored_file(upload))
    try:
        found = propose(named, known, embedder=embedder)
        if not found.contract_yaml:
            raise InvalidInput(
                "No column of this file was recognised.",
                where=upload.file_name,
                fix="Check that the file is a report with a header row, or write the mapping as YAML.",
            )
    except Problem as problem:
        MappingDraft.objects.filter(pk=draft.pk).update(state=MappingDraft.State.FAILED, problem=problem.as_dict())
        raise
    columns = [_column(column) for column in found.columns]
    result = {"draft_id": str(draft.pk), "columns": len(columns), "to_decide": sum(map(_is_open, columns))}
    with context.publish(result=result):
        # Whoever discarded it meanwhile does not get it back.
        locked = MappingDraft.objects.select_for_update().get(pk=draft.pk)
        if locked.state in (MappingDraft.State.PROPOSING, MappingDraft.State.FAILED):
            locked.text, locked.columns, locked.problem = _free_name(found.contract_yaml), columns, None
            locked.state, locked.notes = MappingDraft.State.OPEN, [*found.decisions, *found.notes]
            locked.save()
    context.progress("match columns", 1, 1, "files")
    return result


def note_failed_proposal(job_id: UUID, problem: Mapping[str, Any] | None) -> None:
    """A proposal whose job ended for good does not stay "being proposed"."""
    MappingDraft.objects.filter(job_id=job_id, state=MappingDraft.State.PROPOSING).update(
        state=MappingDraft.State.FAILED, problem=dict(problem) if problem else None
    )


def open_draft(*, actor: User, contract: MappingContract, upload: Upload | None = None) -> MappingDraft:
    """A draft that starts from the published text of a contract; `upload` is the file it is tried on.

    Raises:
        InvalidInput: nothing of the contract is published.
    """
    people.require(user=actor, permission="mappings.manage")
    if contract.published is None:
        raise InvalidInput("Nothing of this contract is published.", where="contract")
    found = contract.drafts.filter(state=MappingDraft.State.OPEN, created_by=actor).first()
    if found is None:
        found = MappingDraft.objects.create(contract=contract, text=contract.published.text, created_by=actor)
    if upload is not None and found.upload_id != upload.pk:
        found = try_on(actor=actor, draft=found, upload=upload)
    return found


def try_on(*, actor: User, draft: MappingDraft, upload: Upload) -> MappingDraft:
    """Try the draft of a contract on another file.

    Raises:
        InvalidInput: the upload is no report, or the draft is a proposal, which is of its own file.
    """
    if upload.kind != Upload.Kind.REPORT or draft.contract_id is None:
        raise InvalidInput("A mapping is tried on a report.", where="upload", fix="Choose a report.")

    def change(locked: MappingDraft) -> None:
        locked.upload, locked.decided = upload, {}
        locked.columns = sample_columns(selectors.stored_file(upload), parse_contract(locked.text))

    return change_draft(actor, draft, change, None)


def choose_column(
    *, actor: User, draft: MappingDraft, header: str, given: Mapping[str, Any], revision: int | None = None
) -> MappingDraft:
    """Say what one column is: `given` are the keys of `contract_edit.Choice`; without a target it is not read.

    Raises:
        InvalidInput: no such column, or a choice that is not one.
        Conflict: the draft was changed since `revision`.
    """
    choice = read_choice(given)
    headers = [column["source"] for column in draft.columns]

    def change(locked: MappingDraft) -> None:
        _known(locked, header)
        document = contract_edit.assign(read_document(locked.text), header, choice, headers)
        locked.text = write_document(document, like=locked.text)
        locked.decided = {**locked.decided, header: "changed" if choice.target else "ignored"}

    return change_draft(actor, draft, change, revision)


def accept_column(
    *, actor: User, draft: MappingDraft, header: str | None = None, revision: int | None = None
) -> MappingDraft:
    """Agree with what is proposed for a column, or for all that are open where none is named."""

    def change(locked: MappingDraft) -> None:
        wanted = undecided(locked)
        if header is not None:
            _known(locked, header)
            wanted = [header]
        locked.decided = {**locked.decided, **dict.fromkeys(wanted, "accepted")}

    return change_draft(actor, draft, change, revision)


def set_draft_frame(
    *, actor: User, draft: MappingDraft, given: Mapping[str, str], revision: int | None = None
) -> MappingDraft:
    """Set what the mapping says of the report as a whole: name, network, zone, currency, window."""

    def change(locked: MappingDraft) -> None:
        document = contract_edit.set_frame(read_document(locked.text), given)
        locked.text = write_document(document, like=locked.text)
        locked.decided = {**locked.decided, "": "frame"}

    return change_draft(actor, draft, change, revision)


def set_draft_text(*, actor: User, draft: MappingDraft, text: str, revision: int | None = None) -> MappingDraft:
    """Replace the text, whether it is valid yet or not: half-written YAML is kept too.

    Raises:
        InvalidContract, TooLarge: it is no YAML that a contract can be.
    """
    read_document(text)

    def change(locked: MappingDraft) -> None:
        locked.text = text

    return change_draft(actor, draft, change, revision)


def preview_draft(*, draft: MappingDraft, rows: int = ROWS) -> Preview:
    """What the draft makes of the first rows of its upload.

    Raises:
        InvalidContract: the text is not a valid contract.
        InvalidInput: the draft has no file to try it on; or the file does not fit.
    """
    upload = draft.upload
    if upload is None:
        raise InvalidInput("There is no file to try this mapping on.", where="upload", fix="Choose an upload.")
    return preview(
        selectors.stored_file(upload),
        parse_contract(draft.text),
        context=build_context(upload=upload),
        rows=rows,
        content=upload.sha256,
        memory=_FirstRows(),
    )


class _FirstRows:
    """First rows of uploads in the cache, so that not every change of a draft reads the file anew."""

    def get(self, key: str) -> bytes | None:
        found: bytes | None = cache.get(f"first-rows:{key}")
        return found

    def set(self, key: str, value: bytes) -> None:
        cache.set(f"first-rows:{key}", value, KEPT_SECONDS)


def try_draft(*, actor: User, draft: MappingDraft) -> dict[str, Any]:
    """The draft's own example rows, and the first 10,000 rows of its upload, under it.

    It is for those who may change the draft: others see what it makes of the first rows, and give the server no work.

    Returns:
        `examples` (how many there are), `failed` (what each that does not hold says), and, with an upload, `preview`.

    Raises:
        InvalidContract, InvalidInput: as for `preview_draft`.
    """
    _require(actor, draft)
    contract = parse_contract(draft.text)
    found = preview_draft(draft=draft, rows=TEST_ROWS) if draft.upload_id else None
    return {"examples": len(contract.examples), "failed": failed_examples(contract), "preview": found}


def publish_draft(
    *, actor: User, draft: MappingDraft, note: str = "", revision: int | None = None
) -> tuple[ContractVersion, Job | None]:
    """Put the draft in force as a version of its contract, and harmonise its upload by it.

    Mappings are in force for the whole tenant: publishing needs a role for it, working on a draft does not.

    Raises:
        InvalidContract: the text is not valid, or an example in it does not hold.
        Conflict: the draft is not open or was changed since `revision`; columns wait for a decision (`errors` names
            them); or the name is another mapping's, which a proposal must not change.
    """
    people.require(user=actor, permission="mappings.manage")
    with transaction.atomic():
        locked = _locked(draft, revision)
        contract = parse_contract(locked.text)
        check_examples(contract)
        if waiting := undecided(locked):
            raise Conflict(
                f"{len(waiting)} columns wait for a decision: {', '.join(waiting[:5])}.",
                where="columns",
                fix="Accept the suggestion, choose a target, or leave the column out.",
                errors=[{"where": header, "detail": "not decided"} for header in waiting],
            )
        taken = MappingContract.objects.filter(name=contract.name)
        if locked.contract_id is not None:
            taken = taken.exclude(pk=locked.contract_id)
        if taken.exists():
            raise Conflict(
                f"Another mapping is called {contract.name!r}.",
                where="name",
                fix="Give this one another name, or open a draft of that mapping.",
            )
        version = save_contract(actor=actor, text=locked.text, note=note or "from the editor")
        locked.state, locked.published_as = MappingDraft.State.PUBLISHED, version
        locked.save(update_fields=["state", "published_as", "updated_at"])
        job = None
        if locked.upload is not None and _may_load(actor, locked.upload):
            job = start_load(actor=actor, upload=locked.upload, contract=contract.name)
    return version, job


def discard_draft(*, actor: User, draft: MappingDraft) -> None:
    """Give a draft up; what is in force stays.

    Raises:
        Conflict: it is published or discarded already.
    """
    _require(actor, draft)
    given_up = MappingDraft.objects.filter(pk=draft.pk, state__in=["open", "failed", "proposing"]).update(
        state=MappingDraft.State.DISCARDED
    )
    if not given_up:
        raise Conflict("This draft is not open any more; there is nothing to discard.", where="state")


def undecided(draft: MappingDraft) -> list[str]:
    """Headers whose suggestion nobody has looked at and which is not sure enough to stand by itself."""
    return [c["source"] for c in draft.columns if _is_open(c) and c["source"] not in draft.decided]


def _may_load(actor: User, upload: Upload) -> bool:
    """Whether the actor may harmonise the upload; publishing a mapping does not need it."""
    return roles.may(user=actor, permission="uploads.create", brand=upload.brand_id)


def change_draft(
    actor: User, draft: MappingDraft, change: Callable[[MappingDraft], None], revision: int | None = None
) -> MappingDraft:
    """Change an open draft: whole or not at all, and only where it is still at `revision`.

    Raises:
        Conflict: it is open no more, or was changed since.
    """
    _require(actor, draft)
    with transaction.atomic():
        locked = _locked(draft, revision)
        change(locked)
        locked.revision += 1
        locked.save()
    return locked


def _require(actor: User, draft: MappingDraft) -> None:
    """A draft for a file of one brand is for its engineers; what is in force for everybody, for those of the tenant."""
    people.require(
        user=actor, permission="mappings.manage", brand=draft.upload.brand_id if draft.upload is not None else None
    )


def _locked(draft: MappingDraft, revision: int | None) -> MappingDraft:
    locked = MappingDraft.objects.select_for_update(of=("self",)).select_related("upload").get(pk=draft.pk)
    if not locked.is_open:
        raise Conflict(f"This draft is {locked.get_state_display()}; it cannot be changed.", where="state")
    if revision is not None and revision != locked.revision:
        raise Conflict(
            "The mapping was changed in another window since this page was loaded.",
            where="revision",
            fix="Reload the page and repeat the change.",
        )
    return locked


def _known(draft: MappingDraft, header: str) -> None:
    if header not in [column["source"] for column in draft.columns]:
        raise InvalidInput(
            f"The file has no column {header[:80]!r}.", where="header", fix="Choose one of the file's columns."
        )


def _column(column: ProposedColumn) -> dict[str, Any]:
    return {**column.as_dict(), "position": column.position, "samples": list(column.samples)}


def _is_open(column: Mapping[str, Any]) -> bool:
    least = SURELY_NOTHING if column["target"] is None else SURE
    return bool(str(column["source"]).strip()) and float(column["confidence"]) < least


def _free_name(text: str) -> str:
    """The proposal under a name that no contract has: publishing it must not change another report's mapping."""
    document = read_document(text)
    base, number = str(document["name"]), 2
    while MappingContract.objects.filter(name=document["name"]).exists():
        document["name"], number = f"{base[:58]}_{number}", number + 1
    return write_document(document, like=text)

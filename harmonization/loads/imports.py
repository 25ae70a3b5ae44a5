"""Doors of scheduled imports: what a person sees of them, REST and pages."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from accounts.rest.strict import StrictSerializer
from harmonization import selectors as data
from harmonization import services
from harmonization.core.watched_places import roots_of
from harmonization.models import ImportedFile, ImportSource, MappingContract
from harmonization.serializers import JobStartedSerializer
from harmonization.services.imports import MANAGE
from jobs.core.schedules import LONGEST_SECONDS, SHORTEST_SECONDS, Timing
from tenants.core.problems import NotFound, Problem
from tenants.selectors import current_schema

TAGS = ["loads"]


def imports_visible(*, user: Any) -> QuerySet[ImportSource]:
    """Watched places of the accounts a person may see, with how many files each took and refused."""
    accounts = data.accounts_visible(user=user, permission="uploads.view")
    return (
        ImportSource.objects.filter(account__in=accounts)
        .select_related("account__retailer", "account__brand")
        .annotate(
            taken=Count("files", filter=Q(files__state=ImportedFile.State.TAKEN)),
            refused=Count("files", filter=Q(files__state=ImportedFile.State.FAILED)),
            arriving=Count("files", filter=Q(files__state=ImportedFile.State.SEEN)),
        )
        .order_by("name")
    )


def import_visible(*, user: Any, import_id: UUID) -> ImportSource:
    """One of them, or `NotFound` in the words of a nonexistent one."""
    found = imports_visible(user=user).filter(pk=import_id).first()
    if found is None:
        raise NotFound("There is nothing here under that id.")
    return found


class ImportSerializer(serializers.ModelSerializer[ImportSource]):
    taken = serializers.IntegerField(default=0, read_only=True)
    refused = serializers.IntegerField(default=0, read_only=True)
    arriving = serializers.IntegerField(default=0, read_only=True, help_text="files that may still be written")
    schedule = serializers.UUIDField(source="schedule_id", allow_null=True, read_only=True)

    class Meta:
        model = ImportSource
        fields = [
            "id", "name", "account", "location", "glob", "contract", "needs_marker", "settle_seconds", "schedule",
            "looked_at", "problem", "taken", "refused", "arriving", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class ImportedFileSerializer(serializers.ModelSerializer[ImportedFile]):
    class Meta:
        model = ImportedFile
        fields = ["path", "size", "modified", "state", "upload", "job_id", "problem", "first_seen", "changed_at"]
        read_only_fields = fields


class ImportDetailSerializer(serializers.Serializer[Any]):
    source = ImportSerializer()  # type: ignore[assignment]
    files = ImportedFileSerializer(many=True, help_text="the latest hundred")


class NewImportSerializer(StrictSerializer):
    account = serializers.UUIDField()
    name = serializers.CharField(max_length=120)
    location = serializers.CharField(max_length=500, help_text="folder:/path or s3://bucket/prefix")
    glob = serializers.CharField(max_length=200, default="*")
    contract = serializers.SlugField(max_length=80, default="auto")
    needs_marker = serializers.BooleanField(default=False)
    settle_seconds = serializers.IntegerField(min_value=0, max_value=86_400, default=60)
    every_seconds = serializers.IntegerField(
        min_value=SHORTEST_SECONDS, max_value=LONGEST_SECONDS, required=False, help_text="a minute to a year"
    )
    crontab = serializers.CharField(required=False, default="", max_length=120, help_text="five fields, UTC")


class ImportList(generics.ListAPIView[ImportSource]):
    """Watched places."""

    serializer_class = ImportSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="uploads.view")
        return imports_visible(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Watch a place for files", request=NewImportSerializer, responses={201: ImportSerializer}
    )
    def post(self, request: Request) -> Response:
        authority.require(user=request.user, permission=MANAGE)
        asked = NewImportSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        account = data.account_visible(user=request.user, account_id=given.pop("account"), permission="catalogue.view")
        timing = _timing(given.pop("every_seconds", None), given.pop("crontab"))
        source = services.create_import_source(actor=_person(request), account=account, timing=timing, **given)
        return Response(ImportSerializer(source).data, status=status.HTTP_201_CREATED)


class ImportDetail(APIView):
    """One watched place."""

    @extend_schema(tags=TAGS, summary="Show a watched place and its files", responses=ImportDetailSerializer)
    def get(self, request: Request, import_id: UUID) -> Response:
        source = import_visible(user=request.user, import_id=import_id)
        return Response(ImportDetailSerializer({"source": source, "files": source.files.all()[:100]}).data)

    @extend_schema(tags=TAGS, summary="Stop watching a place", responses={204: None})
    def delete(self, request: Request, import_id: UUID) -> Response:
        services.remove_import_source(
            actor=_person(request), source=import_visible(user=request.user, import_id=import_id)
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImportRun(APIView):
    """Looking for files now."""

    parser_classes = [JSONParser]

    @extend_schema(tags=TAGS, summary="Look for files now", request=None, responses={202: JobStartedSerializer})
    def post(self, request: Request, import_id: UUID) -> Response:
        source = import_visible(user=request.user, import_id=import_id)
        job = services.start_import(actor=_person(request), source=source)
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class ImportForm(forms.Form):
    """A place to watch."""

    name = forms.CharField(label="Name", max_length=120)
    account: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label="Account", queryset=None, empty_label="Choose an account"
    )
    location = forms.CharField(label="Place", max_length=500, help_text="folder:/path or s3://bucket/prefix")
    glob = forms.CharField(label="Files", max_length=200, initial="*", help_text="A pattern, such as *.csv.")
    contract = forms.ChoiceField(label="Mapping")
    every_minutes = forms.IntegerField(label="Every, minutes", min_value=1, max_value=10_080, initial=60)
    needs_marker = forms.BooleanField(
        label="Wait for NAME.done", required=False, help_text="Take a file only once its sender has put that beside it."
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        accounts = data.accounts_visible(user=user, permission=MANAGE)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        names = MappingContract.objects.filter(published__isnull=False).values_list("name", flat=True)
        self.fields["contract"].choices = [("auto", "Automatic"), *((name, name) for name in names)]  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Watched places, what became of their files, and the form to add one."""
    authority.require_somewhere(user=request.user, permission="uploads.view")
    may_manage = people.may(user=request.user, permission=MANAGE)
    if request.method == "POST" and not may_manage:
        authority.require(user=request.user, permission=MANAGE)
    form = ImportForm(request.POST or None, user=_person(request)) if may_manage else None
    problem = None
    if request.method == "POST" and form is not None and form.is_valid():
        given = dict(form.cleaned_data)
        timing = _timing(given.pop("every_minutes") * 60, "")
        try:
            services.create_import_source(actor=_person(request), timing=timing, **given)
            return redirect("import-list")
        except Problem as error:
            problem = error
            if error.where in form.fields:
                form.add_error(error.where, error.detail)
    sources = list(imports_visible(user=request.user))
    context = {
        "sources": sources,
        "files": ImportedFile.objects.filter(source__in=sources).select_related("source")[:50],
        "form": form,
        "problem": problem,
        "roots": roots_of(current_schema(), settings.IMPORT_ROOTS) if may_manage else [],
        "may_send": people.may_for_some_brand(user=request.user, permission="uploads.create"),
        "may_manage": may_manage,
    }
    return render(request, "harmonization/imports.html", context, status=problem.status if problem else 200)


@require_POST
def act(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Look for files now, or stop watching."""
    source = import_visible(user=request.user, import_id=import_id)
    if request.POST.get("act") == "remove":
        services.remove_import_source(actor=_person(request), source=source)
        messages.success(request, f"{source.name} is not watched any more; what was taken stays.")
        return redirect("import-list")
    return redirect("job-detail", services.start_import(actor=_person(request), source=source).pk)


def _timing(every_seconds: int | None, crontab: str) -> Timing:
    return Timing(every_seconds=None if crontab else (every_seconds or 3600), crontab=crontab)


def _person(request: Any) -> User:
    return cast(User, request.user)

"""REST of the editor: drafts of mappings, from a proposal to a published version."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from harmonization import selectors as data
from harmonization import services
from harmonization.editor import selectors
from harmonization.editor.serializers import (
    ColumnSerializer,
    DraftListSerializer,
    DraftSerializer,
    DraftTextSerializer,
    EditSerializer,
    PublishedSerializer,
    PublishSerializer,
    TriedSerializer,
)
from harmonization.models import MappingDraft
from harmonization.quality.selectors import finding_visible

TAGS = ["mappings"]


class UploadProposal(APIView):
    """A mapping proposed from a file's own columns."""

    @extend_schema(tags=TAGS, summary="Propose a mapping for an upload", request=None, responses={202: DraftSerializer})
    def post(self, request: Request, upload_id: UUID) -> Response:
        upload = data.upload_visible(user=request.user, upload_id=upload_id)
        draft = services.propose_contract(actor=_person(request), upload=upload)
        return Response(DraftSerializer(draft).data, status=status.HTTP_202_ACCEPTED)


class MappingEdit(APIView):
    """A draft of a published mapping."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS, summary="Open a draft of a mapping", request=EditSerializer, responses={201: DraftSerializer}
    )
    def post(self, request: Request, name: str) -> Response:
        contract = data.contract_named(name=name)
        asked = _valid(EditSerializer(data=request.data))
        if "finding" in asked:
            finding = finding_visible(user=request.user, finding_id=asked["finding"])
            draft = services.map_finding(actor=_person(request), finding=finding)
            return Response(DraftSerializer(draft).data, status=status.HTTP_201_CREATED)
        upload = data.upload_visible(user=request.user, upload_id=asked["upload"]) if "upload" in asked else None
        draft = services.open_draft(actor=_person(request), contract=contract, upload=upload)
        return Response(DraftSerializer(draft).data, status=status.HTTP_201_CREATED)


class DraftList(generics.ListAPIView[MappingDraft]):
    """Drafts of mappings, the newest first."""

    serializer_class = DraftListSerializer

    def get_queryset(self) -> Any:
        return selectors.drafts_visible(user=self.request.user)

    @extend_schema(tags=TAGS, summary="List drafts of mappings")
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        return super().get(request, *args, **options)


class DraftDetail(APIView):
    """One draft."""

    parser_classes = [JSONParser]

    @extend_schema(tags=TAGS, summary="Show a draft of a mapping", responses=DraftSerializer)
    def get(self, request: Request, draft_id: UUID) -> Response:
        return Response(DraftSerializer(selectors.draft_visible(user=request.user, draft_id=draft_id)).data)

    @extend_schema(
        tags=TAGS,
        summary="Change a draft's text or particulars",
        request=DraftTextSerializer,
        responses=DraftSerializer,
    )
    def put(self, request: Request, draft_id: UUID) -> Response:
        draft = selectors.draft_visible(user=request.user, draft_id=draft_id)
        asked = _valid(DraftTextSerializer(data=request.data))
        actor, revision = _person(request), asked.get("revision")
        if "text" in asked:
            draft = services.set_draft_text(actor=actor, draft=draft, text=asked["text"], revision=revision)
        else:
            draft = services.set_draft_frame(actor=actor, draft=draft, given=asked["frame"], revision=revision)
        return Response(DraftSerializer(draft).data)

    @extend_schema(tags=TAGS, summary="Give a draft up", responses={204: None})
    def delete(self, request: Request, draft_id: UUID) -> Response:
        draft = selectors.draft_visible(user=request.user, draft_id=draft_id)
        services.discard_draft(actor=_person(request), draft=draft)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DraftColumns(APIView):
    """What the columns of a draft's file are."""

    parser_classes = [JSONParser]

    @extend_schema(tags=TAGS, summary="Decide what a column is", request=ColumnSerializer, responses=DraftSerializer)
    def post(self, request: Request, draft_id: UUID) -> Response:
        draft = selectors.draft_visible(user=request.user, draft_id=draft_id)
        asked = _valid(ColumnSerializer(data=request.data))
        actor, header, revision = _person(request), asked.pop("header"), asked.pop("revision", None)
        if asked.pop("accept"):
            draft = services.accept_column(actor=actor, draft=draft, header=header, revision=revision)
        else:
            draft = services.choose_column(actor=actor, draft=draft, header=header, given=asked, revision=revision)
        return Response(DraftSerializer(draft).data)


class DraftTest(APIView):
    """A draft tried on its examples and its file."""

    @extend_schema(tags=TAGS, summary="Try a draft on its file", request=None, responses=TriedSerializer)
    def post(self, request: Request, draft_id: UUID) -> Response:
        draft = selectors.draft_visible(user=request.user, draft_id=draft_id)
        tried = services.try_draft(actor=_person(request), draft=draft)
        seen = tried["preview"]
        body = {
            "examples": tried["examples"],
            "failed": tried["failed"],
            "rows": seen.rows if seen else None,
            "good": seen.good if seen else None,
            "quarantined": seen.quarantined if seen else None,
            "skipped": seen.skipped if seen else None,
            "broken": seen.broken if seen else {},
            "totals": list(seen.totals) if seen else [],
            "lines": list(seen.lines) if seen else [],
        }
        return Response(TriedSerializer(body).data)


class DraftPublish(APIView):
    """A draft put in force."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS, summary="Publish a draft and harmonise its file", request=PublishSerializer,
        responses={201: PublishedSerializer},
    )  # fmt: skip
    def post(self, request: Request, draft_id: UUID) -> Response:
        draft = selectors.draft_visible(user=request.user, draft_id=draft_id)
        asked = _valid(PublishSerializer(data=request.data))
        version, job = services.publish_draft(actor=_person(request), draft=draft, **asked)
        body = {"version": str(version), "contract": version.contract.name, "job_id": job.pk if job else None}
        return Response(PublishedSerializer(body).data, status=status.HTTP_201_CREATED)


def _person(request: Request) -> User:
    # Only people and their tokens pass the default permission; services look again.
    return cast(User, request.user)


def _valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found

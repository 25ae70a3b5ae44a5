"""REST of data: retailers, accounts, uploads, loads, mappings, catalogue. Parse, call a service, serialise."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from harmonization import selectors, services
from harmonization.models import (
    Account,
    Campaign,
    Load,
    MappingContract,
    Placement,
    Product,
    Retailer,
    Upload,
)
from harmonization.serializers import (
    AccountSerializer,
    CampaignSerializer,
    ContractCheckSerializer,
    ContractTextSerializer,
    ContractVersionSerializer,
    HarmonizeSerializer,
    JobStartedSerializer,
    LoadSerializer,
    MappingSerializer,
    NewAccountSerializer,
    NewUploadSerializer,
    PlacementSerializer,
    ProductSerializer,
    RetailerSerializer,
    UploadResultSerializer,
    UploadSerializer,
)
from harmonization.services.uploads import NEEDS_ACCOUNT, OF_THE_TENANT

TAGS = ["data"]


class RetailerList(generics.ListAPIView[Retailer]):
    """Retailers of the tenant."""

    serializer_class = RetailerSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="catalogue.view")
        return selectors.retailers()

    @extend_schema(tags=TAGS, summary="Add a retailer", request=RetailerSerializer, responses={201: RetailerSerializer})
    def post(self, request: Request) -> Response:
        data = _valid(RetailerSerializer(data=request.data))
        retailer = services.create_retailer(actor=_person(request), **data)
        return Response(RetailerSerializer(retailer).data, status=status.HTTP_201_CREATED)


class AccountList(generics.ListAPIView[Account]):
    """Advertising accounts."""

    serializer_class = AccountSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="catalogue.view")
        return selectors.accounts_visible(user=self.request.user, permission="catalogue.view")

    @extend_schema(
        tags=TAGS, summary="Add an account", request=NewAccountSerializer, responses={201: AccountSerializer}
    )
    def post(self, request: Request) -> Response:
        data = _valid(NewAccountSerializer(data=request.data))
        authority.require(user=request.user, permission="uploads.create", brand=data["brand"])
        brand = None
        if data["brand"]:
            brand = people.brands_for(user=request.user, permission="uploads.create").get(pk=data["brand"])
        retailer = selectors.retailers().filter(pk=data["retailer"]).first()
        if retailer is None:
            raise ValidationError({"retailer": ["There is no such retailer."]})
        account = services.create_account(
            actor=_person(request), brand=brand, retailer=retailer,
            external_id=data["external_id"], name=data["name"], currency=data["currency"],
        )  # fmt: skip
        return Response(AccountSerializer(account).data, status=status.HTTP_201_CREATED)


class UploadList(generics.ListAPIView[Upload]):
    """Files as they arrived."""

    serializer_class = UploadSerializer
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="uploads.view")
        return selectors.uploads_visible(user=self.request.user)

    @extend_schema(
        tags=TAGS,
        summary="Upload a file",
        description="A report is harmonised as a job (see `job_id`); any other file is taken before the answer.",
        request={"multipart/form-data": NewUploadSerializer},
        responses={201: UploadResultSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request) -> Response:
        data = _valid(NewUploadSerializer(data=request.data))
        account = None
        if data["kind"] not in OF_THE_TENANT:
            if "account" not in data:
                raise ValidationError({"account": [NEEDS_ACCOUNT[data["kind"]]]})
            account = selectors.account_visible(
                user=request.user, account_id=data["account"], permission="catalogue.view"
            )
        result = services.take_file(
            actor=_person(request),
            chunks=data["file"].chunks(),
            file_name=data["file"].name,
            account=account,
            kind=data["kind"],
            contract=data["contract"],
            parameters=data["parameters"],
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        body = {
            "upload": result.upload,
            "job_id": result.job.pk if result.job else None,
            "catalogue": result.catalogue,
            "imported": result.imported,
        }
        return Response(UploadResultSerializer(body).data, status=status.HTTP_201_CREATED)


class UploadDetail(APIView):
    """One upload."""

    @extend_schema(tags=TAGS, summary="Show an upload", responses=UploadSerializer)
    def get(self, request: Request, upload_id: UUID) -> Response:
        return Response(UploadSerializer(selectors.upload_visible(user=request.user, upload_id=upload_id)).data)


class UploadHarmonize(APIView):
    """Harmonising an upload anew."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS,
        summary="Harmonise an upload",
        request=HarmonizeSerializer,
        responses={202: JobStartedSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        upload = selectors.upload_visible(user=request.user, upload_id=upload_id)
        data = _valid(HarmonizeSerializer(data=request.data))
        job = services.start_load(
            actor=_person(request),
            upload=upload,
            contract=data["contract"],
            whole=data["whole"],
            accept_drift=data["accept_drift"],
            parameters=data["parameters"],
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class LoadList(generics.ListAPIView[Load]):
    """Harmonised uploads."""

    serializer_class = LoadSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="uploads.view")
        return selectors.loads_visible(user=self.request.user)


class LoadDetail(APIView):
    """One load."""

    @extend_schema(tags=TAGS, summary="Show a load", responses=LoadSerializer)
    def get(self, request: Request, load_id: UUID) -> Response:
        return Response(LoadSerializer(selectors.load_visible(user=request.user, load_id=load_id)).data)


class MappingList(generics.ListAPIView[MappingContract]):
    """Mapping contracts with the text in force."""

    serializer_class = MappingSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="mappings.view")
        services.ensure_shipped_contracts()
        return selectors.contracts()

    @extend_schema(
        tags=TAGS, summary="Save and publish a contract", request=ContractTextSerializer,
        responses={201: ContractVersionSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = _valid(ContractTextSerializer(data=request.data))
        version = services.save_contract(actor=_person(request), text=data["text"], note=data["note"])
        return Response(ContractVersionSerializer(version).data, status=status.HTTP_201_CREATED)


class MappingDetail(APIView):
    """One contract."""

    @extend_schema(tags=TAGS, summary="Show a contract", responses=MappingSerializer)
    def get(self, request: Request, name: str) -> Response:
        authority.require_somewhere(user=request.user, permission="mappings.view")
        return Response(MappingSerializer(selectors.contract_named(name=name)).data)


class MappingCheck(APIView):
    """Validation of a contract's text."""

    @extend_schema(
        tags=TAGS, summary="Check a contract without saving it", request=ContractTextSerializer,
        responses=ContractCheckSerializer,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        authority.require_somewhere(user=request.user, permission="mappings.view")
        contract = services.check_contract(text=_valid(ContractTextSerializer(data=request.data))["text"])
        return Response(
            {
                "name": contract.name,
                "network": contract.network,
                "report": contract.report,
                "fields": len(contract.fields),
                "attributions": len(contract.attributions),
                "rules": len(contract.rules),
            }
        )


class ProductList(generics.ListAPIView[Product]):
    """The catalogue with stock at each retailer."""

    serializer_class = ProductSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="catalogue.view")
        return selectors.products_visible(user=self.request.user)


class CampaignList(generics.ListAPIView[Campaign]):
    """Campaigns seen in reports."""

    serializer_class = CampaignSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="metrics.view")
        return selectors.campaigns_visible(user=self.request.user)


class PlacementList(generics.ListAPIView[Placement]):
    """How each network's placements are read."""

    serializer_class = PlacementSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="mappings.view")
        return Placement.objects.all()


def _person(request: Request) -> User:
    # Only people and their tokens pass the default permission; services look again.
    return cast(User, request.user)


def _valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data

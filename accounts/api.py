"""`/api/v1/` me, brands, users, tokens, history: parse, ask the service, serialise."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import history, selectors, services
from accounts.models import Brand, User
from accounts.password_links import password_link, send_invitation
from accounts.rest.pagination import Pages
from accounts.serializers import (
    BrandIn,
    BrandOut,
    BrandRename,
    ChangeOut,
    ChangesAsked,
    ChangesOut,
    Invitation,
    MeOut,
    NewToken,
    StrictSerializer,
    TokenIn,
    TokenOut,
    UserChange,
    UserIn,
    UserOut,
    grants_from,
)
from tenants.core.problems import NotFound
from tenants.selectors import current_tenant

PROBLEM = {400: OpenApiTypes.OBJECT, 401: OpenApiTypes.OBJECT, 403: OpenApiTypes.OBJECT, 404: OpenApiTypes.OBJECT}


class View(APIView):
    """A view whose lists come in pages."""

    def person(self) -> User:
        return cast(User, self.request.user)

    def parsed(self, serializer: type[StrictSerializer], data: Any = None) -> dict[str, Any]:
        checked = serializer(data=self.request.data if data is None else data)
        checked.is_valid(raise_exception=True)
        return cast(dict[str, Any], checked.validated_data)

    def paged(self, request: Request, rows: Any, serializer: Any) -> Response:
        pages = Pages()
        page: Any = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(serializer(page, many=True).data)


class Me(View):
    @extend_schema(operation_id="me", responses=MeOut)
    def get(self, request: Request) -> Response:
        """Who I am here, my roles, and what they let me do."""
        me = selectors.people().get(pk=self.person().pk)
        body = {"user": me, "tenant": current_tenant(), "permissions": selectors.permissions_for(user=me)}
        return Response(MeOut(body).data)


class Brands(View):
    @extend_schema(operation_id="brands_list", responses=BrandOut(many=True))
    def get(self, request: Request) -> Response:
        """Brands that I have a role for."""
        return self.paged(request, selectors.brands_for(user=self.person(), permission="brands.view"), BrandOut)

    @extend_schema(operation_id="brands_create", request=BrandIn, responses={201: BrandOut, **PROBLEM})
    def post(self, request: Request) -> Response:
        """Add a brand."""
        services.require(user=self.person(), permission="brands.manage")
        made = services.create_brand(actor=self.person(), **self.parsed(BrandIn))
        return Response(BrandOut(made).data, status=status.HTTP_201_CREATED)


class OneBrand(View):
    @extend_schema(operation_id="brands_read", responses={200: BrandOut, **PROBLEM})
    def get(self, request: Request, brand_id: UUID) -> Response:
        """One brand."""
        return Response(BrandOut(self._brand(brand_id)).data)

    @extend_schema(operation_id="brands_update", request=BrandRename, responses={200: BrandOut, **PROBLEM})
    def patch(self, request: Request, brand_id: UUID) -> Response:
        """Rename a brand."""
        services.require(user=self.person(), permission="brands.manage", brand=self._brand(brand_id))
        renamed = services.update_brand(actor=self.person(), brand_id=brand_id, **self.parsed(BrandRename))
        return Response(BrandOut(renamed).data)

    @extend_schema(operation_id="brands_delete", responses={204: None, **PROBLEM})
    def delete(self, request: Request, brand_id: UUID) -> Response:
        """Remove a brand that nothing belongs to yet."""
        self._brand(brand_id)
        services.delete_brand(actor=self.person(), brand_id=brand_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _brand(self, brand_id: UUID) -> Brand:
        found = selectors.brands_for(user=self.person(), permission="brands.view").filter(pk=brand_id).first()
        if found is None:
            raise NotFound(services.NOTHING_HERE)
        return found


class Users(View):
    @extend_schema(operation_id="users_list", responses=UserOut(many=True))
    def get(self, request: Request) -> Response:
        """Everybody with their roles."""
        services.require(user=self.person(), permission="users.view")
        return self.paged(request, selectors.people(), UserOut)

    @extend_schema(operation_id="users_invite", request=UserIn, responses={201: Invitation, **PROBLEM})
    def post(self, request: Request) -> Response:
        """Invite a person; the answer carries the link where they set a password."""
        services.require(user=self.person(), permission="users.manage")
        asked = self.parsed(UserIn)
        invited = services.invite_user(
            actor=self.person(), email=asked["email"], name=asked["name"], grants=grants_from(asked["grants"])
        )
        link = send_invitation(invited, request)
        shown = {**UserOut(selectors.people().get(pk=invited.pk)).data, "password_link": link}
        return Response(shown, status=status.HTTP_201_CREATED)


class OneUser(View):
    @extend_schema(operation_id="users_read", responses={200: UserOut, **PROBLEM})
    def get(self, request: Request, user_id: UUID) -> Response:
        """One person with their roles."""
        services.require(user=self.person(), permission="users.view")
        return Response(UserOut(self._user(user_id)).data)

    @extend_schema(operation_id="users_update", request=UserChange, responses={200: UserOut, **PROBLEM})
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Change a person's name or roles, or whether they can log in. `grants` replaces all they have."""
        services.require(user=self.person(), permission="users.manage")
        self._user(user_id)
        asked = self.parsed(UserChange)
        if "grants" in asked:
            asked["grants"] = grants_from(asked["grants"])
        services.update_user(actor=self.person(), user_id=user_id, **asked)
        return Response(UserOut(self._user(user_id)).data)

    @extend_schema(operation_id="users_deactivate", responses={204: None, **PROBLEM})
    def delete(self, request: Request, user_id: UUID) -> Response:
        """End a person's access. What they did stays on record."""
        services.deactivate_user(actor=self.person(), user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _user(self, user_id: UUID) -> User:
        found = selectors.people().filter(pk=user_id).first()
        if found is None:
            raise NotFound(services.NOTHING_HERE)
        return found


class UserPasswordLink(View):
    @extend_schema(operation_id="users_password_link", request=None, responses={200: OpenApiTypes.OBJECT, **PROBLEM})
    def post(self, request: Request, user_id: UUID) -> Response:
        """A new link where a person sets a password, for when the first one was lost."""
        services.require(user=self.person(), permission="users.manage")
        user = selectors.people().filter(pk=user_id, is_active=True).first()
        if user is None:
            raise NotFound(services.NOTHING_HERE)
        return Response({"password_link": password_link(user, request)})


class Tokens(View):
    @extend_schema(operation_id="tokens_list", responses=TokenOut(many=True))
    def get(self, request: Request) -> Response:
        """My tokens; for an owner, everybody's."""
        return self.paged(request, selectors.tokens_for(user=self.person()), TokenOut)

    @extend_schema(operation_id="tokens_create", request=TokenIn, responses={201: NewToken, **PROBLEM})
    def post(self, request: Request) -> Response:
        """Make a token of my own. Its text is in this answer and nowhere else."""
        token, text = services.create_token(actor=self.person(), **self.parsed(TokenIn))
        return Response({**TokenOut(token).data, "token": text}, status=status.HTTP_201_CREATED)


class OneToken(View):
    @extend_schema(operation_id="tokens_revoke", responses={204: None, **PROBLEM})
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke a token at once."""
        services.revoke_token(actor=self.person(), token_id=token_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class History(View):
    @extend_schema(operation_id="history_list", parameters=[ChangesAsked], responses={200: ChangesOut, **PROBLEM})
    def get(self, request: Request) -> Response:
        """Who changed what, from what to what; newest first."""
        services.require(user=self.person(), permission="history.view")
        asked = self.parsed(ChangesAsked, data=request.query_params.dict())
        found = history.changes(**asked)
        return Response(
            {
                "results": ChangeOut([asdict(change) for change in found], many=True).data,
                "next_before": found[-1].at if len(found) == asked["limit"] else None,
            }
        )

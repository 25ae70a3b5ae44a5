"""What the API of people, brands, tokens and history takes and gives: every field is named, nothing else is read."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts.core.grants import Grant
from accounts.core.permissions import Role
from accounts.models import ApiToken, Brand, RoleGrant, User
from accounts.rest.strict import StrictSerializer


class BrandOut(serializers.ModelSerializer[Brand]):
    class Meta:
        model = Brand
        fields = ["id", "slug", "name", "created_at"]
        read_only_fields = fields


class BrandIn(StrictSerializer):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=64, required=False)


class BrandRename(StrictSerializer):
    name = serializers.CharField(max_length=120)


class GrantOut(serializers.ModelSerializer[RoleGrant]):
    brand = serializers.UUIDField(source="brand_id", allow_null=True, help_text="null: all brands")

    class Meta:
        model = RoleGrant
        fields = ["role", "brand"]
        read_only_fields = fields


class GrantIn(StrictSerializer):
    role = serializers.ChoiceField(choices=[(role.value, role.label) for role in Role])
    brand = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="null: all brands")


def grants_from(rows: list[dict[str, Any]]) -> list[Grant]:
    """The roles asked for in a validated request."""
    return [Grant(Role(row["role"]), row.get("brand")) for row in rows]


class UserOut(serializers.ModelSerializer[User]):
    grants = GrantOut(many=True)

    class Meta:
        model = User
        fields = ["id", "email", "name", "is_active", "grants", "created_at", "last_login"]
        read_only_fields = fields


class UserIn(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    grants = GrantIn(many=True, allow_empty=False)


class Invitation(UserOut):
    password_link = serializers.CharField(help_text="where the person sets a password; works once, for three days")

    class Meta(UserOut.Meta):
        fields = [*UserOut.Meta.fields, "password_link"]
        read_only_fields = fields


class UserChange(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)
    grants = GrantIn(many=True, allow_empty=False, required=False)


class TokenOut(serializers.ModelSerializer[ApiToken]):
    id = serializers.UUIDField(source="public_id")
    owner = serializers.CharField(source="user.email")
    begins_with = serializers.CharField(source="token_key")
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)
    expired = serializers.SerializerMethodField()

    class Meta:
        model = ApiToken
        fields = ["id", "name", "owner", "begins_with", "created_at", "expires_at", "expired", "last_used_at"]
        read_only_fields = fields

    def get_expired(self, token: ApiToken) -> bool:
        return token.expiry is not None and token.expiry < timezone.now()


class TokenIn(StrictSerializer):
    name = serializers.CharField(max_length=80)
    days = serializers.IntegerField(required=False, default=90, min_value=1, max_value=366)


class NewToken(TokenOut):
    token = serializers.CharField(help_text="shown this once; it is kept nowhere")

    class Meta(TokenOut.Meta):
        fields = [*TokenOut.Meta.fields, "token"]
        read_only_fields = fields


class TenantOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    base_currency = serializers.CharField()


class MeOut(serializers.Serializer[Any]):
    user = UserOut()
    tenant = TenantOut()
    permissions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text='permission -> ["*"] for all brands, or the slugs of the brands it is limited to',
    )


class ChangeOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    action = serializers.ChoiceField(choices=["created", "changed", "removed"])
    kind = serializers.CharField()
    object_id = serializers.CharField(allow_null=True)
    who = serializers.CharField(allow_null=True, help_text="null: the system itself")
    via = serializers.CharField()
    before = serializers.DictField()
    after = serializers.DictField()


class ChangesAsked(StrictSerializer):
    kind = serializers.CharField(required=False, default="", help_text="such as accounts.RoleGrant")
    object_id = serializers.UUIDField(required=False, default=None)
    before = serializers.DateTimeField(required=False, default=None, help_text="older than this; gives the next page")
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=500)


class ChangesOut(serializers.Serializer[Any]):
    results = ChangeOut(many=True)
    next_before = serializers.DateTimeField(allow_null=True, help_text="send as `before` for the next page")

"""Bodies that say no more than is asked."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that a misspelt or a forbidden one is not dropped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        strangers = sorted(set(data) - set(self.fields))
        if strangers:
            raise serializers.ValidationError({name: ["There is no such field."] for name in strangers})
        read_only = sorted(name for name in data if self.fields[name].read_only)
        if read_only:
            raise serializers.ValidationError({name: ["This cannot be set."] for name in read_only})
        return values


def valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    """What was sent, as the serializer reads it.

    Raises:
        ValidationError: by field, what is wrong.
    """
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data

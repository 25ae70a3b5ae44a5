"""Shapes of the learning API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from optimization.learning_models import LearningProgramme, LearningWeek
from optimization.services.learning import SETTABLE


class ProgrammeSerializer(serializers.ModelSerializer[LearningProgramme]):
    settings = serializers.JSONField(read_only=True, help_text="temperature, reserve, forgetting and what is usual")

    class Meta:
        model = LearningProgramme
        fields = [
            "id", "number", "brand", "name", "solve", "problem_sha256", "currency", "weekly_budget", "first_week",
            "least_cover_days", "settings", "seed", "status", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewProgrammeSerializer(StrictSerializer):
    solve_id = serializers.UUIDField(help_text="a solved problem whose cells are lines of reports")
    name = serializers.CharField(max_length=120)
    first_week = serializers.DateField(help_text="a Monday")
    problem_weeks = serializers.FloatField(
        allow_null=True,
        default=None,
        help_text="how many weeks the solved problem's money and curves are of; none: as the solve of a scenario says",
    )
    weekly_budget = serializers.DecimalField(
        max_digits=14, decimal_places=2, allow_null=True, default=None, help_text="none: the problem's by its weeks"
    )
    settings = serializers.DictField(
        child=serializers.FloatField(), default=dict, help_text=f"some of {', '.join(SETTABLE)}; fractions"
    )
    least_cover_days = serializers.IntegerField(min_value=0, max_value=365, default=3)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True, default=None)


class StatusSerializer(StrictSerializer):
    wanted = serializers.ChoiceField(choices=LearningProgramme.Status.choices)


class RunSerializer(StrictSerializer):
    week = serializers.DateField(allow_null=True, default=None, help_text="Monday; none: the coming week")


class RunStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()


class WeekSerializer(serializers.ModelSerializer[LearningWeek]):
    summary = serializers.JSONField(read_only=True, help_text="spend, expected sales, gap, probes, fallback")

    class Meta:
        model = LearningWeek
        fields = [
            "id", "programme", "number", "monday", "status", "summary", "known", "beliefs_sha256", "problem_sha256",
            "decided_at", "job_id", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class WeekDetailSerializer(WeekSerializer):
    lines = serializers.JSONField(
        read_only=True,
        help_text="one object per cell: now, proposed, probed, probe_chance, factor with its 80 % interval, why",
    )

    class Meta(WeekSerializer.Meta):
        fields = [*WeekSerializer.Meta.fields, "lines"]
        read_only_fields = fields


class DecideSerializer(StrictSerializer):
    accept = serializers.BooleanField(help_text="false skips the week")


class ReplaySerializer(serializers.Serializer[Any]):
    equal = serializers.BooleanField()
    weeks = serializers.IntegerField()
    detail = serializers.CharField()


class EstimateSerializer(serializers.Serializer[Any]):
    revenue = serializers.FloatField(help_text="mean weekly sales under the other policy, money")
    standard_error = serializers.FloatField()
    logged = serializers.FloatField(help_text="mean weekly sales as they were")
    mean_weight = serializers.FloatField(help_text="1 but for chance")
    largest_weight = serializers.FloatField()
    weeks = serializers.IntegerField()
    left_out = serializers.DictField(child=serializers.IntegerField())


class EstimateQuerySerializer(serializers.Serializer[Any]):
    temperature = serializers.FloatField(required=False, allow_null=True, default=None)
    even_probes = serializers.BooleanField(default=False)

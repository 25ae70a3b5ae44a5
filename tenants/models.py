"""Who has a schema of their own. These tables live in the public schema."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

from tenants.core.ids import new_id

PUBLIC_SCHEMA = "public"


class Tenant(TenantMixin):
    """A customer with a schema, a storage prefix, a cache prefix and limits of its own."""

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        SUSPENDED = "suspended", "suspended"

    # Schemas are made by `services.create_tenant` from a template in one transaction, never as a side effect of save.
    auto_create_schema = False
    auto_drop_schema = False

    objects: ClassVar[models.Manager[Tenant]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema_name = models.CharField(
        "slug",
        max_length=48,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9_]{1,47}$", "lower-case letters, digits and _, starting with a letter")
        ],
    )
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    base_currency = models.CharField(max_length=3, default="USD")
    api_rate_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="API requests a minute; empty means the platform's default"
    )
    storage_quota_mb = models.PositiveIntegerField(default=20_480, help_text="uploads kept, in MiB")
    max_running_jobs = models.PositiveSmallIntegerField(default=4, help_text="jobs running at the same time")
    max_waiting_jobs = models.PositiveIntegerField(default=1_000, help_text="jobs accepted and not yet finished")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(base_currency__regex=r"^[A-Z]{3}$"), name="tenant_base_currency_is_iso_4217"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def slug(self) -> str:
        """The name used in `X-Tenant-ID`, in file paths and as schema name."""
        return str(self.schema_name)

    @property
    def is_platform(self) -> bool:
        """Whether this is the public schema, where platform operators work."""
        return self.schema_name == PUBLIC_SCHEMA


class Domain(DomainMixin):
    """A host name that opens a tenant."""

    objects: ClassVar[models.Manager[Domain]] = models.Manager()

    class Meta:
        ordering = ["domain"]


class SchemaTemplate(models.Model):
    """The SQL that makes an up-to-date tenant schema, one row for each set of migrations."""

    digest = models.CharField(max_length=64, primary_key=True)
    sql = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

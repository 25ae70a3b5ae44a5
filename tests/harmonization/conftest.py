from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from accounts.models import User
from harmonization import services
from harmonization.models import Account, Upload
from jobs.models import Job
from tests.factories import AccountFactory, BrandFactory, RetailerFactory

WALMART_HEADER = (
    "date,campaignId,campaignName,adGroupId,adGroupName,itemId,itemName,placement,numAdsShown,numAdsClicks,adSpend,"
    "attributedSales3days,attributedSales14days,attributedSales30days,attributedOrders14days,unitsSold14days,"
    "advertisedSkuSales14days,otherSkuSales14days,storeAttributedSales14days,pickupAttributedSales14days,"
    "deliveryAttributedSales14days,ntbRevenue14days,ntbUnits14days,asOf"
)


def walmart_row(
    day: str = "2026-11-02", *, item: str = "501", spend: str = "10.00", sales: str = "40.00", shown: int = 1000
) -> str:
    return (
        f"{day},9001,Chips search,8001,Chips,{item},Sea Salt,Search Ingrid,{shown},50,{spend},"
        f"{sales},{sales},{sales},4,5,{sales},0.00,0.00,0.00,0.00,0.00,0,2026-11-22 22:40:00"
    )


def walmart_csv(*rows: str) -> bytes:
    return "\n".join([WALMART_HEADER, *(rows or (walmart_row(),))]).encode() + b"\n"


class DirectContext:
    """A job's context without the engine: publishes in a plain transaction."""

    def __init__(self, job: Job, staging: Path) -> None:
        self.job, self.staging = job, staging
        self.tenant_schema, self.job_id, self.attempt, self.token = "acme", job.pk, 1, 1
        self.params: dict[str, Any] = job.params
        self.brand_id: UUID | None = job.brand_id
        self.actor_id: UUID | None = job.actor_id
        self.lines: list[str] = []
        self.fail_after_publish = False

    def progress(self, stage: str, done: int, total: int | None = None, unit: str = "rows") -> None: ...

    def log(self, level: str, message: str, **fields: Any) -> None:
        self.lines.append(f"{level}: {message}")

    def raise_if_cancelled(self) -> None: ...

    @contextmanager
    def publish(self, *, result: Mapping[str, Any] | None = None) -> Iterator[None]:
        with transaction.atomic():
            yield
            if self.fail_after_publish:
                raise ConnectionError("the worker died here")


@pytest.fixture
def walmart(acme: object) -> Account:
    """Acme Chips' account at Walmart."""
    return AccountFactory(
        brand=BrandFactory(slug="chips"),
        retailer=RetailerFactory(slug="walmart", network="walmart_connect"),
        external_id="wm-1",
        name="Acme Walmart",
    )


@pytest.fixture
def send(alice: User, storage: Path):
    """`send(content, account)`: the upload and the job that would harmonise it."""

    def _send(content: bytes, account: Account | None, name: str = "item.csv", **options: Any) -> services.Taken:
        return services.take_file(
            actor=options.pop("actor", alice), chunks=[content], file_name=name, account=account, **options
        )

    return _send


@pytest.fixture
def load(send, tmp_path: Path):
    """`load(content, account)`: harmonise a file at once and return the job's result."""
    count = iter(range(1000))

    def _load(content: bytes, account: Account, name: str = "item.csv", **options: Any) -> dict[str, Any]:
        taken = send(content, account, name, **options)
        staging = tmp_path / "storage" / f"staging-{next(count)}"
        staging.mkdir(parents=True)
        return services.harmonize_upload(context=DirectContext(taken.job, staging))

    return _load


@pytest.fixture
def uploads() -> type[Upload]:
    return Upload

"""Rows for tests, made in the tenant that is active."""

from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.core.permissions import Role
from accounts.models import Brand, RoleGrant, User
from harmonization.models import Account, Product, Retailer

PASSWORD = "correct horse battery staple"


class BrandFactory(DjangoModelFactory[Brand]):
    class Meta:
        model = Brand
        django_get_or_create = ("slug",)

    slug = factory.Sequence(lambda n: f"brand-{n}")
    name = factory.LazyAttribute(lambda brand: brand.slug.replace("-", " ").title())


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.name.lower()}@example.com")

    @factory.post_generation
    def password(self: User, create: bool, extracted: str | None, **_: Any) -> None:  # type: ignore[misc]
        self.set_password(extracted or PASSWORD)
        if create:
            self.save(update_fields=["password"])


class RetailerFactory(DjangoModelFactory[Retailer]):
    class Meta:
        model = Retailer
        django_get_or_create = ("slug",)

    slug = "amazon"
    name = factory.LazyAttribute(lambda retailer: retailer.slug.title())
    network = factory.LazyAttribute(lambda retailer: retailer.slug)


class AccountFactory(DjangoModelFactory[Account]):
    class Meta:
        model = Account

    brand = factory.SubFactory(BrandFactory)
    retailer = factory.SubFactory(RetailerFactory)
    external_id = factory.Sequence(lambda n: f"account-{n}")
    name = factory.LazyAttribute(lambda account: f"{account.brand.name} at {account.retailer.name}")


class ProductFactory(DjangoModelFactory[Product]):
    class Meta:
        model = Product

    brand = factory.SubFactory(BrandFactory)
    sku = factory.Sequence(lambda n: f"SKU-{n:03d}")
    name = factory.LazyAttribute(lambda product: f"Product {product.sku}")


def person(name: str, role: Role | str | None = None, *, brand: Brand | None = None) -> User:
    """Somebody of the cast, with one role for all brands or for one."""
    user: User = UserFactory(name=name)
    if role is not None:
        RoleGrant.objects.create(user=user, role=Role(role), brand=brand)
    return user

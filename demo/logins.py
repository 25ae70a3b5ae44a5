"""People of the demo tenants. Their password is public: it is shown on the login page, in demo mode only."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.core.permissions import Role

PASSWORD = "snacks-for-everyone"  # noqa: S105


@dataclass(frozen=True)
class DemoPerson:
    """Somebody who can log in to a demo tenant; `brand` limits the role."""

    name: str
    email: str
    role: Role
    brand: str = ""

    @property
    def title(self) -> str:
        """Role as shown beside the name."""
        return f"{self.role.label}, {self.brand} only" if self.brand else self.role.label


@dataclass(frozen=True)
class DemoTenant:
    """A company of the demo: which sample world it lives in, and who works there. The first person owns it."""

    slug: str
    name: str
    profile: str
    hosts: tuple[str, ...]
    people: tuple[DemoPerson, ...]


TENANTS = (
    DemoTenant(
        slug="acme",
        name="Acme Snacks",
        profile="acme",
        # localhost opens the demo: the address that `make demo` prints needs no name service.
        hosts=("acme.localhost", "localhost", "127.0.0.1"),
        people=(
            DemoPerson("Dana Ruiz", "dana@acme.example", Role.OWNER),
            DemoPerson("Piotr Lange", "piotr@acme.example", Role.PLANNER),
            DemoPerson("Mei Chen", "mei@acme.example", Role.APPROVER),
            DemoPerson("Omar Haddad", "omar@acme.example", Role.DATA_ENGINEER),
            DemoPerson("Ines Costa", "ines@acme.example", Role.COMPLIANCE),
            DemoPerson("Sam Okoro", "sam@acme.example", Role.VIEWER, brand="Acme Chips"),
        ),
    ),
    DemoTenant(
        slug="birch",
        name="Birch Beverages",
        profile="birch",
        hosts=("birch.localhost",),
        people=(DemoPerson("Bo Lindqvist", "bo@birch.example", Role.OWNER),),
    ),
)


def tenant_named(slug: str) -> DemoTenant | None:
    """The demo company of that slug."""
    return next((tenant for tenant in TENANTS if tenant.slug == slug), None)

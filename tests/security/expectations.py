"""Who may do what through the API, written by hand from what the roles are for.

Nothing here is read from `accounts.core.permissions`: the table and the product are held against each other.

- owner: everything. planner: sends reports, prepares scenarios. analyst: reads figures, fits curves, tries scenarios.
  approver: reads what there is to approve. data engineer: catalogue, mappings, loads, schedules. compliance: people,
  history, policies. retailer ad-ops: creatives at a retailer, so nothing of what a brand spends. viewer: reads results.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from accounts.core.permissions import Role

WHOLE_TENANT = "tenant"
# Whose thing a request is about.
KEYS = ("chips", "pretzels", WHOLE_TENANT)
GRANTS = (WHOLE_TENANT, "chips")

OWNER, PLANNER, APPROVER, ANALYST = Role.OWNER, Role.PLANNER, Role.APPROVER, Role.ANALYST
ENGINEER, COMPLIANCE, ADOPS, VIEWER = Role.DATA_ENGINEER, Role.COMPLIANCE, Role.RETAILER_ADOPS, Role.VIEWER

EVERY_ROLE = frozenset(Role)
READERS = EVERY_ROLE - {ADOPS}
# They also read how results came about: files, mappings, curves.
INSIDERS = READERS - {VIEWER}
OWNERS = frozenset({OWNER})
ENGINEERS = frozenset({OWNER, ENGINEER})
SENDERS = frozenset({OWNER, ENGINEER, PLANNER})
AUDITORS = frozenset({OWNER, COMPLIANCE})
MODELLERS = frozenset({OWNER, PLANNER, ANALYST})
# They say what a proposal becomes.
ACCEPTERS = frozenset({OWNER, APPROVER})
# They say what ads caused, and with it what every incremental figure becomes.
EXPERIMENTERS = frozenset({OWNER, ANALYST})


class Scope(StrEnum):
    """What a role must reach for its permission to count."""

    LOGIN = "whoever is logged in"
    ANYWHERE = "a role for any brand; what is shown is of the brands one has it for"
    TENANT = "a role for the whole tenant"
    TENANT_OVER_BRAND = "a role for the whole tenant, over a thing of a brand that others may know of"
    BRAND = "a role for the thing's brand; things of the whole tenant need a role for the whole tenant"
    PERSON = "one's own; the tenant's owners have everybody's"


@dataclass(frozen=True)
class Rule:
    """Who is let in, and what the others are told.

    Attributes:
        seen_by: roles that may know that the thing exists where they reach it: they read 403, the rest 404.
        at_the_door: whoever holds none of `roles` reads 403 whatever they name, before anything is looked up.
    """

    roles: frozenset[Role]
    scope: Scope
    seen_by: frozenset[Role] = EVERY_ROLE
    at_the_door: bool = False


def anywhere(roles: frozenset[Role]) -> Rule:
    return Rule(roles, Scope.ANYWHERE)


def tenant(roles: frozenset[Role]) -> Rule:
    return Rule(roles, Scope.TENANT)


def brand(roles: frozenset[Role], seen_by: frozenset[Role] | None = None) -> Rule:
    return Rule(roles, Scope.BRAND, roles if seen_by is None else seen_by)


LOGIN = Rule(EVERY_ROLE, Scope.LOGIN)

TABLE: dict[str, Rule] = {
    # accounts
    "GET /me": LOGIN,
    "GET /brands/": LOGIN,
    "POST /brands/": tenant(OWNERS),
    "GET /brands/{brand_id}/": brand(EVERY_ROLE),
    "PATCH /brands/{brand_id}/": brand(OWNERS, EVERY_ROLE),
    "DELETE /brands/{brand_id}/": brand(OWNERS, EVERY_ROLE),
    "GET /users/": tenant(AUDITORS),
    "POST /users/": tenant(OWNERS),
    "GET /users/{user_id}/": tenant(AUDITORS),
    "PATCH /users/{user_id}/": tenant(OWNERS),
    "DELETE /users/{user_id}/": tenant(OWNERS),
    "POST /users/{user_id}/password-link/": tenant(OWNERS),
    "GET /tokens/": LOGIN,
    "POST /tokens/": LOGIN,
    "DELETE /tokens/{token_id}/": Rule(EVERY_ROLE, Scope.PERSON),
    "GET /history/": tenant(AUDITORS),
    # jobs
    "GET /jobs/": anywhere(READERS),
    "GET /jobs/{job_id}/": brand(READERS),
    "GET /jobs/{job_id}/logs/": brand(READERS),
    "POST /jobs/{job_id}/cancel/": brand(SENDERS, READERS),
    "POST /jobs/{job_id}/retry/": brand(SENDERS, READERS),
    "GET /schedules/": anywhere(ENGINEERS),
    "POST /schedules/": brand(ENGINEERS, EVERY_ROLE),
    "GET /schedules/{schedule_id}/": brand(ENGINEERS),
    "PATCH /schedules/{schedule_id}/": brand(ENGINEERS),
    "DELETE /schedules/{schedule_id}/": brand(ENGINEERS),
    # governance
    "GET /policies/": LOGIN,
    # harmonization
    "GET /retailers/": anywhere(READERS),
    "POST /retailers/": tenant(ENGINEERS),
    "GET /accounts/": anywhere(READERS),
    "POST /accounts/": brand(SENDERS, EVERY_ROLE),
    "GET /uploads/": anywhere(INSIDERS),
    "POST /uploads/": brand(SENDERS, READERS),
    "POST /uploads/ of a catalogue": tenant(ENGINEERS),
    "GET /uploads/{upload_id}/": brand(INSIDERS),
    "POST /uploads/{upload_id}/harmonize/": brand(SENDERS, INSIDERS),
    "GET /loads/": anywhere(INSIDERS),
    "GET /loads/{load_id}/": brand(INSIDERS),
    "GET /loads/{load_id}/quarantine/": brand(INSIDERS),
    "GET /loads/{load_id}/quarantine/export/": brand(INSIDERS),
    "GET /loads/{load_id}/history/": brand(INSIDERS),
    "POST /loads/{load_id}/replay/": brand(SENDERS, INSIDERS),
    "POST /loads/{load_id}/whole/": brand(SENDERS, INSIDERS),
    "GET /quarantine/": anywhere(INSIDERS),
    "GET /lineage/": anywhere(INSIDERS),
    "GET /loads/{load_id}/row/": brand(INSIDERS),
    "GET /imports/": anywhere(INSIDERS),
    # What may be watched is the tenant's and holds files of any brand: those of the tenant choose.
    "POST /imports/": tenant(ENGINEERS),
    "GET /imports/{import_id}/": brand(INSIDERS),
    "DELETE /imports/{import_id}/": Rule(ENGINEERS, Scope.TENANT_OVER_BRAND, INSIDERS),
    "POST /imports/{import_id}/run/": brand(SENDERS, INSIDERS),
    "POST /mappings/{name}/replay/": anywhere(SENDERS),
    # Mappings are the tenant's and name no brand: whoever sends a report of one brand must see how it is read.
    "GET /mappings/": anywhere(INSIDERS),
    "POST /mappings/": tenant(ENGINEERS),
    "POST /mappings/check/": anywhere(INSIDERS),
    "GET /mappings/{name}/": anywhere(INSIDERS),
    "POST /mappings/{name}/edit/": tenant(ENGINEERS),
    # A draft for a file of one brand is prepared by its engineers; what is in force for all, by those of the tenant.
    "POST /uploads/{upload_id}/proposal/": brand(ENGINEERS, INSIDERS),
    "GET /mapping-drafts/": anywhere(INSIDERS),
    "GET /mapping-drafts/{draft_id}/": brand(INSIDERS),
    "PUT /mapping-drafts/{draft_id}/": brand(ENGINEERS, INSIDERS),
    "DELETE /mapping-drafts/{draft_id}/": brand(ENGINEERS, INSIDERS),
    "POST /mapping-drafts/{draft_id}/columns/": brand(ENGINEERS, INSIDERS),
    "POST /mapping-drafts/{draft_id}/test/": brand(ENGINEERS, INSIDERS),
    "POST /mapping-drafts/{draft_id}/publish/": Rule(ENGINEERS, Scope.TENANT_OVER_BRAND, INSIDERS),
    "GET /placements/": anywhere(INSIDERS),
    "GET /products/": anywhere(READERS),
    "GET /campaigns/": anywhere(READERS),
    # data quality: whoever reads how results came about; those who care for the data decide
    "GET /sources/": anywhere(INSIDERS),
    "GET /quality/findings/": anywhere(INSIDERS),
    "GET /quality/findings/{finding_id}/": brand(INSIDERS),
    "POST /quality/findings/{finding_id}/acknowledge/": brand(ENGINEERS, INSIDERS),
    "POST /quality/findings/{finding_id}/reopen/": brand(ENGINEERS, INSIDERS),
    "GET /quality/reconciliations/": anywhere(INSIDERS),
    "POST /quality/checks/": brand(ENGINEERS, INSIDERS),
    "GET /crosswalk/": anywhere(READERS),
    "POST /crosswalk/{entry_id}/decide/": brand(ENGINEERS, READERS),
    "POST /crosswalk/{entry_id}/withdraw/": brand(ENGINEERS, READERS),
    "GET /audiences/": anywhere(READERS),
    "GET /fx-rates/": anywhere(READERS),
    "POST /uploads/ of audiences": brand(ENGINEERS, READERS),
    "POST /uploads/ of policies": tenant(AUDITORS),
    "POST /uploads/ of rates": tenant(ENGINEERS),
    # metrics
    "GET /metrics/query/": anywhere(READERS),
    "GET /metrics/query/ of a brand": Rule(READERS, Scope.BRAND, READERS, at_the_door=True),
    "GET /metrics/export/": anywhere(INSIDERS),
    "GET /metrics/export/ of a brand": Rule(INSIDERS, Scope.BRAND, READERS, at_the_door=True),
    "GET /metrics/definitions/": LOGIN,
    "GET /metrics/factors/": anywhere(READERS),
    "POST /metrics/factors/": brand(EXPERIMENTERS, EVERY_ROLE),
    "GET /metrics/views/": anywhere(READERS),
    "POST /metrics/views/": anywhere(READERS),
    "GET /metrics/views/{view_id}/": Rule(EVERY_ROLE, Scope.PERSON),
    "PATCH /metrics/views/{view_id}/": Rule(EVERY_ROLE, Scope.PERSON),
    "DELETE /metrics/views/{view_id}/": Rule(EVERY_ROLE, Scope.PERSON),
    # optimization
    "GET /curves/": anywhere(INSIDERS),
    "POST /curves/": brand(MODELLERS, EVERY_ROLE),
    "GET /curves/{version_id}/": brand(INSIDERS),
    "GET /curves/{version_id}/file/": brand(INSIDERS),
    "GET /curves/adjustments/": anywhere(INSIDERS),
    "POST /curves/adjustments/": brand(MODELLERS, EVERY_ROLE),
    "GET /curves/adjustments/{adjustment_id}/": brand(INSIDERS),
    "POST /curves/adjustments/{adjustment_id}/revoke/": brand(MODELLERS, INSIDERS),
    "GET /curves/factors/": brand(READERS, EVERY_ROLE),
    "POST /curves/factors/": brand(EXPERIMENTERS, EVERY_ROLE),
    "POST /curves/imports/": brand(MODELLERS, EVERY_ROLE),
    "GET /solves/": anywhere(READERS),
    "POST /solves/": brand(MODELLERS, EVERY_ROLE),
    "GET /solves/{solve_id}/": brand(READERS),
    # learning: those who plan run it, those who approve accept its weeks
    "GET /learning/": anywhere(READERS),
    "POST /learning/": brand(MODELLERS, READERS),
    "GET /learning/{programme_id}/": brand(READERS),
    "POST /learning/{programme_id}/status/": brand(MODELLERS, READERS),
    "POST /learning/{programme_id}/run/": brand(MODELLERS, READERS),
    "GET /learning/{programme_id}/weeks/": brand(READERS),
    "GET /learning/{programme_id}/log/": brand(INSIDERS, READERS),
    "GET /learning/{programme_id}/replay/": brand(READERS),
    "GET /learning/{programme_id}/estimate/": brand(READERS),
    "GET /learning/weeks/{week_id}/": brand(READERS),
    "POST /learning/weeks/{week_id}/decide/": brand(ACCEPTERS, READERS),
    # measurement: those who plan design and run tests, those who say what ads caused publish what came of them
    "GET /experiments/": anywhere(READERS),
    "POST /experiments/": brand(MODELLERS, EVERY_ROLE),
    "GET /experiments/next/": brand(READERS, EVERY_ROLE),
    "GET /experiments/{experiment_id}/": brand(READERS),
    "PATCH /experiments/{experiment_id}/": brand(MODELLERS, READERS),
    "DELETE /experiments/{experiment_id}/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/duplicate/": brand(MODELLERS, READERS),
    "GET /experiments/{experiment_id}/panels/": brand(READERS),
    "POST /experiments/{experiment_id}/panels/": brand(MODELLERS, READERS),
    "DELETE /experiments/{experiment_id}/panels/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/panels/events/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/design/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/candidate/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/assignment/": brand(MODELLERS, READERS),
    "GET /experiments/{experiment_id}/assignment.csv": brand(READERS),
    "GET /experiments/{experiment_id}/plan/": brand(READERS),
    "POST /experiments/{experiment_id}/register/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/start/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/cancel/": brand(MODELLERS, READERS),
    "POST /experiments/{experiment_id}/analyse/": brand(MODELLERS, READERS),
    "GET /experiments/{experiment_id}/reading/": brand(READERS),
    "GET /experiments/{experiment_id}/report.csv": brand(INSIDERS, READERS),
    "GET /experiments/{experiment_id}/report.pdf": brand(INSIDERS, READERS),
    "GET /experiments/{experiment_id}/planning/": brand(READERS),
    "POST /experiments/{experiment_id}/planning/": brand(EXPERIMENTERS, READERS),
    # What runs by itself is the engineers', what is tested the planners': only owners are both.
    "POST /experiments/{experiment_id}/refreshes/": brand(OWNERS, READERS),
    # planning
    "GET /budgets/": anywhere(READERS),
    "POST /budgets/": brand(MODELLERS, EVERY_ROLE),
    "GET /budgets/{budget_id}/": brand(READERS),
    "DELETE /budgets/{budget_id}/": brand(MODELLERS, READERS),
    "GET /pacing/": anywhere(READERS),
    "POST /scenarios/{scenario_id}/budgets/": brand(MODELLERS, READERS),
    "GET /scenarios/": anywhere(READERS),
    "POST /scenarios/": brand(MODELLERS, EVERY_ROLE),
    "POST /scenarios/check/": brand(MODELLERS, EVERY_ROLE),
    "GET /scenarios/compare/": Rule(READERS, Scope.BRAND, READERS, at_the_door=True),
    "GET /scenarios/compare/lines/": Rule(INSIDERS, Scope.BRAND, READERS, at_the_door=True),
    "POST /scenarios/{scenario_id}/simulate/": brand(MODELLERS, READERS),
    "GET /scenarios/{scenario_id}/explanation/": brand(READERS),
    "POST /scenarios/{scenario_id}/tighten/": brand(MODELLERS, READERS),
    "GET /scenarios/{scenario_id}/": brand(READERS),
    "PATCH /scenarios/{scenario_id}/": brand(MODELLERS, READERS),
    "DELETE /scenarios/{scenario_id}/": brand(MODELLERS, READERS),
    "POST /scenarios/{scenario_id}/solve/": brand(MODELLERS, READERS),
    "POST /scenarios/{scenario_id}/duplicate/": brand(MODELLERS, READERS),
    "POST /scenarios/{scenario_id}/relax/": brand(MODELLERS, READERS),
    "GET /scenarios/{scenario_id}/lines/": brand(INSIDERS, READERS),
}


def covers(grant: str, key: str) -> bool:
    """Whether a role given for `grant` counts for a thing of `key`."""
    return grant in (WHOLE_TENANT, key)


def expected(rule: Rule, role: Role, grant: str, key: str) -> int:
    """200 for whoever is let in, else the status of the refusal."""
    if rule.scope is Scope.LOGIN:
        return 200
    if rule.scope is Scope.ANYWHERE:
        return 200 if role in rule.roles else 403
    if rule.scope is Scope.TENANT:
        return 200 if role in rule.roles and grant == WHOLE_TENANT else 403
    if rule.scope is Scope.PERSON:
        return 200 if role is OWNER and grant == WHOLE_TENANT else 404
    if rule.scope is Scope.TENANT_OVER_BRAND and grant != WHOLE_TENANT:
        return 403 if _may_know(rule, role, grant, key) else 404
    if role in rule.roles and covers(grant, key):
        return 200
    if rule.at_the_door and role not in rule.roles:
        return 403
    return 403 if _may_know(rule, role, grant, key) else 404


def _may_know(rule: Rule, role: Role, grant: str, key: str) -> bool:
    # That the tenant as a whole is there is known to everybody in it.
    return role in rule.seen_by and (covers(grant, key) or (rule.seen_by == EVERY_ROLE and key == WHOLE_TENANT))

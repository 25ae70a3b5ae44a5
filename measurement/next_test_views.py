"""The page of what to test next, which is the card on the list of experiments too."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import selectors as people
from accounts.models import Brand, User
from accounts.services import require_somewhere
from measurement.next_test_presenters import next_test_context
from measurement.selectors import VIEW
from measurement.services import scenarios_with_reserve
from optimization.models import CurveVersion
from tenants.core.problems import NotFound, Problem


@never_cache
@require_safe
def experiment_next(request: HttpRequest) -> HttpResponse:
    """What to test next of `?brand=`, within `?reserve=` or that of `?scenario=`; asked by htmx only the card."""
    me = cast(User, request.user)
    brand = _brand(me, request.GET.get("brand", ""))
    asked = {name: request.GET.get(name, "") for name in ("reserve", "scenario", "weeks")}
    context = next_test_context(user=me, brand=brand, **asked)
    if request.headers.get("HX-Request") == "true":
        return render(request, "measurement/_next_test.html", {"next": context})
    problem: Problem | None = context.get("problem")
    page = {
        "next": context,
        "whole_page": True,
        "scenarios": scenarios_with_reserve(as_user=me, brand=brand),
        "brands": list(people.brands_for(user=me, permission=VIEW)),
        "may_all": brand is None or _all_together(me),
    }
    return render(request, "measurement/next_test.html", page, status=problem.status if problem else 200)


def _brand(me: User, slug: str) -> Brand | None:
    """The brand that was named. With none named all brands together, where somebody sees them and they have curves of
    their own; else the first brand that has any."""
    brands = people.brands_for(user=me, permission=VIEW)
    if slug:
        named = brands.filter(slug=slug).first()
        if named is None:
            raise NotFound("There is no such brand.")
        return named
    require_somewhere(user=me, permission=VIEW)
    if _all_together(me):
        return None
    fitted = brands.filter(pk__in=CurveVersion.objects.values("brand_id")).order_by("name").first()
    return fitted or (None if people.may(user=me, permission=VIEW) else brands.first())


def _all_together(me: User) -> bool:
    """Whether there are curves over all brands, for somebody who sees all."""
    return people.may(user=me, permission=VIEW) and CurveVersion.objects.filter(brand=None).exists()

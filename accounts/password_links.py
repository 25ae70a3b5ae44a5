"""The link where an invited person, or one who lost their password, sets a new one."""

from __future__ import annotations

from typing import Any

import structlog
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django_tenants.utils import schema_context

from accounts.models import User
from tenants.models import Tenant
from tenants.selectors import current_tenant

log = structlog.get_logger(__name__)


def password_link(user: User, request: Any) -> str:
    """An absolute address that sets this person's password: once, and for `PASSWORD_RESET_TIMEOUT` (three days)."""
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return str(request.build_absolute_uri(path))


def send_invitation(user: User, request: Any) -> str:
    """Mail the link to the person, and return it as well: where no mail server is set, the owner passes it on."""
    link = password_link(user, request)
    tenant = current_tenant()
    try:
        send_mail(
            f"You are invited to {tenant.name}",
            f"Set your password here, within three days:\n\n{link}\n",
            from_email=None,
            recipient_list=[user.email],
        )
    except OSError as error:
        # The person exists and the link is on the inviter's screen; a silent mail server must not undo that.
        log.warning("invitation_not_mailed", user=str(user.pk), error=str(error))
    return link


def owner_link(tenant: Tenant, owner: User, request: Any) -> str:
    """The same link for a tenant's first owner, on the tenant's own host, asked for on the platform's."""
    with schema_context(tenant.slug):  # the generator reads, and completes, the addresses that allauth keeps
        key = default_token_generator.make_token(owner)
    arguments = {"uidb36": user_pk_to_url_str(owner), "key": key}
    path = reverse("account_reset_password_from_key", urlconf=settings.ROOT_URLCONF, kwargs=arguments)
    host = tenant.domains.filter(is_primary=True).values_list("domain", flat=True).get()
    port = request.get_host().partition(":")[2]
    return f"{request.scheme}://{host}{':' + port if port else ''}{path}"

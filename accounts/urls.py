"""Addresses of people, brands and tokens: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/, and
`login_urlpatterns` below /accounts/."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from accounts import api, views

# allauth's, without its pages of e-mail addresses: a person's address is the one that an owner invited, and an address
# that nobody confirmed must not become another way in.
login_urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^(?:email|confirm-email)(?:/|$)", views.no_such_page),
    path("", include("allauth.urls")),
]

urlpatterns = [
    path("settings/users/", views.users, name="settings-users"),
    path("settings/users/<uuid:user_id>/", views.user, name="settings-user"),
    path("settings/brands/", views.brands, name="settings-brands"),
    path("settings/tokens/", views.tokens, name="settings-tokens"),
    path("settings/tokens/<uuid:token_id>/revoke/", views.revoke_token, name="settings-token-revoke"),
    path("settings/history/", views.changes, name="settings-history"),
    path("settings/security/", RedirectView.as_view(pattern_name="mfa_index"), name="settings-security"),
]

api_urlpatterns = [
    path("me", api.Me.as_view(), name="api-me"),
    path("brands/", api.Brands.as_view(), name="api-brands"),
    path("brands/<uuid:brand_id>/", api.OneBrand.as_view(), name="api-brand"),
    path("users/", api.Users.as_view(), name="api-users"),
    path("users/<uuid:user_id>/", api.OneUser.as_view(), name="api-user"),
    path("users/<uuid:user_id>/password-link/", api.UserPasswordLink.as_view(), name="api-user-password-link"),
    path("tokens/", api.Tokens.as_view(), name="api-tokens"),
    path("tokens/<uuid:token_id>/", api.OneToken.as_view(), name="api-token"),
    path("history/", api.History.as_view(), name="api-history"),
]

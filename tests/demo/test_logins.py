from demo import selectors
from demo.logins import PASSWORD, TENANTS


def test_shown_on_the_login_page_in_demo_mode_only(acme, settings, login):
    page = login(None)
    assert PASSWORD not in page.get("/accounts/login/").content.decode()
    settings.DEMO_MODE = True
    shown = page.get("/accounts/login/").content.decode()
    assert PASSWORD in shown
    assert all(person.email in shown for person in TENANTS[0].people)
    assert TENANTS[1].people[0].email not in shown


def test_other_tenants_have_none(settings):
    settings.DEMO_MODE = True
    assert selectors.logins_of(slug="somebody") == []

"""Error pages: what failed, what is unaffected, the next move, the id; and they need nothing that may be broken."""

import pytest
import structlog
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import RequestFactory

from rmn_site.ui import errors
from tenants.core.problems import NotFound

REQUEST = RequestFactory().get("/somewhere")


@pytest.fixture(autouse=True)
def _logged_request():
    with structlog.contextvars.bound_contextvars(request_id="req-4711"):
        yield


@pytest.mark.parametrize(
    ("view", "status"),
    [(errors.bad_request, 400), (errors.not_allowed, 403), (errors.not_found, 404), (errors.csrf_failure, 403)],
)
def test_page_says_what_is_unaffected_and_what_to_do(view, status):
    response = view(REQUEST)
    text = response.content.decode()
    assert response.status_code == status
    for words in ("Unaffected", "Next", "req-4711"):
        assert words in text


def test_server_error_has_the_id_that_finds_it_in_the_logs():
    response = errors.server_error(REQUEST)
    assert response.status_code == 500
    assert "req-4711" in response.content.decode()


def test_database_that_does_not_answer_is_503():
    try:
        raise OperationalError("connection refused at 10.0.0.7")
    except OperationalError:
        response = errors.server_error(REQUEST)
    assert response.status_code == 503
    assert "10.0.0.7" not in response.content.decode()


def test_refusal_says_why_and_not_found_does_not():
    assert (
        "Only an owner &lt;may&gt;."
        in errors.not_allowed(REQUEST, PermissionError("Only an owner <may>.")).content.decode()
    )
    assert "secret pattern" not in errors.not_found(REQUEST, Exception("secret pattern")).content.decode()


def test_expired_form_says_so():
    assert "This form has expired" in errors.csrf_failure(REQUEST, "CSRF token missing").content.decode()


def test_problem_page():
    problem = NotFound("No upload has that id.", where="upload", fix="Open the list of uploads.")
    text = render_to_string("errors/problem.html", {"problem": problem, "request_id": "req-4711"})
    for words in ("Error 404", "No upload has that id.", "upload:", "Open the list of uploads.", "req-4711"):
        assert words in text


def test_address_of_no_tenant():
    text = render_to_string(
        "errors/tenant.html", {"problem": NotFound("No tenant lives at x.example.", fix="Check it.")}
    )
    assert "No tenant lives at x.example." in text
    assert "Check it." in text
    assert "rmn-nav" not in text


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "429.html", "500.html", "503.html"])
def test_page_is_whole_without_any_context(name):
    text = render_to_string(name)
    assert text.count("<h1>") == 1
    assert "Diagnostic id" not in text

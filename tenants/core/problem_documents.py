"""RFC 9457 problem documents."""

from __future__ import annotations

from typing import Any

from tenants.core.problems import Problem

CONTENT_TYPE = "application/problem+json"


def problem_document(problem: Problem, *, instance: str = "", request_id: str = "") -> dict[str, Any]:
    """The body of an error response: `type`, `title`, `status`, `detail`, and what helps: `where`, `fix`, `errors`."""
    document: dict[str, Any] = {"type": f"urn:rmn:problem:{problem.code}", "status": problem.status}
    document |= problem.as_dict()
    if instance:
        document["instance"] = instance
    if request_id:
        document["request_id"] = request_id
    return document

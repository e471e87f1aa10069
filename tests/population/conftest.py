"""A real PostgreSQL for logs as input: the fixtures of the log's own tests."""

from tests.record.conftest import database, postgres

__all__ = ["database", "postgres"]

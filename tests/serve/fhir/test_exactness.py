"""Every case of the shipped rulesets goes through FHIR and comes back the same, to the same decision digest."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from decimal import Decimal

import pytest

from engine.client import request_of
from engine.decide.answers import Answers, Given
from engine.decide.cases import case_answers
from engine.decide.direct import FALSE, Reading
from engine.errors import AnswersError
from engine.rules.load import load_cases
from engine.serve.fhir.answers import read_response
from engine.serve.fhir.shape import resource
from tests.clinical.patients import partial
from tests.serve.conftest import PUBLISHED
from tests.serve.fhir.conftest import BASE, form, shelf_of
from tests.serve.fhir.written import enabled, respond

"""FHIR R4 beside gRPC: the questionnaire that a ruleset is, answers that come back, and the decision as guidance.

Everything here is a function from our own things to FHIR's JSON or back; `routes.py` alone knows HTTP. No medicine is
added: what FHIR cannot say is left out or left enabled, and what a response says is read exactly or refused.
"""

"""CDS Hooks 2.0.1 beside gRPC: an EHR opens a chart or signs an order, and gets the decision as cards.

Everything here is a function from the messages of CDS Hooks to ours or back; `routes.py` alone knows HTTP. The EHR's
FHIR server is never called, whatever a call says of it: what is not prefetched is not there.
"""

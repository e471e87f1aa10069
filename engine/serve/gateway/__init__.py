"""HTTP beside gRPC: one server for JSON, FHIR, CDS Hooks and the interview page, each route with the same guard, the
same room for calls and the same log as an rpc.

`gateway` is what every route works with; `app` puts the routes together, `running` gives them a port.
"""

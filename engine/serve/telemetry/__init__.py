"""What operators see of a server: metrics, traces and log lines. None of them tells an answer or a subject.

metrics       counted and measured, for Prometheus
traces        one span for each call, for OpenTelemetry
otlp          spans on their way out; needs the extra `traces`
lines         log lines as text or JSON; of an exception its type and place alone
"""

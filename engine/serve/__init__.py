"""Who may ask, over which wire: the gRPC service around `engine.decide`.

config        what a server is told to do
registry      which rulesets are served, by id and version
convert       requests become answers, or all their violations
respond       outcomes become responses
describe      rulesets and questionnaires become responses
recording     the decision log: recorded before it is answered
answering     from requests to recorded responses; the same request, the same decision
lookup        recorded decisions become responses
errors        one table from exception to status
interceptors  request id, deadline, log line and status around every call
service       the rpcs
server        ports, health, reflection, stopping
"""

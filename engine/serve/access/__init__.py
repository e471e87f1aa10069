"""Who may call what: tokens, certificates, rights and rates, without a word of gRPC but in `tls`.

guard     the one question that a wire asks: may this caller call this?
rights    which right each rpc needs
tokens    is this token good, and whose is it?
jwks      the keys of those who write tokens
shared    what all workers must know of a caller: used tokens, rates
tls       certificates, of the server and of its callers
"""

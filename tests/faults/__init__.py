"""Faults through the real service, judged by an outside client: what was acknowledged is in the log, and nothing else.

load     the client: a process of its own, whose receipts are durable before its next call
served   the real `pluis serve` in a process of its own, and what is asked of it
judging  what must hold of the log once every call was answered
hasty    a server with a planted fault, which the trials must find
kill     SIGKILL of the server, of a worker, of PostgreSQL
full     a disk without room, and a database that is away
"""

import os

for _name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ.pop(_name, None)
# PostgreSQL is started with the rights of another user, by fork, before which gRPC waits for its own threads, sometimes
# for ever. It reads this when it is first used.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

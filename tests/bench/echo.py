"""What a gRPC server in Python can do at most: one that is as ours and only answers, and one that builds a batch.

`unary` answers with as many bytes as the first four of a message say, and looks at nothing else. `batch` reads an
EvaluateBatchRequest and builds an EvaluateBatchResponse out of results that it was given: everything that a batch must
do but decide.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import grpc

from engine.pb.v1 import triage_pb2 as pb
from engine.serve.config import Config
from tests.bench.asked import RULESETS, tell

ECHO = "/echo/Echo"
Handler: TypeAlias = Callable[[bytes, grpc.ServicerContext], bytes]

if TYPE_CHECKING:  # generic for the type checker only
    _GenericHandler = grpc.GenericRpcHandler[bytes, bytes]
else:
    _GenericHandler = grpc.GenericRpcHandler


class Answering(_GenericHandler):
    """Answers every method, by a handler that is made once."""

    def __init__(self, behaviour: Handler) -> None:
        self._handler = grpc.unary_unary_rpc_method_handler(behaviour)

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        return self._handler


def unary(message: bytes, context: grpc.ServicerContext) -> bytes:
    return bytes(int.from_bytes(message[:4], "big"))


def echoed(message: bytes, size: int) -> bytes:
    """What to ask `unary`, as long as a message, for an answer of so many bytes."""
    return size.to_bytes(4, "big").ljust(len(message), b"\0")


def batch(prebuilt: bytes) -> Handler:
    """`prebuilt` is a response; each result of it is copied, as a server would that has them ready."""
    results = list(pb.EvaluateBatchResponse.FromString(prebuilt).results)

    def answer(message: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.EvaluateBatchRequest.FromString(message).requests
        response = pb.EvaluateBatchResponse()
        for _, result in zip(asked, results, strict=True):
            response.results.add().CopyFrom(result)
        return response.SerializeToString()

    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs="+", required=True, metavar="WHAT", help="unary, or batch FILE")
    what, *files = parser.parse_args().serve
    behaviour = unary if what == "unary" else batch(Path(files[0]).read_bytes())
    config = Config(rulesets=RULESETS)
    server = grpc.server(
        ThreadPoolExecutor(config.threads),
        handlers=[Answering(behaviour)],
        options=[  # those of the server itself
            ("grpc.max_receive_message_length", config.max_message_size),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    tell(port)
    server.stop(0).wait()


if __name__ == "__main__":
    main()

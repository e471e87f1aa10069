"""The rpcs for those who run the service: what is active, reload, roll back."""

from __future__ import annotations

import engine
from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.calls import Call
from engine.serve.operations import Operations, ProblemTold, ReleaseTold, WorkerTold

PATIENCE = 120.0
"""Seconds. A reload runs every case of every ruleset."""


class AdminService(triage_pb2_grpc.AdminServiceServicer):
    """The service of the contract, before whatever holds the processes together."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def GetServerStatus(self, request: pb.GetServerStatusRequest, call: Call) -> pb.GetServerStatusResponse:
        status = self._operations.status(_patience(call))
        return pb.GetServerStatusResponse(
            engine_version=engine.__version__,
            release=_release(status.release),
            earlier_release_ids=status.earlier,
            problems=[_problem(each) for each in status.problems],
            workers=[_worker(each) for each in status.workers],
        )

    def ReloadRulesets(self, request: pb.ReloadRulesetsRequest, call: Call) -> pb.ReloadRulesetsResponse:
        done = self._operations.reload(_patience(call))
        return pb.ReloadRulesetsResponse(
            release=_release(done.release), problems=[_problem(each) for each in done.problems]
        )

    def RollbackRulesets(self, request: pb.RollbackRulesetsRequest, call: Call) -> pb.RollbackRulesetsResponse:
        done = self._operations.rollback(request.release_id, _patience(call))
        return pb.RollbackRulesetsResponse(release=_release(done.release))


def _patience(call: Call) -> float:
    return min(call.remaining(), PATIENCE)


def _release(told: ReleaseTold) -> pb.Release:
    release = pb.Release(id=told.id)
    release.create_time.FromDatetime(told.created)
    for each in told.rulesets:
        release.rulesets.add(id=each.id, version=each.version, digest=each.digest)
    return release


def _problem(told: ProblemTold) -> pb.RulesetProblem:
    return pb.RulesetProblem(source=told.source, message=told.message)


def _worker(told: WorkerTold) -> pb.Worker:
    worker = pb.Worker(number=told.number, release_id=told.release, restarts=told.restarts)
    worker.start_time.FromDatetime(told.started)
    return worker

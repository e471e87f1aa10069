// What fails, from Node: the status, its google.rpc details decoded from the trailer, and deadlines.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import grpc from "@grpc/grpc-js";
import { ask, choice, connect, decimal, failure, integer, several, unpacked, yes } from "./pluis.js";

const client = connect();
after(() => client.close());
const refused = (request) => failure(ask(client, "evaluate", request));
const { status } = grpc;

describe("bad answers", () => {
  test("are all told at once, each with its path and reason", async () => {
    const answers = {
      age: integer(390), fevr: yes, weeks: decimal("soon"), trauma: choice("terrible"), numb: {},
      fever: { yesNo: "YES_NO_UNSPECIFIED" }, wants: several("strength", "sleep"), onset: yes,
    };
    const request = { ruleset: "small", answers, noneOf: ["flgs"], context: { requestId: "node-2" } };
    const { code, details, message } = await refused(request);
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.equal(details.ErrorInfo.domain, "triage.pluis");
    assert.equal(details.ErrorInfo.reason, "INVALID_ANSWERS");
    assert.equal(details.ErrorInfo.metadata.violationCount, "9");
    assert.equal(details.ErrorInfo.metadata.leftOut, "0");
    assert.equal(details.RequestInfo.requestId, "node-2");
    const found = Object.fromEntries(details.BadRequest.fieldViolations.map(({ field, reason }) => [field, reason]));
    assert.deepEqual(found, {
      'answers["age"]': "OUT_OF_RANGE",
      'answers["fevr"]': "UNKNOWN_QUESTION",
      'answers["weeks"]': "WRONG_TYPE",
      'answers["trauma"]': "UNKNOWN_OPTION",
      'answers["numb"]': "MISSING_KIND",
      'answers["fever"]': "MISSING_KIND",
      'answers["wants"]': "UNKNOWN_OPTION",
      'answers["onset"]': "WRONG_TYPE",
      none_of: "UNKNOWN_GROUP",
    });
    assert.ok(details.BadRequest.fieldViolations.every(({ description }) => description));
    assert.ok(message.startsWith("9 violations in the request"), message);
  });

  test("that contradict each other are both named", async () => {
    const { details } = await refused({ ruleset: "small", answers: { age: integer(20), onset: integer(30) } });
    assert.equal(details.ErrorInfo.reason, "CONTRADICTION");
    const fields = details.BadRequest.fieldViolations.map(({ field }) => field);
    assert.deepEqual(fields, ['answers["age"]', 'answers["onset"]']);
  });

  test("too many for one status: the rest is counted, and validate_only gives all", async () => {
    const names = Array.from({ length: 300 }, (_, number) => `question_that_is_not_there_${number}`);
    const answers = Object.fromEntries(names.map((name) => [name, yes]));
    const { details } = await refused({ ruleset: "small", answers });
    const { leftOut, violationCount } = details.ErrorInfo.metadata;
    assert.equal(violationCount, "300");
    assert.equal(details.BadRequest.fieldViolations.length + Number(leftOut), 300);
    assert.ok(Number(leftOut) > 0);
    const { outcome, validation } = await ask(client, "evaluate", { ruleset: "small", answers, validateOnly: true });
    assert.equal(outcome, undefined);
    assert.equal(validation.violations.length, 300);
    assert.equal(validation.violations[0].code, "unknown-question");
  });
});

describe("what is not served", () => {
  for (const [request, code, reason] of [
    [{ ruleset: "low_bakc_pain" }, status.NOT_FOUND, "RULESET_NOT_FOUND"],
    [{ ruleset: "small", rulesetVersion: "9.9.9" }, status.NOT_FOUND, "VERSION_NOT_FOUND"],
    [{ ruleset: "small", language: "fy" }, status.INVALID_ARGUMENT, "UNKNOWN_LANGUAGE"],
  ]) {
    test(`${reason}, with what there is instead`, async () => {
      const { details, ...error } = await refused(request);
      assert.equal(error.code, code);
      assert.equal(details.ErrorInfo.reason, reason);
      assert.ok(details.ErrorInfo.metadata.available.length > 0);
    });
  }

  test("a page token that nobody gave", async () => {
    const { code, details } = await failure(ask(client, "listRulesets", { pageToken: "nonsense" }));
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.equal(details.ErrorInfo.reason, "INVALID_REQUEST");
  });
});

describe("many patients", () => {
  const requests = [
    { ruleset: "small", answers: { numb: yes } },
    { ruleset: "small", answers: { age: integer(390) } },
    { ruleset: "nothing" },
    { ruleset: "small", answers: {} },
  ];
  const told = ({ result, response, status: refusal }) =>
    result === "response" ? response.outcome : unpacked(refusal).ErrorInfo.reason;
  const EXPECTED = ["decision", "INVALID_ANSWERS", "RULESET_NOT_FOUND", "needsAnswers"];

  test("a batch has a response or a status for each, in order", async () => {
    const { results } = await ask(client, "evaluateBatch", { requests });
    assert.deepEqual(results.map(told), EXPECTED);
    assert.equal(results[0].response.decision.disposition, "DISPOSITION_EMERGENCY");
    assert.equal(results[1].status.code, status.INVALID_ARGUMENT);
    assert.equal(results[2].status.code, status.NOT_FOUND);
  });

  test("a stream goes both ways, and answers in order", async () => {
    const call = client.evaluateStream({ deadline: Date.now() + 20_000 });
    const received = [];
    // Each is sent when the one before has come back: a server that waited for the end would never answer.
    const send = () => {
      const { length } = received;
      if (length === requests.length) return call.end();
      return call.write({ request: { ...requests[length], context: { requestId: `stream-${length}` } } });
    };
    send();
    for await (const { result } of call) {
      received.push(result);
      send();
    }
    assert.deepEqual(received.map(told), EXPECTED);
    const requestId = ({ response, status: refusal }) => response?.requestId ?? unpacked(refusal).RequestInfo.requestId;
    assert.deepEqual(received.map(requestId), ["stream-0", "stream-1", "stream-2", "stream-3"]);
  });

  test("more than a batch takes", async () => {
    const tooMany = { requests: Array(1001).fill({ ruleset: "small" }) };
    const { code, details } = await failure(ask(client, "evaluateBatch", tooMany));
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.equal(details.BadRequest.fieldViolations[0].field, "requests");
  });
});

describe("a deadline that passes", () => {
  const thousand = { requests: Array(1000).fill({ ruleset: "low_back_pain", answers: { age: integer(40) } }) };

  test("is DEADLINE_EXCEEDED and no decision, and the next call is answered", async () => {
    const { code } = await failure(ask(client, "evaluateBatch", thousand, 100));
    assert.equal(code, status.DEADLINE_EXCEEDED);
    const { decision } = await ask(client, "evaluate", { ruleset: "small", answers: { numb: yes } });
    assert.equal(decision.disposition, "DISPOSITION_EMERGENCY");
  });

  test("also on a stream, with what came before it", async () => {
    const call = client.evaluateStream({ deadline: Date.now() + 1_000 });
    call.write({ request: { ruleset: "small", answers: { numb: yes } } }); // and the caller never ends the stream
    const received = [];
    const error = await (async () => {
      try {
        for await (const { result } of call) received.push(result.response.decision.disposition);
      } catch (caught) {
        return caught;
      }
      return undefined;
    })();
    assert.equal(error?.code, status.DEADLINE_EXCEEDED);
    assert.deepEqual(received, ["DISPOSITION_EMERGENCY"]);
  });
});

test("a server that is not there is UNAVAILABLE or a deadline, never a decision", async () => {
  const { ADDRESS, TriageService } = await import("./pluis.js");
  const nobody = new TriageService(ADDRESS.replace(/:\d+$/, ":1"), grpc.credentials.createInsecure());
  const { code } = await failure(ask(nobody, "evaluate", { ruleset: "small" }, 2_000));
  nobody.close();
  assert.ok([status.UNAVAILABLE, status.DEADLINE_EXCEEDED].includes(code), String(code));
});

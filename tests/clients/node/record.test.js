// The decision log as a Node program meets it: receipts, the same request again, looking up, and feedback.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import grpc from "@grpc/grpc-js";
import { ask, connect, failure, integer, yes } from "./pluis.js";

const client = connect();
after(() => client.close());

const SUBJECT = "6f1d9c1e-7a40-4c0e-9d52-0b5e3f7a7731";
const asked = (requestId, answers = { numb: yes }) => ({
  ruleset: "small", answers, context: { requestId, subjectReference: SUBJECT, onBehalfOf: "therapist 7" },
});

describe("a recorded decision", () => {
  test("comes with a receipt, by which it is looked up", async () => {
    const response = await ask(client, "evaluate", asked("record-1"));
    assert.match(response.receipt.entryHash, /^[0-9a-f]{64}$/);
    assert.match(response.receipt.sequence, /^[1-9]\d*$/); // 64 bits: text, as a number could lose its last digits
    const found = await ask(client, "getDecision", { decisionId: response.decisionId });
    assert.deepEqual(found.record.receipt, response.receipt);
    assert.deepEqual(found.answers, { numb: { yesNo: "YES_NO_YES", kind: "yesNo" } });
    assert.equal(found.content, "CONTENT_STATE_READABLE");
    assert.equal(JSON.parse(found.outcomeJson).floor, "emergency");
    const { decisions } = await ask(client, "listDecisions", { requestId: "record-1" });
    assert.deepEqual(decisions, [found.record]);
  });

  test("is the same when the same request comes again, and another request is refused", async () => {
    const first = await ask(client, "evaluate", asked("record-2"));
    assert.deepEqual(await ask(client, "evaluate", asked("record-2")), first);
    const { code, details } = await failure(ask(client, "evaluate", asked("record-2", { age: integer(70) })));
    assert.equal(code, grpc.status.ALREADY_EXISTS);
    assert.equal(details.ErrorInfo.reason, "REQUEST_ID_REUSED");
  });

  test("takes feedback", async () => {
    const { decisionId } = await ask(client, "evaluate", asked("record-3"));
    const verdict = "FEEDBACK_VERDICT_OVERRIDDEN";
    const { feedback } = await ask(client, "recordFeedback", { decisionId, verdict, reasonCode: "seen_before" });
    const found = await ask(client, "getDecision", { decisionId });
    assert.deepEqual(found.feedback, [feedback]);
  });
});

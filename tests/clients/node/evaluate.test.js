// One patient, from Node: every kind of answer, a decision, and what comes while answers are needed.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { TriageService, ask, choice, connect, decimal, integer, nextStep, no, several, unknown, yes } from "./pluis.js";

const client = connect();
after(() => client.close());
const evaluate = (request) => ask(client, "evaluate", request);
const ids = (list) => list.map(({ id }) => id);

// A woman whose back has hurt for four months; she can work, not garden. She did sport before.
const LASTING = {
  age: integer(47), sex: choice("f"), age_at_onset: integer(46), duration_weeks: decimal("17"), onset: choice("gradual"),
  course: choice("stable"), current_pain: yes, pain_nrs: integer(4), activity_limitation: choice("moderate"),
  exercise_warning_symptoms: no, no_improvement_with_care_weeks: integer(0), sbst_risk: choice("medium"), works: yes,
  heavy_work: no, sick_leave: no, fear_of_movement: yes, goal: choice("strength"),
};

describe("every kind of answer", () => {
  const all = {
    age: integer(70), onset: integer(0), weeks: decimal("2.9999999999999999"), trauma: choice("minor"), numb: no,
    fever: unknown, wants: several("posture", "strength"),
  };

  test("is read as what it is", async () => {
    const { decision, ruleset } = await evaluate({ ruleset: "small", answers: all });
    assert.equal(ruleset.id, "small");
    assert.equal(decision.disposition, "DISPOSITION_SAME_DAY_GP");
    assert.deepEqual(ids(decision.rules), ["S01"]);
    const why = Object.fromEntries(decision.rules[0].answers.map(({ question, value }) => [question, value]));
    assert.deepEqual(why, { age: "70", trauma: "minor" });
  });

  test("a decimal is text, and nothing is rounded on the way", async () => {
    const young = { ...all, age: integer(20) };
    const before = await evaluate({ ruleset: "small", answers: young });
    assert.equal(before.decision.disposition, "DISPOSITION_SELF_CARE"); // as a double it would be 3, and physio
    const at = await evaluate({ ruleset: "small", answers: { ...young, weeks: decimal("3.0") } });
    assert.equal(at.decision.disposition, "DISPOSITION_PHYSIO");
  });

  test("several options give a choice of programme", async () => {
    const answers = { ...all, age: integer(20), wants: several("posture") };
    const { decision } = await evaluate({ ruleset: "small", answers });
    assert.equal(decision.programme.choice, "PROGRAMME_PILATES");
    assert.equal(decision.programme.open, undefined);
  });

  test("0 is an answer", async () => {
    const { decision } = await evaluate({ ruleset: "small", answers: { ...all, age: integer(0), onset: integer(0) } });
    assert.equal(decision.disposition, "DISPOSITION_SELF_CARE");
  });
});

describe("silence is not no", () => {
  const answers = {
    age: integer(20), onset: integer(20), weeks: decimal("1"), trauma: choice("none"), fever: no,
    wants: several("strength"),
  };

  test("missing: it is asked", async () => {
    const { outcome, needsAnswers } = await evaluate({ ruleset: "small", answers });
    assert.equal(outcome, "needsAnswers");
    assert.deepEqual(ids(needsAnswers.nextQuestions), ["numb"]);
  });

  test("no: it is decided", async () => {
    const { outcome, decision } = await evaluate({ ruleset: "small", answers: { ...answers, numb: no } });
    assert.equal(outcome, "decision");
    assert.equal(decision.disposition, "DISPOSITION_SELF_CARE");
  });

  test("unknown: it counts as not known", async () => {
    const { decision } = await evaluate({ ruleset: "small", answers: { ...answers, numb: unknown } });
    assert.equal(decision.disposition, "DISPOSITION_GP_WITHIN_DAYS");
  });

  test("a group that was denied is no", async () => {
    const { decision } = await evaluate({ ruleset: "small", answers, noneOf: ["flags"] });
    assert.equal(decision.disposition, "DISPOSITION_SELF_CARE");
  });
});

describe("a decision", () => {
  test("has the fields that others rely on", async () => {
    const context = { requestId: "node-1", respondent: "RESPONDENT_THERAPIST" };
    const request = { ruleset: "low_back_pain", language: "en", answers: LASTING, noneOf: ["*"], context };
    const response = await evaluate(request);
    assert.equal(response.outcome, "decision");
    assert.equal(response.requestId, "node-1");
    assert.match(response.decisionId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(response.decisionDigest, /^[0-9a-f]{64}$/);
    assert.equal(response.ruleset.id, "low_back_pain");
    assert.match(response.ruleset.version, /^\d+\.\d+\.\d+/);
    assert.match(response.ruleset.digest, /^[0-9a-f]{64}$/);
    const { decision } = response;
    assert.equal(decision.disposition, "DISPOSITION_PHYSIO");
    assert.equal(decision.call, "CALL_CLINIC");
    assert.equal(decision.withinHours, 168);
    assert.equal(decision.programme.choice, "PROGRAMME_MEDICAL_FITNESS");
    assert.ok(ids(decision.rules).includes("P04"));
    for (const item of [...decision.advice, ...decision.safetyNet]) assert.ok(item.id && item.text, JSON.stringify(item));
    assert.ok(ids(decision.advice).includes("ADV-001"));
    assert.ok(ids(decision.safetyNet).includes("SN-01"));
    assert.equal(nextStep(response), "guide");
  });

  test("is the same in every language and view; its texts are not", async () => {
    const both = [];
    for (const [language, view] of [["nl", "RESPONSE_VIEW_BASIC"], ["en", "RESPONSE_VIEW_FULL"]]) {
      both.push(await evaluate({ ruleset: "low_back_pain", language, view, answers: LASTING, noneOf: ["*"] }));
    }
    assert.equal(both[0].decisionDigest, both[1].decisionDigest);
    assert.notEqual(both[0].decisionId, both[1].decisionId);
    const [dutch, english] = both.map(({ decision }) => decision.advice.find(({ id }) => id === "ADV-001").text);
    assert.notEqual(dutch, english);
    assert.deepEqual(both.map(({ decision }) => decision.rules[0].answers.length > 0), [false, true]);
  });

  test("of an emergency comes before everything is asked", async () => {
    const response = await evaluate({ ruleset: "low_back_pain", language: "nl", answers: { saddle_numbness: yes } });
    const { decision } = response;
    assert.equal(decision.disposition, "DISPOSITION_EMERGENCY");
    assert.equal(decision.call, "CALL_GP_OR_HAP_NOW");
    assert.equal(decision.withinHours, 1);
    assert.equal(decision.programme.choice, "PROGRAMME_NONE_YET");
    assert.equal(nextStep(response), "refer");
  });

  test("where no time is set has no hours, not 0", async () => {
    const answers = { numb: unknown, age: integer(20), trauma: choice("none"), fever: no };
    const { decision } = await evaluate({ ruleset: "small", answers: { ...answers, weeks: decimal("1") } });
    assert.equal(decision.disposition, "DISPOSITION_GP_WITHIN_DAYS");
    assert.equal(decision.withinHours, undefined);
  });

  test("with a value that this program does not know goes to a person", () => {
    const { Evaluate } = TriageService.service;
    const unheardOf = Evaluate.responseDeserialize(Buffer.from([0x3a, 0x02, 0x08, 0x63])); // decision.disposition = 99
    assert.equal(unheardOf.outcome, "decision");
    assert.equal(unheardOf.decision.disposition, 99);
    assert.equal(nextStep(unheardOf), "let a person decide");
    assert.equal(nextStep(Evaluate.responseDeserialize(Buffer.alloc(0))), "let a person decide");
  });
});

describe("while answers are needed", () => {
  test("floor, ceiling and next questions come, and what to do at once", async () => {
    const answers = { age: integer(39), fever: yes };
    const response = await evaluate({ ruleset: "low_back_pain", language: "en", answers });
    const { needsAnswers } = response;
    assert.equal(response.decision, undefined);
    assert.equal(needsAnswers.floor, "DISPOSITION_SAME_DAY_GP");
    assert.equal(needsAnswers.ceiling, "DISPOSITION_EMERGENCY");
    assert.equal(needsAnswers.actNow, true);
    assert.equal(needsAnswers.call, "CALL_GP_TODAY");
    const [first] = needsAnswers.nextQuestions;
    assert.equal(first.disposition, "DISPOSITION_EMERGENCY");
    assert.equal(first.question.type, "QUESTION_TYPE_YES_NO");
    assert.ok(first.question.text.endsWith("?"));
    assert.ok(needsAnswers.safetyNet.length > 0);
    assert.equal(nextStep(response), "act on the floor");
  });

  test("nothing reassures while nothing is known", async () => {
    const { outcome, needsAnswers } = await evaluate({ ruleset: "low_back_pain", language: "en", answers: {} });
    assert.equal(outcome, "needsAnswers");
    assert.equal(needsAnswers.floor, "DISPOSITION_SELF_CARE");
    assert.equal(needsAnswers.actNow, undefined);
    assert.equal(needsAnswers.callText, undefined);
    assert.deepEqual(needsAnswers.rules, []);
  });

  test("answering the next question, again and again, ends in a decision", async () => {
    const answers = { age: integer(20) };
    const says = { QUESTION_TYPE_YES_NO: no, QUESTION_TYPE_CHOICE: choice("none"), QUESTION_TYPE_DECIMAL: decimal("1") };
    for (let asked = 0; asked < 10; asked += 1) {
      const response = await evaluate({ ruleset: "small", answers });
      if (response.outcome === "decision") {
        assert.equal(response.decision.disposition, "DISPOSITION_SELF_CARE");
        return;
      }
      const [{ id, question }] = response.needsAnswers.nextQuestions;
      assert.ok(!(id in answers), `${id} is asked twice`);
      answers[id] = says[question.type];
    }
    assert.fail("never settled");
  });
});

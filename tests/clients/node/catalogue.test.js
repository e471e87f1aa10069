// What a Node program can find out before it asks: rulesets, questions, health, and the contract by reflection alone.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import grpc from "@grpc/grpc-js";
import { GrpcReflection } from "grpc-js-reflection-client";
import { ADDRESS, Health, LOADING, ask, connect, failure, yes } from "./pluis.js";

const client = connect();
after(() => client.close());

describe("the rulesets", () => {
  test("are listed", async () => {
    const { rulesets } = await ask(client, "listRulesets", { language: "en" });
    assert.deepEqual(rulesets.map(({ ruleset }) => ruleset.id), ["low_back_pain", "small"]);
    for (const { ruleset, status, title, languages, isDefault } of rulesets) {
      assert.match(ruleset.digest, /^[0-9a-f]{64}$/);
      assert.equal(status, "RULESET_STATUS_DRAFT");
      assert.ok(title);
      assert.deepEqual(languages, ["nl", "en"]);
      assert.equal(isDefault, true);
    }
  });

  test("come page by page", async () => {
    const found = [];
    let pageToken = "";
    do {
      const page = await ask(client, "listRulesets", { pageSize: 1, pageToken });
      found.push(...page.rulesets.map(({ ruleset }) => ruleset.id));
      pageToken = page.nextPageToken;
    } while (pageToken);
    assert.deepEqual(found, ["low_back_pain", "small"]);
  });

  test("one of them tells its rules, evidence and what it is not", async () => {
    const found = await ask(client, "getRuleset", { ruleset: "low_back_pain", language: "en" });
    const rule = found.rules.find(({ id }) => id === "E01");
    assert.equal(rule.disposition, "DISPOSITION_EMERGENCY");
    assert.ok(rule.text && rule.when.kind);
    const evidence = new Set(found.evidence.map(({ id }) => id));
    assert.ok(rule.evidence.length > 0 && rule.evidence.every((id) => evidence.has(id)));
    assert.ok(found.intendedUse && found.disclaimer);
  });

  test("a version that is pinned answers with the digest that was listed", async () => {
    const { rulesets } = await ask(client, "listRulesets", {});
    const { id, version, digest } = rulesets[1].ruleset;
    const response = await ask(client, "evaluate", { ruleset: id, rulesetVersion: version, answers: { numb: yes } });
    assert.deepEqual(response.ruleset, { id, version, digest });
  });
});

describe("the questionnaire", () => {
  test("has every kind of question, its bounds, options and conditions", async () => {
    const { questions, groups, yesText } = await ask(client, "getQuestionnaire", { ruleset: "small", language: "en" });
    const byId = Object.fromEntries(questions.map((question) => [question.id, question]));
    assert.deepEqual(Object.keys(byId), ["age", "onset", "weeks", "trauma", "numb", "fever", "fever_days", "wants"]);
    assert.deepEqual(new Set(questions.map(({ type }) => type)), new Set(
      ["YES_NO", "INTEGER", "DECIMAL", "CHOICE", "SEVERAL"].map((kind) => `QUESTION_TYPE_${kind}`),
    ));
    assert.equal(byId.age.minimum, "0");
    assert.equal(byId.weeks.maximum, "5200");
    assert.deepEqual(byId.trauma.options.map(({ id }) => id), ["none", "minor", "major"]);
    const { kind, comparison } = byId.fever_days.askedWhen;
    assert.equal(kind, "comparison");
    assert.deepEqual(comparison, { question: "fever", operator: "COMPARISON_OPERATOR_IN", values: ["yes"] });
    assert.equal(byId.age.askedWhen, undefined);
    assert.equal(groups[0].noneOfText, "none of these en");
    assert.equal(yesText, "yes");
  });
});

describe("health", () => {
  const health = connect(Health);
  after(() => health.close());

  for (const service of ["", "triage.v1.TriageService"]) {
    test(`of "${service}" is SERVING`, async () => {
      assert.equal((await ask(health, "check", { service })).status, "SERVING");
    });
  }

  test("of a service that is not there is NOT_FOUND", async () => {
    const { code } = await failure(ask(health, "check", { service: "triage.v9.TriageService" }));
    assert.equal(code, grpc.status.NOT_FOUND);
  });
});

describe("reflection, without the contract's file", () => {
  const reflection = new GrpcReflection(ADDRESS, grpc.credentials.createInsecure());

  test("lists the services and their methods", async () => {
    const services = await reflection.listServices();
    assert.ok(services.includes("triage.v1.TriageService"), String(services));
    assert.ok(services.includes("grpc.health.v1.Health"));
    const methods = await reflection.listMethods("triage.v1.TriageService");
    assert.deepEqual(methods.map(({ name }) => name).sort(), [
      "Evaluate", "EvaluateBatch", "EvaluateStream", "GetDecision", "GetQuestionnaire", "GetRuleset", "ListDecisions",
      "ListRulesets", "RecordFeedback",
    ]);
  });

  test("is enough to evaluate a patient", async () => {
    const descriptor = await reflection.getDescriptorBySymbol("triage.v1.TriageService");
    const { TriageService } = descriptor.getPackageObject({ ...LOADING, includeDirs: [] }).triage.v1;
    const reflected = connect(TriageService);
    // By reflection protobufjs has the proto's own names, and takes a map as the list of its entries. The bytes are
    // the same.
    const answers = [{ key: "numb", value: { yes_no: "YES_NO_YES" } }];
    const { outcome, decision } = await ask(reflected, "evaluate", { ruleset: "small", answers });
    reflected.close();
    assert.equal(outcome, "decision");
    assert.equal(decision.disposition, "DISPOSITION_EMERGENCY");
    assert.equal(decision.within_hours, 1);
    assert.equal(decision.safety_net[0].id, "SN-1");
  });
});

// MedplumClient, as an EHR uses it: FHIR, `$triage` and CDS Hooks.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { faults } from "./checkers.js";
import { ADDRESS, MODULE, NOTHING, NUMB, decided, respond } from "./patients.js";

const { MedplumClient } = await import("@medplum/core"); // after checkers.js, which gives Node 20 what it needs
const client = new MedplumClient({ baseUrl: `${ADDRESS}/`, fhirUrlPath: "fhir/R4", cacheTime: 0 });
const form = await client.readResource("Questionnaire", MODULE);
const triage = (body) => client.post(client.fhirUrl("PlanDefinition", MODULE, "$triage"), body);

describe("FHIR", () => {
  test("everything that is read stands up to all judges", async () => {
    const statement = await client.get(client.fhirUrl("metadata"));
    assert.equal(statement.fhirVersion, "4.0.1");
    const plan = await client.readResource("PlanDefinition", MODULE);
    const operation = await client.readResource("OperationDefinition", "triage");
    const { security, resource } = statement.rest[0];
    assert.ok(resource.some(({ operation }) => operation?.[0].name === "triage") && !security);
    const bundle = await client.search("CodeSystem");
    assert.ok(bundle.total >= 5);
    for (const each of [form, statement, plan, operation, bundle]) assert.deepEqual(faults(each), []);
  });

  test("a version is read by its number and found by its canonical address", async () => {
    const { url, version } = form;
    assert.deepEqual(await client.readVersion("Questionnaire", MODULE, version), form);
    assert.deepEqual(await client.searchOne("Questionnaire", { url, version }), form);
    assert.equal((await client.searchResources("Questionnaire", { url, version: "0.0.0" })).length, 0);
  });

  test("what is not there is told as an OperationOutcome", async () => {
    await assert.rejects(client.readResource("Questionnaire", "nobody"), ({ outcome }) => {
      assert.deepEqual(faults(outcome), []);
      assert.equal(outcome.issue[0].code, "not-found");
      return true;
    });
  });
});

describe("$triage", () => {
  test("gives a decision on a bare response", async () => {
    const guidance = await triage(respond(form, NUMB));
    assert.deepEqual(faults(guidance), []);
    assert.equal(guidance.status, "success");
    const { disposition, call } = decided(guidance);
    assert.deepEqual([disposition.code, call.code], ["emergency", "gp_or_hap_now"]);
  });

  test("is the same request a second time, with the same identifier", async () => {
    const requestIdentifier = { system: "urn:ietf:rfc:3986", value: `urn:uuid:${randomUUID()}` };
    const parameter = [
      { name: "questionnaireResponse", resource: respond(form, NUMB) },
      { name: "requestIdentifier", valueIdentifier: requestIdentifier },
      { name: "language", valueCode: "en" },
    ];
    const [one, other] = [await triage({ resourceType: "Parameters", parameter }), await triage({ resourceType: "Parameters", parameter })];
    assert.deepEqual(one, other);
    assert.deepEqual([one.requestIdentifier, one.language], [requestIdentifier, "en"]);
  });

  test("refuses with the place of what is wrong", async () => {
    const wrong = { ...respond(form, NUMB), status: "in-progress" };
    await assert.rejects(triage(wrong), ({ outcome }) => {
      assert.deepEqual(outcome.issue.map(({ expression }) => expression), [["QuestionnaireResponse.status"]]);
      return true;
    });
  });
});

describe("CDS Hooks", () => {
  const call = (id, hook, prefetch) => {
    const context = { userId: "Practitioner/8", patientId: "1", ...(hook === "order-sign" && { draftOrders: bundle() }) };
    return client.callCdsService(id, { hook, hookInstance: randomUUID(), context, prefetch });
  };
  const bundle = (...resources) => ({
    resourceType: "Bundle", type: "searchset", total: resources.length,
    ...(resources.length && { entry: resources.map((resource) => ({ resource })) }),
  });
  const intake = (answers) => ({ ...respond(form, answers), subject: { reference: "Patient/1" }, authored: "2026-11-01T10:00:00Z" });

  test("there is a service for each hook, and each answers with the decision of $triage", async () => {
    const { services } = await client.getCdsServices();
    const ours = services.filter(({ id }) => id.startsWith(MODULE));
    assert.deepEqual(ours.map(({ hook }) => hook).sort(), ["order-sign", "patient-view"]);
    const { decision_digest } = decided(await triage(respond(form, NUMB)));
    for (const { id, hook, prefetch } of ours) {
      const { cards } = await call(id, hook, { [Object.keys(prefetch)[0]]: bundle(intake(NUMB)) });
      assert.equal(cards[0].indicator, "critical");
      assert.equal(cards[0].extension["pluis.triage.decision"].digest, decision_digest);
    }
  });

  test("no questionnaire is said to be none, and an empty one is never soothing", async () => {
    const [none] = (await call(`${MODULE}-patient-view`, "patient-view", { intake: null })).cards;
    assert.deepEqual([none.indicator, none.links.length], ["info", 1]);
    const { cards } = await call(`${MODULE}-patient-view`, "patient-view", { intake: bundle(intake(NOTHING)) });
    assert.ok(cards.some(({ indicator }) => indicator === "warning"));
  });

  test("what was not prefetched is a failure", async () => {
    await assert.rejects(call(`${MODULE}-patient-view`, "patient-view", {}), ({ outcome }) => {
      assert.deepEqual(faults(outcome), []);
      return true;
    });
  });
});

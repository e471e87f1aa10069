// fhir-kit-client: another FHIR client, with its own idea of searches, operations and capabilities.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CapabilityTool, Client } from "fhir-kit-client";
import { ADDRESS, BEGUN, MODULE, decided, respond } from "./patients.js";

const client = new Client({ baseUrl: `${ADDRESS}/fhir/R4` });
const form = await client.read({ resourceType: "Questionnaire", id: MODULE, options: { headers: { "Accept-Language": "en" } } });

test("the statement says what the server does", async () => {
  const capabilities = new CapabilityTool(await client.capabilityStatement());
  for (const kind of ["Questionnaire", "PlanDefinition"]) {
    assert.ok(capabilities.resourceCan(kind, "vread"));
    assert.ok(capabilities.resourceSearch(kind, "url"));
  }
  assert.ok(!capabilities.resourceCan("Questionnaire", "create"));
});

test("a version is read, and found by GET and by POST", async () => {
  const { url, version, language } = form;
  assert.equal(language, "en");
  const read = await client.vread({ resourceType: "Questionnaire", id: MODULE, version });
  assert.deepEqual([read.url, read.version, read.language], [url, version, "nl"]);
  for (const postSearch of [false, true]) {
    const bundle = await client.search({ resourceType: "Questionnaire", searchParams: { url, version }, options: { postSearch } });
    assert.deepEqual(bundle.entry.map(({ resource }) => resource), [read]);
  }
});

test("$triage gives what holds already, and what is still needed", async () => {
  const input = { resourceType: "Parameters", parameter: [{ name: "questionnaireResponse", resource: respond(form, BEGUN) }] };
  const guidance = await client.operation({ name: "triage", resourceType: "PlanDefinition", id: MODULE, input });
  assert.equal(guidance.status, "data-required");
  const { floor, ceiling, disposition } = decided(guidance);
  assert.deepEqual([floor.code, ceiling.code, disposition], ["self_care", "emergency", undefined]);
  assert.ok(guidance.dataRequirement.length > 0);
});

test("what is not there is told", async () => {
  await assert.rejects(client.read({ resourceType: "PlanDefinition", id: "nobody" }), (error) => {
    assert.equal(error.response.status, 404);
    assert.equal(error.response.data.resourceType, "OperationOutcome");
    return true;
  });
});

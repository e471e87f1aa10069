// Each judge finds what was planted for it, also deep inside and in what is contained; sound resources pass all of them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JUDGES, faults } from "./checkers.js";

const coding = { system: "https://pluis.example/fhir/R4/CodeSystem/answer", code: "yes" };
const person = { reference: "Patient/1" };
const when = { question: "a", operator: "=", answerCoding: coding };
const question = { linkId: "a", text: "?", type: "choice", answerOption: [{ valueCoding: coding }] };
const follower = { linkId: "b", text: "?", type: "integer", enableWhen: [when] };
const letter = { resourceType: "CommunicationRequest", id: "advice", status: "draft", payload: [{ contentString: "Rust" }] };
const action = { title: "advice", resource: { reference: "#advice" } };
const plan = { resourceType: "RequestGroup", id: "plan", status: "draft", intent: "proposal", subject: person, action: [action] };

const SOUND = {
  form: {
    resourceType: "Questionnaire", id: "q", status: "draft", url: "https://pluis.example/q", version: "1", name: "Q",
    item: [{ linkId: "g", type: "group", item: [question, follower] }],
  },
  answers: {
    resourceType: "QuestionnaireResponse", id: "r", questionnaire: "https://pluis.example/q|1", status: "completed",
    item: [{ linkId: "a", answer: [{ valueCoding: coding }] }],
  },
  guidance: {
    resourceType: "GuidanceResponse", id: "g", status: "success", moduleCanonical: "https://pluis.example/p|1",
    contained: [letter, plan], result: { reference: "#plan" },
  },
};

/** A sound resource with one change: the path of keys to the place, and the value there; undefined takes it away. */
function changed(name, path, value) {
  const resource = structuredClone(SOUND[name]);
  const place = path.slice(0, -1).reduce((inside, key) => inside[key], resource);
  place[path.at(-1)] = value;
  return JSON.parse(JSON.stringify(resource));
}

const deep = ["item", 0, "item"];
const PLANTED = [
  ["form", ["status"], undefined, "medplum", "fhir"],
  ["form", ["status"], "finished", "fhir"],
  ["form", ["colour"], "red", "medplum", "fhir"],
  ["form", ["item", 0, "type"], "tick", "fhir"], // fhir looks at the first level of items only
  ["form", [...deep, 0, "text"], 7, "medplum"],
  ["form", [...deep, 0, "linkId"], undefined, "medplum"],
  ["form", [...deep, 1, "linkId"], "a", "invariants"], // que-2: twice the same
  ["form", [...deep, 1, "enableWhen", 0, "operator"], "exists", "medplum", "invariants"], // que-7
  ["form", ["item", 0, "item"], undefined, "medplum", "invariants"], // que-1: an empty group
  ["form", [...deep, 1, "enableWhen"], [when, when, when], "medplum", "invariants"], // que-12
  ["form", [...deep, 1, "enableWhen"], [when, when], "ours"], // que-12 as its text says; the official rule begins at three
  ["form", [...deep, 0, "answerValueSet"], "https://pluis.example/v", "medplum", "invariants"], // que-4
  ["answers", ["status"], "done", "fhir"],
  ["answers", ["item", 0, "answer", 0], { valueCoding: coding, valueInteger: 1 }, "medplum"],
  ["answers", ["item", 0, "answer", 0], { valueInteger: "1" }, "medplum", "fhir"],
  ["guidance", ["moduleCanonical"], undefined, "medplum"],
  ["guidance", ["contained", 0, "payload"], [{}], "medplum"],
  ["guidance", ["contained", 0, "priority"], "soon", "fhir"],
  ["guidance", ["contained", 1, "action", 0], { title: "rest" }, "medplum", "invariants"], // rqg-1: neither resource nor actions
  ["guidance", ["contained", 1, "action", 0, "resource"], { reference: "#nobody" }, "invariants"], // ref-1 and dom-3
  ["guidance", ["result"], person, "fhir"],
];

describe("what is sound passes", () => {
  for (const [name, resource] of Object.entries(SOUND)) test(name, () => assert.deepEqual(faults(resource), []));
});

describe("what is planted is found", () => {
  const finders = (found) => new Set(found.map((fault) => fault.split(":")[0]));
  for (const [name, path, value, ...judges] of PLANTED) {
    test(`${name} ${path.join(".")}: ${JSON.stringify(value)}`, () => {
      const found = faults(changed(name, path, value));
      assert.deepEqual(judges.filter((judge) => !finders(found).has(judge)), [], `they found ${JSON.stringify(found)}`);
    });
  }

  test("by each of the judges", () => {
    assert.deepEqual(new Set(PLANTED.flatMap(([, , , ...judges]) => judges)), new Set(Object.keys(JUDGES)));
  });
});

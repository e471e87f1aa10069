// LHC-Forms, which was not written here, renders the Questionnaire; what a person fills in there gets the decision that
// the same answers get without a form. The server gives the Questionnaire and decides; the page itself asks nobody.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { start } from "./browser.js";

const HTTP = process.env.PLUIS_HTTP;
const PATIENTS = JSON.parse(readFileSync(process.env.PLUIS_PATIENTS, "utf8"));
const PAGE = new URL("forms.html", import.meta.url).href;

async function ask(path, body) {
  const headers = { Accept: "application/fhir+json, application/json", "Content-Type": "application/json" };
  const response = await fetch(`${HTTP}${path}`, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** The decision as data, by name, of a GuidanceResponse. */
function decided({ contained }) {
  const { parameter } = contained.find(({ resourceType }) => resourceType === "Parameters");
  return Object.fromEntries(parameter.map(({ name, ...value }) => [name, Object.values(value)[0]]));
}

/** Answers one item as a person does: types a number, or clicks on the options by their words. */
async function answer(page, linkId, answers) {
  const number = answers[0].valueInteger ?? answers[0].valueDecimal;
  if (number !== undefined) return page.type(`[id^="${linkId}/"]`, String(number));
  const wanted = answers.map(({ valueCoding }) => valueCoding.display);
  const missed = await page.evaluate(
    (start, wanted) => {
      const item = document.querySelector(`[id^="${start}"]`);
      const labels = [...(item?.querySelectorAll("label:has(input)") ?? [])];
      const found = wanted.map((text) => labels.find(({ innerText }) => innerText.trim() === text));
      found.forEach((label) => label?.querySelector("input").click());
      return wanted.filter((_, number) => !found[number]);
    },
    `item-${linkId}/`,
    wanted,
  );
  assert.deepEqual(missed, [], `${linkId} does not offer them`);
}

describe("LHC-Forms", () => {
  let browser, form, page;
  before(async () => {
    [browser, form] = [await start(), await ask("/fhir/R4/Questionnaire/low-back-pain?_language=nl")];
  });
  after(() => browser.close());

  /** A new page with the form; it fails the test where anything else than files is asked for. */
  async function render(response) {
    await page?.close();
    page = await browser.newPage();
    const outside = [];
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || outside.push(request.url()));
    page.on("pageerror", (error) => outside.push(String(error)));
    await page.goto(PAGE);
    await page.evaluate(
      async (form, response) => {
        const definition = LForms.Util.convertFHIRQuestionnaireToLForms(form, "R4");
        const filled = response && LForms.Util.mergeFHIRDataIntoLForms("QuestionnaireResponse", response, definition, "R4");
        await LForms.Util.addFormToPage(filled ?? definition, "form");
      },
      form,
      response,
    );
    assert.deepEqual(outside, []);
  }

  const written = () => page.evaluate(() => LForms.Util.getFormFHIRData("QuestionnaireResponse", "R4"));

  test("shows every question that is not behind another, in Dutch", async () => {
    await render();
    const shown = await page.evaluate(() => document.getElementById("form").innerText);
    const open = (items) => items.filter(({ enableWhen }) => !enableWhen).flatMap((each) => [each, ...open(each.item ?? [])]);
    const missing = open(form.item).filter(({ type, text }) => type !== "display" && !shown.includes(text.trim()));
    assert.deepEqual(missing.map(({ linkId }) => linkId), []);
    assert.ok(open(form.item).length > 50);
  });

  for (const { case: id, disposition, answers, request } of PATIENTS) {
    test(`${disposition}: ${id}`, async () => {
      await render();
      for (const [linkId, given] of Object.entries(answers)) await answer(page, linkId, given);
      assert.equal(await page.evaluate(() => LForms.Util.checkValidity("form")), null);
      const response = await written();

      const direct = await ask("/v1/evaluate", request);
      assert.equal(direct.decision.disposition, disposition);
      const guidance = await ask("/fhir/R4/PlanDefinition/low-back-pain/$triage", response);
      const { disposition: coding, decision_digest } = decided(guidance);
      assert.equal(`DISPOSITION_${coding.code.toUpperCase()}`, disposition);
      assert.equal(decision_digest, direct.decisionDigest);

      await render(response); // once more, filled in already
      assert.deepEqual((await written()).item, response.item);
    });
  }
});

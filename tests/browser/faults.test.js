// Every check can fail: a page with a fault for each of them is reported, and a page without faults is not.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { start } from "./browser.js";
import * as checks from "./checks.js";

const FAULTS = new URL("faults.html", import.meta.url).href;
const SOUND = new URL("sound.html", import.meta.url).href;
const { quiet, phone, desktop, paper, unfolded, withoutScripts, language, accessible, DESKTOP, PHONE } = checks;

const light = (browser, url) => accessible(browser, url, { viewport: DESKTOP });
const dark = (browser, url) => accessible(browser, url, { viewport: DESKTOP, scheme: "dark" });
const touched = (browser, url) => accessible(browser, url, { viewport: PHONE });
const inDutch = (browser, url) => language(browser, url, url === SOUND ? "en" : "nl");

const PLANTED = [
  [quiet, "console error: said on the console"],
  [quiet, "console warn: warned on the console"],
  [quiet, "error in a script: thrown by the page"],
  [quiet, "request for https://example.invalid/style.css"],
  [phone, "the page is 14"],
  [phone, "sticks out to 14"],
  [phone, "letters of 9.0 pixels: This is too small"],
  [phone, "is cut off: <p> This text is longer"],
  [phone, "text leaves its box: longer than its box"],
  [desktop, "sticks out to 14"],
  [desktop, "letters of 9.0 pixels"],
  [desktop, "text leaves its box"],
  [paper, "is 2000 pixels high on a sheet of"],
  [paper, "cannot be scrolled on paper: What is here"],
  [unfolded, "is folded on paper: What is here is not printed"],
  [paper, "sticks out to 14"],
  [withoutScripts, "without them"],
  [inDutch, "not `nl`"],
  [light, "image-alt (1)"],
  [light, "color-contrast (1)"],
  [dark, "color-contrast (2)"],
  [touched, "target-size"],
];

describe("a page with faults", () => {
  let browser;
  const reports = new Map();
  before(async () => (browser = await start()));
  after(() => browser.close());
  for (const [check, fault] of PLANTED) {
    test(`is told: ${fault}`, async () => {
      if (!reports.has(check)) reports.set(check, await check(browser, FAULTS));
      const report = reports.get(check);
      assert.ok(report.some((each) => each.includes(fault)), `only this was told:\n${report.join("\n")}`);
    });
  }
  for (const check of new Set(PLANTED.map(([each]) => each))) {
    test(`a page without faults passes: ${check.name}`, async () => assert.deepEqual(await check(browser, SOUND), []));
  }
  test("each check has a fault", () => {
    const known = Object.values(checks).filter((each) => typeof each === "function" && each !== checks.visit);
    const behind = [accessible, language, checks.violations, checks.fits]; // stand behind the small functions above
    const tried = [...PLANTED.map(([check]) => check), ...behind];
    assert.deepEqual(known.filter((each) => !tried.includes(each)), []);
  });
  test("one sheet is too few", async () => {
    const report = await paper(browser, "data:text/html,<title>x</title>short");
    assert.ok(report.includes("the print is 1 sheet(s)"), report.join("\n"));
  });
});

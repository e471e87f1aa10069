// The interview page in a browser, at a real server: five patients in both languages to the end, in English without scripts,
// once by keyboard alone; every kind of page for a screen reader, on a phone, on paper; nothing kept, nothing asked elsewhere.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { start } from "./browser.js";
import { DESKTOP, PHONE, fits, violations, visit } from "./checks.js";

const { site, patients, titles } = JSON.parse(readFileSync(process.env.PLUIS_INTERVIEWS, "utf8"));
const RULESET = "low_back_pain";
const NARROW = { width: 320, height: 640 }; // a page enlarged four times; another kind of device would load it anew
const A4 = 794; // CSS pixels
const MOST_SCREENS = 40;
const PICTURES = fileURLToPath(new URL("screenshots/", import.meta.url));
mkdirSync(PICTURES, { recursive: true });

let browser;
before(async () => (browser = await start(new URL(site).hostname)));
after(() => browser.close());

const passes = (report) => assert.ok(report.length === 0, `\n${report.join("\n")}`);
const heading = (page) => page.$eval("h1", (each) => each.textContent);
const has = async (page, go) => (await page.$(`button[value="${go}"]`)) !== null;

// Whatever a page says on the console, asks for or keeps; to be looked at when the page is done.
function overhear(heard, urls) {
  return (page) => {
    page.on("console", (message) => heard.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => heard.push(`error in a script: ${error.message}`));
    page.on("request", (request) => urls.add(request.url()));
  };
}

async function press(page, go) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(`button[value="${go}"]`)]);
}

// The questions on a screen: how each is answered, and with which values.
function questions(page) {
  return page.$$eval("main input:not([type=hidden])", (inputs) => {
    const found = {};
    for (const { name, type, value } of inputs) {
      const question = (found[name.replace("answer.", "")] ??= { number: false, values: [] });
      if (type === "text") question.number = true;
      else question.values.push(value);
    }
    return found;
  });
}

// What a patient says to a question; what is not said is denied.
function said(answers, name, { values }) {
  return answers[name] ?? ["no", "none", "unknown"].find((each) => values.includes(each));
}

async function fill(page, answers) {
  for (const [name, question] of Object.entries(await questions(page))) {
    const answer = said(answers, name, question);
    if (question.number && answer !== "unknown") await page.type(`input[type=text][name="answer.${name}"]`, answer);
    else await page.click(`input[name="answer.${name}"][value="${answer}"]`);
  }
}

// From the start to the last page; `answerScreen` answers one and goes on. `look` sees every page on the way.
async function interview(page, answerScreen, look = async () => {}) {
  await press(page, "on");
  for (let screens = 0; (await has(page, "next")) || (await has(page, "on")); screens += 1) {
    assert.ok(screens < MOST_SCREENS, "the interview does not end");
    await look(page);
    if (await has(page, "on")) await press(page, "on");
    else await answerScreen(page);
  }
  await look(page);
}

const byMouse = (answers) => async (page) => {
  await fill(page, answers);
  await press(page, "next");
};

// The same with "none of these" wherever the patient says no more than that.
const byDenying = (answers) => async (page) => {
  const denied = Object.keys(await questions(page)).every((name) => !(name in answers));
  if (denied && (await has(page, "none"))) await press(page, "none");
  else await byMouse(answers)(page);
};

// With Tab, the arrows, Space and Enter alone. Wherever the focus is, it must be seen.
const byKeyboard = (answers) => async (page) => {
  const at = () =>
    page.evaluate(() => {
      const { name, value, type } = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { name, value, type, seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
    });
  const tabTo = async (wanted, found) => {
    for (let steps = 0; steps < 60; steps += 1) {
      await page.keyboard.press("Tab");
      const focus = await at();
      assert.ok(focus.seen, `the focus cannot be seen on ${JSON.stringify(focus)}`);
      if (found(focus)) return focus;
    }
    throw new Error(`no key leads to ${wanted}`);
  };
  for (const [name, question] of Object.entries(await questions(page))) {
    const answer = said(answers, name, question);
    const field = `answer.${name}`;
    if (question.number && answer !== "unknown") {
      await tabTo(name, (focus) => focus.name === field && focus.type === "text");
      await page.keyboard.type(answer);
    } else if (question.number) {
      await tabTo(name, (focus) => focus.name === field && focus.type === "checkbox");
      await page.keyboard.press("Space");
    } else {
      let focus = await tabTo(name, (focus) => focus.name === field);
      if (focus.value === answer) await page.keyboard.press("Space");
      for (let steps = 0; focus.value !== answer; steps += 1) {
        assert.ok(steps < question.values.length, `no arrow leads to ${answer} of ${name}`);
        await page.keyboard.press("ArrowDown");
        focus = await at();
      }
    }
  }
  await tabTo("next", (focus) => focus.value === "next");
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press("Enter")]);
};

for (const [language, scripts, answerScreen] of [["nl", true, byMouse], ["en", false, byDenying]]) {
  const url = `${site}/${language}/${RULESET}`;
  describe(`the interview, ${language}, ${scripts ? "with" : "without"} scripts`, () => {
    for (const [disposition, answers] of Object.entries(patients)) {
      test(`ends in ${disposition}, keeps nothing and asks for nothing else`, async () => {
        const heard = [], urls = new Set();
        await visit(browser, url, { viewport: PHONE, scripts, listen: overhear(heard, urls) }, async (page) => {
          await interview(page, answerScreen(answers));
          assert.equal(await heading(page), titles[language][disposition]);
          assert.equal(await page.evaluate(() => document.documentElement.lang), language);
          const kept = await page.evaluate(async () => [
            document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, document.scripts.length,
          ]);
          assert.deepEqual(kept, ["", 0, 0, 0, 0]);
          assert.deepEqual(await page.cookies(), []);
        });
        assert.deepEqual(heard, []);
        // The empty icon is no request to anybody.
        assert.deepEqual([...urls].filter((each) => each !== "data:,"), [url]);
      });
    }
  });
}

test("the interview goes by keyboard alone, and the focus is always seen", async () => {
  await visit(browser, `${site}/nl/${RULESET}`, { viewport: DESKTOP }, async (page) => {
    await interview(page, byKeyboard(patients.physio));
    assert.equal(await heading(page), titles.nl.physio);
  });
});

describe("every kind of page", () => {
  const reports = new Map();

  // Looks at an open page on a desktop and on the narrowest phone, and takes its pictures.
  async function inspect(page, kind) {
    const wrong = [];
    for (const [device, viewport] of [["desktop", DESKTOP], ["phone", NARROW]]) {
      await page.setViewport(viewport);
      wrong.push(...(await fits(page, viewport.width)));
      await page.screenshot({ path: `${PICTURES}interview-${kind}-${device}.png`, fullPage: true });
    }
    reports.set(kind, [...wrong, ...(await violations(page))]);
  }

  before(async () => {
    await visit(browser, `${site}/`, {}, async (page) => {
      await inspect(page, "home");
      await page.goto(`${site}/nl/${RULESET}`, { waitUntil: "load" });
      await inspect(page, "start");
      await press(page, "on");
      await inspect(page, "questions");
      await press(page, "next");
      // A browser gives the focus when it first draws the page, which may be after it was loaded.
      await page.waitForFunction(() => document.activeElement.id === "remarks", { timeout: 10_000 });
      await inspect(page, "remarks");
      await press(page, "none");
      await inspect(page, "number");
      await page.type("input[type=text]", "390");
      await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press("Enter")]);
      await inspect(page, "out-of-range");
      await page.goto(`${site}/nl/nothing`, { waitUntil: "load" });
      await inspect(page, "failure");
    });
    // Somebody who does not know an answer that matters, and goes on.
    await visit(browser, `${site}/nl/${RULESET}`, {}, async (page) => {
      await press(page, "on");
      while (!(await has(page, "on"))) await byDenying({ ...patients.self_care, leg_weakness: "unknown" })(page);
      await inspect(page, "urgent");
      await press(page, "on");
      await inspect(page, "after-urgent");
    });
    await visit(browser, `${site}/nl/${RULESET}`, {}, async (page) => {
      await interview(page, byDenying(patients.physio));
      await inspect(page, "decision");
      await page.emulateMediaType("print");
      await page.setViewport({ width: A4, height: 1123 });
      const printed = await page.$$eval(".noprint, .skip", (all) => all.filter((each) => each.checkVisibility()).map((each) => `is printed: ${each.textContent}`));
      reports.set("print", [...printed, ...(await fits(page, A4))]);
      await page.pdf({ path: `${PICTURES}interview-decision.pdf`, format: "A4", preferCSSPageSize: true });
    });
  });

  for (const kind of ["home", "start", "questions", "remarks", "number", "out-of-range", "failure", "urgent", "after-urgent", "decision", "print"]) {
    test(`can be read by everybody: ${kind}`, () => passes(reports.get(kind) ?? ["was not reached"]));
  }
});

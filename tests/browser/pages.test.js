// Every page that Pluis makes for people, in a browser. What pages there are, stands in the file that PLUIS_PAGES names.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { start } from "./browser.js";
import { DESKTOP, PHONE, accessible, desktop, language, paper, phone, quiet, unfolded, visit, withoutScripts } from "./checks.js";

const pages = JSON.parse(readFileSync(process.env.PLUIS_PAGES, "utf8"));
const PICTURES = fileURLToPath(new URL("screenshots/", import.meta.url));
const TALLEST = 8000; // pixels of a page that a picture shows
rmSync(PICTURES, { recursive: true, force: true }); // none of an earlier run
mkdirSync(PICTURES, { recursive: true });

const passes = (report) => assert.ok(report.length === 0, `\n${report.join("\n")}`);

test("there are pages to read", () => assert.ok(pages.length > 0));

for (const { name, path, lang, signed } of pages) {
  const url = pathToFileURL(path).href;
  describe(name, () => {
    let browser;
    before(async () => (browser = await start()));
    after(() => browser.close());

    test("says nothing on the console and asks for nothing else", async () => passes(await quiet(browser, url)));
    test("says its language", async () => passes(await language(browser, url, lang)));
    test("can be read on a phone", async () => passes(await phone(browser, url)));
    test("can be read on a desktop", async () => passes(await desktop(browser, url)));
    test("can be printed", async () => passes(await paper(browser, url, `${PICTURES}${name}.pdf`)));
    if (signed) test("prints whole", async () => passes(await unfolded(browser, url))); // other pages may fold lists away
    test("says the same without scripts", async () => passes(await withoutScripts(browser, url)));
    const schemes = readFileSync(path, "utf8").includes("prefers-color-scheme") ? ["light", "dark"] : ["light"];
    for (const scheme of schemes) {
      for (const [device, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
        test(`is accessible, ${scheme}, on a ${device}`, async () => passes(await accessible(browser, url, { viewport, scheme })));
        test(`has its picture taken, ${scheme}, on a ${device}`, async () => {
          const picture = `${PICTURES}${name}-${device}-${scheme}.png`;
          await visit(browser, url, { viewport, scheme }, async (page) => {
            const whole = await page.evaluate(() => document.scrollingElement.scrollHeight);
            const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(whole, TALLEST) };
            await page.screenshot({ path: picture, clip, captureBeyondViewport: true });
          });
          console.log(`picture: ${picture}`);
        });
      }
    }
  });
}

// What a page must be for every reader: quiet, alone, readable on a phone, on paper, by keyboard and by screen reader.
// Each check opens the page anew and gives a list of what is wrong, in words; an empty list is a pass.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true };
const A4 = { width: 794, height: 1123 }; // CSS pixels
const BODY_FONT = 14;
const DRAWING_FONT = 12;
const SHOWN = 5; // places that a report names of one fault

// Opens the page as a reader would, does something with it, and closes it.
export async function visit(browser, url, how, doIt) {
  const page = await browser.newPage();
  try {
    await page.setViewport(how.viewport ?? DESKTOP);
    const session = await page.createCDPSession(); // puppeteer's two functions for this undo each other
    const features = [{ name: "prefers-color-scheme", value: how.scheme ?? "light" }];
    await session.send("Emulation.setEmulatedMedia", { media: how.media ?? "screen", features });
    await page.setJavaScriptEnabled(how.scripts ?? true);
    how.listen?.(page);
    await page.goto(url, { waitUntil: "load" });
    return await doIt(page);
  } finally {
    await page.close();
  }
}

// No message on the console, no error in a script, no request besides the page itself.
export async function quiet(browser, url) {
  const heard = [];
  const listen = (page) => {
    page.on("console", (message) => {
      const type = message.type();
      if (["error", "warn", "warning", "assert"].includes(type)) heard.push(`console ${type}: ${message.text()}`);
    });
    page.on("pageerror", (error) => heard.push(`error in a script: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== url) heard.push(`request for ${request.url().slice(0, 200)}`);
    });
  };
  await visit(browser, url, { listen }, (page) => page.evaluate(() => document.fonts.ready.then(() => undefined)));
  return heard;
}

// On a phone: nothing to push sideways but what scrolls by itself, and letters that need no magnifying glass.
export async function phone(browser, url) {
  return visit(browser, url, { viewport: PHONE }, async (page) => {
    return [...(await fits(page, PHONE.width)), ...(await drawings(page))];
  });
}

// A page that is open, at a width: nothing to push sideways, nothing too small to read.
export async function fits(page, width) {
  const whole = await page.evaluate(() => document.scrollingElement.scrollWidth);
  const wrong = whole > width ? [`the page is ${whole} pixels wide on a phone of ${width}`] : [];
  return [...wrong, ...(await tooWide(page, width)), ...(await tooSmall(page))];
}

// On a desktop: the same, at its width.
export async function desktop(browser, url) {
  return visit(browser, url, { viewport: DESKTOP }, async (page) => [
    ...(await tooWide(page, DESKTOP.width)), ...(await tooSmall(page)), ...(await drawings(page)),
  ]);
}

// On paper: more than one sheet, nothing cut off at the right or between sheets.
export async function paper(browser, url, keep) {
  const wrong = await visit(browser, url, { media: "print" }, async (page) => {
    const margin = await page.evaluate(pageMargins);
    const room = { width: Math.floor(A4.width - margin.across), height: Math.floor(A4.height - margin.down) };
    await page.setViewport({ width: room.width, height: room.height });
    const cut = await page.evaluate(({ height, shown }) => {
      const found = [];
      for (const each of document.querySelectorAll("svg, img")) {
        const tall = each.getBoundingClientRect().height;
        if (tall > height) found.push(`<${each.tagName}> is ${Math.ceil(tall)} pixels high on a sheet of ${height}`);
      }
      for (const each of document.querySelectorAll("body *")) {
        const scrolls = ["auto", "scroll"].includes(getComputedStyle(each).overflowX);
        if (scrolls && each.scrollWidth > each.clientWidth + 1) {
          found.push(`<${each.tagName} class="${each.className}"> cannot be scrolled on paper: ${each.textContent.trim().slice(0, 40)}`);
        }
      }
      return found.slice(0, shown);
    }, { height: room.height, shown: SHOWN });
    return [...cut, ...(await tooWide(page, room.width))];
  });
  const sheets = await visit(browser, url, {}, async (page) => {
    const pdf = await page.pdf({ preferCSSPageSize: true, format: "A4", ...(keep ? { path: keep } : {}) });
    return Buffer.from(pdf).toString("latin1").match(/\/Type\s*\/Page(?!s)/g)?.length ?? 0;
  });
  return sheets > 1 ? wrong : [...wrong, `the print is ${sheets} sheet(s)`];
}

// On paper everything is there: what a reader could unfold on a screen is unfolded.
export async function unfolded(browser, url) {
  return visit(browser, url, { media: "print" }, (page) => page.evaluate((shown) =>
    [...document.querySelectorAll("details > :not(summary)")].filter((each) => !each.checkVisibility())
      .map((each) => `is folded on paper: ${each.textContent.trim().slice(0, 40)}`).slice(0, shown), SHOWN));
}

// With scripts off, every word that a reader with scripts sees is there, in the same order.
export async function withoutScripts(browser, url) {
  const read = (page) => page.evaluate(() => document.body.innerText.replace(/\s+/g, " "));
  const [on, off] = [await visit(browser, url, {}, read), await visit(browser, url, { scripts: false }, read)];
  return on === off ? [] : [`with scripts the page says ${on.length} letters, without them ${off.length}`];
}

// The language that the page says it is in.
export async function language(browser, url, expected) {
  const said = await visit(browser, url, {}, (page) => page.evaluate(() => document.documentElement.lang));
  return said === expected ? [] : [`the page says it is in \`${said}\`, not \`${expected}\``];
}

// axe-core by WCAG 2.0, 2.1 and 2.2, levels A and AA.
export async function accessible(browser, url, how) {
  return visit(browser, url, how, violations);
}

// The same for a page that is open.
export async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const options = { runOnly: { type: "tag", values: tags }, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] };
    return (await globalThis.axe.run(document, options)).violations;
  }, STANDARDS);
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, SHOWN).map(({ html, failureSummary }) => `${id} (${nodes.length}): ${html.slice(0, 160)} ${failureSummary.replace(/\s+/g, " ").slice(0, 200)}`));
}

// A script in the page: what `@page` leaves free around the text; a centimetre, as browsers do, where nothing is said.
function pageMargins() {
  const rules = [...document.styleSheets].filter(({ href }) => !href).flatMap((sheet) => [...sheet.cssRules]);
  const inside = (rule) => (rule instanceof CSSMediaRule && matchMedia(rule.conditionText).matches ? [...rule.cssRules] : [rule]);
  const said = rules.flatMap(inside).filter((rule) => rule instanceof CSSPageRule && !rule.selectorText);
  const probe = document.body.appendChild(document.createElement("div"));
  probe.style.margin = "1cm";
  for (const rule of said) if (rule.style.margin) probe.style.margin = rule.style.margin;
  const { marginLeft, marginRight, marginTop, marginBottom } = getComputedStyle(probe);
  probe.remove();
  const [left, right, top, bottom] = [marginLeft, marginRight, marginTop, marginBottom].map(parseFloat);
  return { across: left + right, down: top + bottom };
}

// What sticks out at the right without a region of its own that scrolls, and text that is cut off by its own box.
async function tooWide(page, width) {
  return page.evaluate(({ width, shown }) => {
    const name = (each) => `<${each.tagName.toLowerCase()}> ${(each.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40)}`;
    const held = (each) => {
      for (let it = each.parentElement; it; it = it.parentElement) {
        if (["auto", "scroll"].includes(getComputedStyle(it).overflowX)) return true;
      }
      return false;
    };
    const found = [];
    for (const each of document.querySelectorAll("body *:not(svg *)")) {
      const { right, left, width: own } = each.getBoundingClientRect();
      const hidden = right <= 0; // far to the left, until the keyboard comes by: a link to skip the menu
      if (own > 1 && !hidden && (right > width + 1 || left < -1) && !held(each)) found.push(`sticks out to ${Math.ceil(right)} pixels: ${name(each)}`);
      const { overflowX } = getComputedStyle(each);
      if (own > 1 && ["hidden", "clip"].includes(overflowX) && each.scrollWidth > each.clientWidth + 1) found.push(`is cut off: ${name(each)}`);
    }
    return found.slice(0, shown);
  }, { width, shown: SHOWN });
}

// Letters below the smallest size, as they come out after scaling.
async function tooSmall(page) {
  return page.evaluate(({ body, drawing, shown }) => {
    const found = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { parentElement: at, data } = texts.currentNode;
      if (!data.trim() || !at.checkVisibility() || at.closest("script, style, title, desc")) continue;
      const scale = at instanceof SVGGraphicsElement ? at.getScreenCTM().a : 1;
      const size = parseFloat(getComputedStyle(at).fontSize) * scale;
      if (size < (at.closest("svg") ? drawing : body) - 0.01) found.add(`letters of ${size.toFixed(1)} pixels: ${data.trim().slice(0, 40)}`);
    }
    return [...found].slice(0, shown);
  }, { body: BODY_FONT, drawing: DRAWING_FONT, shown: SHOWN });
}

// In a drawing, the text of every box lies inside it, with this browser's letters.
async function drawings(page) {
  return page.evaluate((shown) => {
    const found = [];
    for (const group of document.querySelectorAll("svg g:has(> rect)")) {
      const border = group.querySelector("rect").getBBox();
      for (const text of group.querySelectorAll("text")) {
        const { x, y, width, height } = text.getBBox();
        const inside = x >= border.x && y >= border.y && x + width <= border.x + border.width && y + height <= border.y + border.height;
        if (!inside) found.push(`text leaves its box: ${text.textContent.slice(0, 40)}`);
      }
    }
    return found.slice(0, shown);
  }, SHOWN);
}

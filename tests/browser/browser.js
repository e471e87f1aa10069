// The browser of all tests here: headless, without a profile of its own to keep, and without a way to the network; at most
// to one server on this machine.
import puppeteer from "puppeteer-core";

export function start(server = "") {
  return puppeteer.launch({
    executablePath: process.env.PLUIS_BROWSER,
    pipe: true, // no port; the browser ends when this program does
    args: [
      "--no-sandbox", // a container's root has no other way; it opens our own files only
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
      `--host-resolver-rules=MAP * ~NOTFOUND${server && `, EXCLUDE ${server}`}`,
    ],
  });
}

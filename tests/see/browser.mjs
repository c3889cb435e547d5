// Chromium, and pages in it that are watched: nothing that goes wrong in one goes by unseen.
import { createRequire } from "node:module";
import { join } from "node:path";

/** The looks that each view is shown in. */
export const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  narrow: { colorScheme: "light", viewport: { width: 390, height: 844 } },
  "narrow-dark": { colorScheme: "dark", viewport: { width: 390, height: 844 } },
};

/** What a page may shift while it is in use, as a sum over a burst of shifts; a person notices more. */
export const LARGEST_SHIFT = 0.1;

/** A module that requirements/see pins. */
export function pinned(modules, name) {
  return createRequire(join(modules, "package.json"))(name);
}

/** Starts Chromium. Its other name for 127.0.0.1 is what a rebound DNS name would be. */
export async function launch({ modules, chromium, strangersName }) {
  return pinned(modules, "playwright-core").chromium.launch({
    executablePath: chromium,
    args: [
      `--host-resolver-rules=MAP ${strangersName} 127.0.0.1`,
      // Chromium itself keeps most strangers from 127.0.0.1, other browsers don't: the console has to, without its help.
      "--disable-features=LocalNetworkAccessChecks",
      // Chromium has no sandbox of its own for root, as in a container.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-dev-shm-usage",
    ],
  });
}

/** Opens a page in a context of its own, and has the report learn of all that must not happen in it. */
export async function open(world, where, look = "light") {
  const context = await world.browser.newContext({
    ...LOOKS[look], reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(world.config.patience);
  await watch(world, where, page);
  return page;
}

async function watch(world, where, page) {
  const { report, config } = world;
  const own = new URL(config.console).origin;
  page.expectedStatuses = new Set();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !isExpected(page, message.text())) {
      report.finding(where, `the browser's console says: ${cut(message.text())} ${pathOf(message.location().url)}`);
    }
  });
  page.on("pageerror", (error) => report.finding(where, `the script fails: ${cut(error.stack ?? String(error))}`));
  page.on("dialog", async (dialog) => {
    report.finding(where, `a dialog opens: ${cut(dialog.message())}`);
    await dialog.dismiss();
  });
  page.on("popup", () => report.finding(where, "another window opens"));
  page.on("download", (download) => report.finding(where, `a file is downloaded: ${cut(download.suggestedFilename())}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== own && url.protocol !== "data:") {
      report.finding(where, `a request to another host: ${cut(request.url())}`);
    }
    if (request.url().includes(config.token)) {
      report.finding(where, "the token stands in a request's address");
    }
  });
  await page.exposeFunction("toldToSee", (text) => report.finding(where, text));
  await page.addInitScript(inPage);
}

function pathOf(url) {
  return URL.canParse(url) ? new URL(url).pathname : "";
}

// A failed answer is an error in the console by itself; a tour names those that it brings about.
function isExpected(page, text) {
  const status = /Failed to load resource: the server responded with a status of (\d+)/.exec(text);
  return status !== null && page.expectedStatuses.has(Number(status[1]));
}

// Runs in the page, before its own script.
function inPage() {
  document.addEventListener("securitypolicyviolation", (event) => {
    window.toldToSee(`the content security policy is violated: ${event.violatedDirective} ${event.blockedURI}`);
  });
  window.seenShifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) {
        window.seenShifts.push({
          at: entry.startTime, value: entry.value,
          of: entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.nodeName ?? "?"),
        });
      }
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** The largest burst of shifts so far: less than a second apart, and five seconds at most, as browsers measure it. */
export async function largestShift(page) {
  const shifts = await page.evaluate(() => window.seenShifts ?? []);
  let [largest, sum, first, last] = [{ value: 0, of: [] }, 0, -Infinity, -Infinity];
  for (const shift of shifts) {
    const goesOn = shift.at - last < 1000 && shift.at - first < 5000;
    sum = goesOn ? sum + shift.value : shift.value;
    first = goesOn ? first : shift.at;
    last = shift.at;
    if (sum > largest.value) {
      largest = { value: sum, of: shift.of };
    }
  }
  return largest;
}

/** Closes a page, once its shifts are judged. */
export async function close(world, where, page) {
  const shift = await largestShift(page);
  world.shifts.push(shift.value);
  if (shift.value > LARGEST_SHIFT) {
    world.report.finding(where, `the layout jumps by ${shift.value.toFixed(3)}: ${cut(shift.of.join(" "))}`);
  }
  await page.context().close();
}

/** An error in one line: what failed, and at which line of which tour. */
export function told(error) {
  const [what, ...rest] = String(error.stack ?? error).replace(/\u001b\[\d+m/g, "").split("\n");
  const waited = rest.find((line) => /^\s+- waiting/.test(line)) ?? "";
  const place = rest.find((line) => /tests\/see\/(?!report|drive)/.test(line)) ?? "";
  return cut(`${what} ${waited.trim()} ${place.trim().replace(/^.*\/tests\/see\//, "at ").replace(/\)$/, "")}`, 400);
}

/** A text that is short enough for a line, without what would move the cursor. */
export function cut(text, length = 300) {
  // eslint-disable-next-line no-control-regex
  const plain = String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, " ");
  return plain.length > length ? `${plain.slice(0, length)}…` : plain;
}

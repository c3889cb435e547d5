// The five views: how a person gets to each, and what each looks like, by day and by night, wide and narrow.
import { judge } from "./accessibility.mjs";
import { LOOKS, close, open } from "./browser.mjs";

export const VIEWS = ["live", "find", "session", "operations", "try"];

/** Opens the console at its address, with the token in the fragment, and then a view. */
export async function visit(world, page, view, session) {
  await page.goto(world.config.console);
  await page.locator("main h1").first().waitFor({ state: "attached" });
  await turn(world, page, view, session);
}

/** Opens another view by its own address. */
export async function turn(world, page, view, session) {
  await page.evaluate((hash) => { location.hash = hash; }, addressOf(view, session));
  await page.locator(`main.view-${view}, main .view-${view}`).first().waitFor();
  await settled(page);
  world.report.views.add(view);
}

export function addressOf(view, session) {
  if (view !== "session") {
    return `#/${view}`;
  }
  const [provider, ...id] = session.split("/");
  return `#/session/${provider}/${encodeURIComponent(id.join("/"))}`;
}

/** Waits until a view shows what it has asked for. */
export async function settled(page) {
  await page.waitForFunction(() => !/(Reading|Looking) …/.test(document.querySelector("main").innerText));
  await page.waitForTimeout(400);
}

/** Has each view shown in each look, judged, and kept as a picture. */
export async function looks(world) {
  const { report } = world;
  for (const look of Object.keys(LOOKS)) {
    for (const view of VIEWS) {
      const where = `${view}, ${look}`;
      const page = await open(world, where, look);
      await report.step(where, "is shown and judged", async () => {
        await visit(world, page, view, world.config.session);
        await page.waitForTimeout(1500);
        await fits(world, where, page);
        await makesSense(world, where, page);
        await judge(world, where, page);
        await report.picture(page, `${view}-${look}`);
        await wholePicture(world, page, `${view}-${look}-whole`);
      });
      await close(world, where, page);
    }
  }
}

/** A picture of all of a view: of what one has to scroll to, too. */
export async function wholePicture(world, page, name) {
  const { width, height } = page.viewportSize();
  const whole = await page.evaluate(() => {
    const main = document.getElementById("main");
    return innerHeight - main.clientHeight + main.scrollHeight;
  });
  await page.setViewportSize({ width, height: Math.min(Math.max(height, whole), 8000) });
  await page.waitForTimeout(200);
  await world.report.picture(page, name);
  await page.setViewportSize({ width, height });
}

/** A page that is wider than its window has to be moved to be read. */
export async function fits(world, where, page) {
  const over = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > width + 1
      && getComputedStyle(node).position !== "fixed");
    return { by: document.scrollingElement.scrollWidth - width, of: wide.slice(0, 4).map((node) => node.outerHTML.slice(0, 80)) };
  });
  if (over.by > 0) {
    world.report.finding(where, `is ${over.by} px wider than the window: ${over.of.join(" ")}`);
  }
}

/** What a script writes if it has nothing to write is no text for a person. */
export async function makesSense(world, where, page) {
  const words = await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
      const { data, parentElement } = texts.currentNode;
      // A stranger's text is judged as a whole: part of it may be such a word.
      const text = (parentElement.closest("bdi")?.textContent ?? data).trim();
      if (/^(null|undefined|NaN|Invalid Date|.*\[object \w+\].*)$/.test(text) && !parentElement.closest("pre")) {
        found.push(`${text} in ${parentElement.outerHTML.slice(0, 80)}`);
      }
    }
    return found;
  });
  for (const word of words) {
    world.report.finding(where, `it says ${word}`);
  }
}

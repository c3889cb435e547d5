// The console by keyboard alone: every step leaves a focus that one sees.
import { fresh, send } from "./asking.mjs";
import { close, cut, open } from "./browser.mjs";
import { addressOf, visit } from "./views.mjs";

/** More presses than it takes to get anywhere. */
const MOST_TABS = 120;

export async function keyboard(world) {
  const where = "keyboard";
  const page = await open(world, where);
  const step = (what, act) => world.report.step(where, what, act);
  const reference = fresh();
  const session = await send(world, "veriff/decision-approved", reference);
  await visit(world, page, "live");
  await step("the first link skips to the view", async () => {
    await tabTo(world, page, "a.skip", "Shift+Tab");
    await page.keyboard.press("Enter");
    await hasFocus(world, page, "#main", false);
  });
  await step("a slash leads to the box, and Enter to the session", async () => {
    await page.keyboard.press("/");
    await page.locator("#box:focus").waitFor();
    await page.keyboard.type(reference);
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.hash === addressOf("session", session));
    await page.getByText("approved").first().waitFor();
  });
  await step("an event opens, shows its payload, and closes", async () => {
    await tabTo(world, page, "[data-event] summary");
    await page.keyboard.press("Enter");
    await tabTo(world, page, "[data-event] button:text-matches('payload', 'i')");
    await page.keyboard.press("Enter");
    await page.getByText("firstName").first().waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelectorAll("[data-event][open]").length === 0);
  });
  await step("a command is copied", async () => {
    await tabTo(world, page, ".terminal button");
    const line = await page.evaluate(() => document.activeElement.parentElement.querySelector("code").textContent);
    await page.keyboard.press("Enter");
    await page.getByText("Copied").first().waitFor();
    await page.keyboard.press("/");
    await page.locator("#box:focus").waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Control+V");
    const copied = await page.locator("#box").inputValue();
    await page.keyboard.press("Tab");
    if (copied !== line) {
      world.report.finding(where, `copied is ${cut(copied)}, not ${cut(line)}`);
    }
  });
  await step("rows are gone through with j and k", async () => {
    await page.keyboard.press("1");
    await page.locator("[data-list=feed] li button").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await seesFocus(world, page);
    await page.keyboard.press("k");
    const inList = await page.evaluate(() => document.activeElement.closest("[data-list=feed]") !== null);
    if (!inList) {
      world.report.finding(where, "j and k don't go through what came in");
    }
    await page.evaluate(() => document.querySelector("[data-list=feed] li button").focus());
    await page.keyboard.press("Enter");
    await page.locator("[data-list=feed] [aria-current]").waitFor();
  });
  await step("a confirmation takes the focus, keeps it, and gives it back", async () => {
    await page.keyboard.press("3");
    await page.locator(".view-operations").waitFor();
    await tabTo(world, page, "button:text('Redrive …')");
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor();
    await page.waitForTimeout(700);
    for (let presses = 0; presses < 8; presses += 1) {
      const isInside = await page.evaluate(() => document.activeElement === document.body
        || document.activeElement.closest("dialog[open]") !== null);
      if (!isInside) {
        world.report.finding(where, "the focus leaves the confirmation");
      }
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Escape");
    await hasFocus(world, page, "button:text('Redrive …')");
  });
  await step("the keys are told, and closed", async () => {
    await page.keyboard.press("?");
    await page.locator("#help[open]").waitFor();
    await world.report.picture(page, "keys");
    await page.keyboard.press("Escape");
    await page.locator("#help[open]").waitFor({ state: "hidden" });
  });
  await step("a sample is sent", async () => {
    await page.keyboard.press("4");
    await tabTo(world, page, "button:text-is('Send')");
    await page.keyboard.press("Enter");
    await page.getByRole("list", { name: "What happened" }).getByText("recorded", { exact: false }).first().waitFor();
  });
  await close(world, where, page);
}

/** Goes on with Tab, or back, until the element has the focus; every stop on the way shows that it has it. */
async function tabTo(world, page, selector, key = "Tab") {
  await page.locator(selector).locator("visible=true").first().waitFor({ state: "attached" });
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    await page.keyboard.press(key);
    await seesFocus(world, page);
    if (await page.locator(selector).evaluateAll((nodes) => nodes.includes(document.activeElement))) {
      return;
    }
  }
  throw new Error(`${key} doesn't get to ${selector}`);
}

async function hasFocus(world, page, selector, isSeen = true) {
  const has = await page.locator(selector).evaluateAll((nodes) => nodes.includes(document.activeElement));
  if (!has) {
    const other = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 100));
    world.report.finding("keyboard", `${selector} hasn't the focus, but ${cut(other)}`);
  }
  if (isSeen) {
    await seesFocus(world, page);
  }
}

/** What has the focus looks otherwise than without it, and isn't out of sight. */
async function seesFocus(world, page) {
  const problem = await page.evaluate(() => {
    const node = document.activeElement;
    if (node === null || node === document.body || node.id === "main") {
      return null;
    }
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
    const isMarked = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    const { top, bottom, width, height } = node.getBoundingClientRect();
    const isInSight = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
    return isMarked && isInSight ? null : `${isMarked ? "out of sight" : "not marked"}: ${node.outerHTML.slice(0, 100)}`;
  });
  if (problem) {
    world.report.finding("keyboard", `the focus is ${cut(problem)}`);
  }
}

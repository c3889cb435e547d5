// A table of many sessions: Find and the lists stay quick. The figures are told, and nothing is held against them, except
// how many requests a look takes.
import { close, open } from "./browser.mjs";
import { turn, visit } from "./views.mjs";

const STATUSES = ["started", "submitted", "in_review", "awaiting_resubmission", "decided"];
const PAGES = 5;

export async function manySessions(world) {
  const where = "many";
  const { report, config } = world;
  const page = await open(world, where);
  const asked = [];
  page.on("request", (request) => request.url().includes("/api/session") && asked.push(request.url()));
  await visit(world, page, "find");
  const times = [];
  for (const reference of config.people) {
    await report.step(where, `a reference among ${config.many} sessions`, async () => {
      await turn(world, page, "find");
      await page.locator("#box").fill("");
      await page.keyboard.type(reference);
      asked.length = 0;
      const begun = performance.now();
      await page.keyboard.press("Enter");
      // A reference's only session opens at once.
      await page.locator(".results [data-list=sessions] li, .view-session .session-facts .badge").first().waitFor();
      times.push(performance.now() - begun);
      const looks = asked.filter((url) => url.includes("reference=")).length;
      if (looks < 1 || looks > 2) {
        report.finding(where, `a reference takes ${looks} looks`);
      }
    });
  }
  report.figure(`many: a reference among ${config.many} sessions is found in ${quantiles(times)}`);
  await report.picture(page, "many-found");
  const [first, next] = [[], []];
  for (const status of STATUSES) {
    await report.step(where, `the list of those that are ${status.replaceAll("_", " ")}, by pages`, async () => {
      await turn(world, page, "find");
      await page.getByLabel("for at least").selectOption("");
      await page.getByLabel("for at most").selectOption("");
      first.push(await longer(page, 0, () => page.locator("select[name=status]").selectOption(status)));
      const isAll = async () => (await page.locator(".list-foot").textContent()).includes("that's all");
      for (let pages = 1; pages < PAGES && !(await isAll()); pages += 1) {
        const count = await page.locator("[data-list=sessions] li").count();
        next.push(await longer(page, count, () => page.locator("[data-list=sessions] li").last().scrollIntoViewIfNeeded()));
      }
    });
  }
  report.figure(`many: a list's first page stands after ${quantiles(first)}, another page after ${quantiles(next)}`);
  await report.picture(page, "many-list");
  await close(world, where, page);
}

/** How long an act takes until the list is longer than it was. */
async function longer(page, count, act) {
  const begun = performance.now();
  await act();
  await page.waitForFunction((count) => {
    const rows = document.querySelectorAll("[data-list=sessions] li").length;
    return count === 0 ? rows > 0 && !/Reading …/.test(document.querySelector(".results").innerText) : rows > count;
  }, count);
  return performance.now() - begun;
}

function quantiles(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return `${at(0.5)} ms (the slowest of ${sorted.length}: ${at(1)} ms)`;
}

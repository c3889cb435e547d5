// axe-core over what a page shows: nothing that keeps a person from using it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const GRAVE = new Set(["serious", "critical"]);

/** Judges the page as it is now. Returns how many rules held. */
export async function judge(world, where, page) {
  const source = readFileSync(join(world.config.modules, "node_modules/axe-core/axe.min.js"), "utf8");
  // By the debugger: the page's policy lets no other script in, which is as it should be.
  const debug = await page.context().newCDPSession(page);
  await debug.send("Runtime.evaluate", { expression: source });
  const { result } = await debug.send("Runtime.evaluate", {
    expression: "axe.run(document, {resultTypes: ['violations']}).then(JSON.stringify)", awaitPromise: true,
  });
  await debug.detach();
  const { violations, passes } = JSON.parse(result.value);
  for (const { id, impact, help, nodes } of violations) {
    const places = nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
    const text = `${id} (${impact}): ${help}: ${nodes.length}x, ${places}`;
    if (GRAVE.has(impact)) {
      world.report.finding(where, text);
    } else {
      world.report.figure(`${where}: axe: ${text}`);
    }
  }
  return passes.length;
}

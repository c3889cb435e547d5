// Drives the console in Chromium, part by part: node drive.mjs CONFIGURATION PART…
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { launch, told } from "./browser.mjs";
import { hostileNames } from "./hostile.mjs";
import { keyboard } from "./keyboard.mjs";
import { manySessions } from "./many.mjs";
import { recording } from "./recording.mjs";
import { Report } from "./report.mjs";
import { strangersPage } from "./stranger.mjs";
import { finding, forging, late, living, operating, outage, remembering, resending, trying } from "./tours.mjs";
import { looks } from "./views.mjs";

/** What there is to drive, in the order in which it is driven: each takes the world as it is by then. */
const PARTS = {
  try: trying,
  live: living,
  find: finding,
  late,
  forge: forging,
  operations: operating,
  resend: resending,
  outage,
  keyboard,
  storage: remembering,
  looks,
  hostile: hostileNames,
  many: manySessions,
  recording,
  stranger: strangersPage,
};

async function main([file, ...parts]) {
  const config = JSON.parse(readFileSync(file, "utf8"));
  mkdirSync(config.folder, { recursive: true });
  const report = new Report(config.folder);
  const browser = await launch(config);
  const world = { config, report, browser, shifts: [] };
  try {
    for (const part of parts) {
      await PARTS[part](world).catch((error) => report.finding(part, told(error)));
    }
  } finally {
    await browser.close();
  }
  const { views, steps, screenshots, findings, figures } = report;
  writeFileSync(config.result, JSON.stringify({
    views: [...views], steps, screenshots, findings, figures, largestShift: Math.max(0, ...world.shifts),
  }));
}

await main(process.argv.slice(2));

// What a run did and what it found: steps as they end, findings, screenshots, and the last line.
import { join } from "node:path";

export class Report {
  constructor(folder) {
    this.folder = folder;
    this.findings = [];
    this.figures = [];
    this.views = new Set();
    this.steps = 0;
    this.screenshots = 0;
  }

  /** Something that must not be, and where. The same is told once. */
  finding(where, text) {
    const line = `${where}: ${text}`;
    if (!this.findings.includes(line)) {
      this.findings.push(line);
      console.log(`  FINDING ${line}`);
    }
  }

  /** A figure for the reader, which nothing is held against. */
  figure(text) {
    this.figures.push(text);
    console.log(`  ${text}`);
  }

  /** Does one thing that a person would. A step that fails is a finding, and ends the tour that it belongs to. */
  async step(where, what, act) {
    const begun = performance.now();
    const result = await act();
    this.steps += 1;
    console.log(`  ${where}: ${what} (${seconds(performance.now() - begun)})`);
    return result;
  }

  /** Keeps what the page looks like. */
  async picture(page, name, options = {}) {
    await page.screenshot({ path: join(this.folder, `${name}.png`), animations: "disabled", ...options });
    this.screenshots += 1;
  }

  get summary() {
    return `see: ${this.views.size} views, ${this.steps} steps, ${this.screenshots} screenshots in ${this.folder}, ` +
      `${this.findings.length} findings`;
  }
}

export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

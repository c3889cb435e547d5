// The recording for README: a person at the console, while webhooks come in, one is forged, and DynamoDB goes away.
// Each frame is shot by day and by night, and set in a window with a line that says what one sees.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, play, send, until } from "./asking.mjs";
import { settled, turn, visit } from "./views.mjs";

const SIZE = { width: 1200, height: 700 };
/** Around the page: the line above it, the bar, and the window's edge. */
const AROUND = { width: 2, height: 56 + 30 + 2 };
const SCHEMES = ["light", "dark"];
/** How long a frame stands, in milliseconds: one of a movement, and one that is read. */
const MOVING = 450, READ = 2600;
const PERSON = "customer-7";
const WAYS_BACK_SECONDS = 150;

export async function recording(world) {
  const context = await world.browser.newContext({ viewport: SIZE, reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC" });
  const film = new Film(world, await context.newPage(), await context.newPage());
  await film.begin();
  for (const [what, scene] of SCENES) {
    await world.report.step("recording", what, () => scene(world, film));
  }
  film.end();
  await context.close();
}

const SCENES = [
  ["webhooks come in", comesIn],
  ["a session's life, and what is told of it", lives],
  ["a forgery is refused", isForged],
  ["50 copies at once", copies],
  ["DynamoDB goes away, and comes back", goesAway],
  ["a person is found", isFound],
  ["operations", isOperated],
];

async function comesIn(world, film) {
  const { page } = film;
  film.says("Webhooks come in, signed by their providers. Each is verified, and recorded in one transaction.");
  await visit(world, page, "live");
  await film.shoot(MOVING * 2);
  const samples = ["wultra/process-finished", "treezor/qes-finalized-success", "veriff/event-started", "veriff/decision-declined"];
  for (const [number, sample] of samples.entries()) {
    await send(world, sample, null);
    await appears(page, number + 1);
    await film.shoot(MOVING * 2);
  }
}

async function lives(world, film) {
  const { page } = film;
  film.says("A session's life: above, what happened; below, how it arrived, and what stood then.");
  await choose(page, await play(world, "veriff/resubmission"));
  await film.shoot(READ * 1.5);
  film.says("Your service gets a message for each change of the decision: in order, on an SQS queue.");
  await film.shoot(READ);
  film.says("Webhooks that come late, out of order or twice undo nothing.");
  await choose(page, await play(world, "veriff/late-and-twice"));
  await film.shoot(READ * 1.2);
}

/** Presses a session's row, and waits for its life. */
async function choose(page, session) {
  const row = page.locator("[data-list=feed] button").filter({ hasText: session }).first();
  await row.waitFor();
  // All of its webhooks have come in by now; their log lines follow.
  await page.waitForTimeout(2500);
  await row.click();
  await page.locator(`[data-key="${session}"]`).waitFor();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(2000);
}

async function isForged(world, film) {
  const { page } = film;
  await turn(world, page, "try");
  film.says("A sender without the secret forges a webhook …");
  await page.getByRole("button", { name: "veriff", exact: true }).click();
  await page.getByRole("list", { name: "What happened" }).getByText("refused").first().waitFor();
  await film.shoot(READ);
  await turn(world, page, "live");
  await page.getByText("signature_mismatch").first().waitFor();
  film.says("… and is refused. The sender isn't told why; the log has it.");
  await film.shoot(READ);
}

async function copies(world, film) {
  const { page } = film;
  await turn(world, page, "try");
  film.says("The same webhook 50 times at once: it is recorded once, and told once.");
  await page.getByRole("button", { name: "50 at once" }).click();
  await page.getByText("49 × duplicate").first().waitFor({ timeout: 60_000 });
  await film.shoot(READ);
}

async function goesAway(world, film) {
  const { page } = film;
  film.says("DynamoDB is taken away for 30 seconds.");
  await page.getByLabel("Reference").fill(PERSON);
  await page.getByRole("button", { name: /Take DynamoDB away/ }).click();
  await until("it is away", 15, async () => (await ask(world, "/api/laboratory")).outage.remainingSeconds > 0);
  await page.getByRole("heading", { name: "Take DynamoDB away" }).scrollIntoViewIfNeeded();
  await film.shoot(MOVING * 3);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("listitem").filter({ hasText: "HTTP 200" }).filter({ hasText: "spooled" }).first().waitFor({ timeout: 30_000 });
  await turn(world, page, "live");
  const spooled = page.locator("[data-list=feed] li").filter({ hasText: "spooled" }).first();
  await spooled.waitFor();
  film.says("Webhooks of that time are answered 200, and wait on a queue: spooled.");
  await film.shoot(READ);
  const [session] = /veriff\/[\w-]{36}/.exec(await spooled.textContent());
  await page.locator("[data-list=feed] li").filter({ hasText: "recorded" }).filter({ hasText: "intake" }).filter({ hasText: session })
    .first().waitFor({ timeout: WAYS_BACK_SECONDS * 1000 });
  await page.locator(`[data-key="${session}"]`).waitFor();
  await page.waitForTimeout(3000);
  film.says("DynamoDB is back. What waited is recorded by itself, as of the time at which it came.");
  await film.shoot(READ * 1.2);
}

async function isFound(world, film) {
  const { page } = film;
  await turn(world, page, "find");
  film.says("A person is found by your own reference: typed, and Enter.");
  await film.shoot(MOVING);
  await page.keyboard.type(PERSON.slice(0, 5));
  await film.shoot(MOVING);
  await page.keyboard.type(PERSON.slice(5));
  await film.shoot(MOVING * 2);
  await page.keyboard.press("Enter");
  await page.locator(".view-session [data-event]").first().waitFor();
  await settled(page);
  await film.shoot(READ);
}

async function isOperated(world, film) {
  const { page } = film;
  await turn(world, page, "operations");
  await page.waitForTimeout(1500);
  film.says("Operations: refusals by reason, latency, what waits. Each write is shown first.");
  await film.shoot(READ);
}

/** Waits until so many rows have come in. */
async function appears(page, count) {
  await page.waitForFunction((count) => document.querySelectorAll("[data-list=feed] li").length >= count, count);
  await page.waitForTimeout(1200);
}

/** The frames, as they are shot. */
class Film {
  constructor(world, page, stage) {
    this.page = page;
    this.stage = stage;
    this.words = "";
    this.frames = [];
    this.folder = join(world.config.folder, "recording");
    this.template = readFileSync(new URL("recording.html", import.meta.url), "utf8");
  }

  async begin() {
    mkdirSync(this.folder, { recursive: true });
    await this.stage.setViewportSize({ width: SIZE.width + AROUND.width, height: SIZE.height + AROUND.height });
    await this.stage.setContent(this.template);
  }

  says(words) {
    this.words = words;
  }

  /** Takes the page as it is, in both schemes at the same moment. */
  async shoot(milliseconds) {
    const name = String(this.frames.length).padStart(2, "0");
    for (const colorScheme of SCHEMES) {
      await this.page.emulateMedia({ colorScheme });
      const shot = await this.page.screenshot({ animations: "disabled", caret: "initial" });
      await this.stage.emulateMedia({ colorScheme });
      await this.stage.evaluate(async ([source, words]) => {
        document.querySelector("p").textContent = words;
        const image = document.querySelector("img");
        image.src = source;
        await image.decode();
      }, [`data:image/png;base64,${shot.toString("base64")}`, this.words]);
      await this.stage.screenshot({ path: join(this.folder, `${name}-${colorScheme}.png`) });
    }
    await this.page.emulateMedia({ colorScheme: null });
    this.frames.push({ name, milliseconds: Math.round(milliseconds) });
  }

  end() {
    writeFileSync(join(this.folder, "frames.json"), JSON.stringify(this.frames));
  }
}

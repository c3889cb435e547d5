// What people do with the console, each in a page of its own, by what they see: names of buttons, fields and links.
import { ask, fresh, play, send, until } from "./asking.mjs";
import { close, open } from "./browser.mjs";
import { addressOf, makesSense, settled, turn, visit, wholePicture } from "./views.mjs";

/** Longer than an outage, and than the pause after which replay tries again. */
const OUTAGE_SECONDS = 30;
const AFTER_OUTAGE_SECONDS = 120;

/** A tour on a page of its own. */
async function on(world, where, act) {
  const page = await open(world, where);
  try {
    await act(page, (what, step) => world.report.step(where, what, step));
  } catch (error) {
    await world.report.picture(page, `failed-${where}`);
    throw error;
  } finally {
    await close(world, where, page);
  }
}

export const trying = (world) => on(world, "try", async (page, step) => {
  const happened = page.getByRole("list", { name: "What happened" });
  await visit(world, page, "try");
  await step("the token is out of the address", async () => {
    expect(!page.url().includes(world.config.token), `the address is ${page.url()}`);
  });
  await step("a sample is sent, and its session is a link", async () => {
    await page.getByLabel("Sample", { exact: true }).selectOption("veriff/decision-approved");
    await page.getByLabel("Reference").fill(world.config.reference);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await happened.getByText("recorded", { exact: false }).first().waitFor();
    world.config.session = await happened.getByRole("link").first().textContent();
  });
  await step("50 copies at once: one is recorded, 49 are duplicates", async () => {
    await page.getByRole("button", { name: "50 at once" }).click();
    await happened.getByText("49 × duplicate").first().waitFor({ timeout: 60_000 });
    await world.report.picture(page, "try-50-at-once");
  });
  await step("a scenario is played", async () => {
    await page.getByLabel("Scenario", { exact: true }).selectOption("veriff/late-and-twice");
    await page.getByRole("button", { name: "Play" }).click();
    await happened.getByText("Played veriff/late-and-twice").waitFor({ timeout: 60_000 });
  });
});

export const living = (world) => on(world, "live", async (page, step) => {
  const feed = page.getByRole("list", { name: /What came in/ });
  await visit(world, page, "live");
  await feed.getByRole("listitem").first().waitFor();
  const session = await step("a webhook that comes in appears by itself", async () => {
    const begun = performance.now();
    const sent = await send(world, "veriff/decision-declined", "customer-live");
    await feed.getByText(sent).first().waitFor();
    world.report.figure(`live: a webhook appears ${((performance.now() - begun) / 1000).toFixed(1)} s after it was sent`);
    return sent;
  });
  await step("its session stands beside it, with what happened", async () => {
    await feed.getByRole("button").filter({ hasText: session }).first().click();
    await page.locator(`[data-key="${session}"]`).waitFor();
    await page.getByText("declined").first().waitFor();
  });
  await step("the message opens to its CloudEvent", async () => {
    const messages = page.getByRole("list", { name: /Messages/ });
    await messages.getByText("specversion").waitFor();
    expect((await messages.textContent()).includes("verdict.decision.v1"), "the message has no type");
    await world.report.picture(page, "live-message");
  });
  await step("what needs no attention can be hidden, and shown again", async () => {
    const row = feed.getByText(session).first(), only = page.getByRole("button", { name: "Needs attention" });
    await only.click();
    await row.waitFor({ state: "hidden" });
    await only.click();
    await row.waitFor();
  });
  await step("the queues stand along the edge", async () => {
    const edge = await page.getByRole("region", { name: "Queues" }).textContent();
    for (const queue of ["intake", "decisions", "dead letters", "quarantine"]) {
      expect(edge.includes(queue), `the edge lacks ${queue}: ${edge}`);
    }
  });
});

export const finding = (world) => on(world, "find", async (page, step) => {
  await visit(world, page, "find");
  const reference = fresh();
  const session = await send(world, "veriff/decision-approved", reference);
  await step("the box has the focus", async () => {
    expect(await page.evaluate(() => document.activeElement.matches("input[type=text]")), "the focus is elsewhere");
  });
  await step("a reference is found in two actions: typed, and Enter", async () => {
    await page.keyboard.type(reference);
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.hash === addressOf("session", session));
    await page.getByText("approved").first().waitFor();
  });
  await step("the timeline opens to an event, and on demand to its payload", async () => {
    await page.locator("[data-event] summary").first().click();
    await page.getByRole("button", { name: /payload/ }).first().click();
    await page.getByText("firstName").first().waitFor();
    await makesSense(world, "find", page);
    await wholePicture(world, page, "session-payload");
  });
  await step("a message opens to its CloudEvent", async () => {
    const messages = page.getByRole("list", { name: /Messages/ });
    await messages.locator("summary").first().click();
    await messages.getByText("specversion").waitFor();
  });
  await step("a session's id alone finds it, too; one that nothing has says so", async () => {
    // Asked for at each provider in turn.
    page.expectedStatuses.add(404);
    await turn(world, page, "find");
    await page.keyboard.type(session.split("/")[1]);
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.hash === addressOf("session", session));
    await turn(world, page, "find");
    await page.locator("#box").fill("nothing-has-this");
    await page.keyboard.press("Enter");
    await page.getByText(/knows no session/).waitFor();
  });
  await step("several of a reference are headed by it, and no list looks chosen; Esc leaves the box", async () => {
    const several = fresh();
    await send(world, "veriff/decision-approved", several);
    await send(world, "veriff/decision-declined", several);
    await page.locator("#box").fill(several);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `2 sessions with the reference ${several}` }).waitFor();
    expect(await page.locator(".chip[aria-pressed=true]").count() === 0, "a list looks chosen");
    await world.report.picture(page, "find-reference");
    await page.keyboard.press("Escape");
    await page.keyboard.press("1");
    await page.locator(".view-live").waitFor();
    await page.keyboard.press("2");
    await page.getByRole("heading", { name: /2 sessions/ }).waitFor();
    const chosen = await page.locator("#box").evaluate((box) => box.value.slice(box.selectionStart, box.selectionEnd));
    expect(chosen === several, `of the box, ${chosen} is selected`);
  });
  await step("a list of those in review", async () => {
    const waiting = await send(world, "veriff/decision-review", "customer-waiting");
    await turn(world, page, "find");
    await page.getByRole("button", { name: "In review", exact: true }).click();
    await page.locator(`a[href="${addressOf("session", waiting)}"]`).waitFor();
    await world.report.picture(page, "find-in-review");
  });
});

export const late = (world) => on(world, "late", async (page, step) => {
  const session = await play(world, "veriff/late-and-twice");
  await visit(world, page, "session", session);
  await step("a late event is marked: it changed nothing", async () => {
    await page.locator("[data-event]").filter({ hasText: "changed nothing" }).first().waitFor();
    await wholePicture(world, page, "session-late");
  });
  await step("the picture of the session's life says in words what it shows", async () => {
    const words = await page.locator("svg[role=img]").first().getAttribute("aria-label");
    expect(/event/.test(words), `it says ${words}`);
  });
});

export const forging = (world) => on(world, "forgery", async (page, step) => {
  await visit(world, page, "try");
  for (const [provider, code] of [["veriff", "signature_mismatch"], ["wultra", "authorization_mismatch"]]) {
    await step(`a forged webhook of ${provider} is refused, and Live says why: ${code}`, async () => {
      await turn(world, page, "try");
      await page.getByRole("button", { name: provider, exact: true }).click();
      await page.getByRole("list", { name: "What happened" }).getByText("refused").first().waitFor();
      await turn(world, page, "live");
      await page.getByRole("list", { name: /What came in/ }).getByText(code).first().waitFor();
    });
  }
  await world.report.picture(page, "live-refused");
  await step("Operations has it by reason", async () => {
    await turn(world, page, "operations");
    await page.getByText("signature_mismatch").first().waitFor();
  });
});

export const outage = (world) => on(world, "outage", async (page, step) => {
  // What asks for a session meanwhile is told that the table is away.
  [500, 502, 503, 504].forEach((status) => page.expectedStatuses.add(status));
  await visit(world, page, "try");
  const reference = fresh();
  let session = null;
  await step("DynamoDB is taken away", async () => {
    await page.getByRole("button", { name: /Take DynamoDB away/ }).click();
    await until("it is away", 15, async () => (await ask(world, "/api/laboratory")).outage.remainingSeconds > 0);
  });
  await step("a webhook of that time is spooled", async () => {
    await page.getByLabel("Reference").fill(reference);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    const answer = page.getByRole("list", { name: "What happened" }).getByRole("listitem").filter({ hasText: "HTTP 200" }).first();
    await answer.filter({ hasText: "spooled" }).waitFor({ timeout: 30_000 });
    await world.report.picture(page, "outage-away");
    await turn(world, page, "live");
    const row = page.getByRole("list", { name: /What came in/ }).getByRole("listitem").filter({ hasText: "spooled" }).first();
    await row.waitFor();
    [session] = /veriff\/[\w-]{36}/.exec(await row.textContent());
    await world.report.picture(page, "live-spooled");
  });
  await step("what waits is counted on Live and on Operations, though replay has taken it", async () => {
    await page.getByRole("region", { name: "Queues" }).getByText(/\d+ waiting/).waitFor();
    await turn(world, page, "operations");
    await page.locator(".tile.tone-warn, .tile.tone-bad").filter({ hasText: /^intake.*\d+ waiting/ }).waitFor();
    await world.report.picture(page, "operations-outage");
    await turn(world, page, "live");
  });
  await step("by itself it becomes recorded, once DynamoDB is back", async () => {
    const begun = performance.now();
    // By replay, from the queue intake.
    await page.getByRole("list", { name: /What came in/ }).getByRole("listitem")
      .filter({ hasText: "recorded" }).filter({ hasText: "intake" }).filter({ hasText: session }).first()
      .waitFor({ timeout: (OUTAGE_SECONDS + AFTER_OUTAGE_SECONDS) * 1000 });
    world.report.figure(`outage: recorded ${Math.round((performance.now() - begun) / 1000)} s after it was spooled`);
    await until("intake is empty", AFTER_OUTAGE_SECONDS, async () => {
      const { queues } = await ask(world, "/api/queues");
      const { visible, inFlight, delayed } = queues.find(({ name }) => name === "intake");
      return visible + inFlight + delayed === 0;
    });
    await world.report.picture(page, "live-recorded");
  });
  await step("its session is found", async () => {
    await turn(world, page, "find");
    await page.keyboard.type(reference);
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/session\//);
  });
});

export const operating = (world) => on(world, "operations", async (page, step) => {
  const dialog = page.getByRole("dialog");
  await send(world, "veriff/unreadable-body");
  await visit(world, page, "operations");
  await step("plots, refusals, ages and queues stand there", async () => {
    await page.waitForTimeout(3000);
    await wholePicture(world, page, "operations-whole");
  });
  await step("a look at the quarantine names reasons, and gives back what it looked at", async () => {
    await page.getByRole("button", { name: "Look", exact: true }).click();
    await page.getByText("not_json").first().waitFor();
    await until("all are given back", 60, async () => {
      const { queues } = await ask(world, "/api/queues");
      return queues.find(({ name }) => name === "quarantine").inFlight === 0;
    });
  });
  await step("what isn't a session is named", async () => {
    await page.getByLabel(/Sessions, one on a line/).fill(`${world.config.session}\ngarbage`);
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("garbage isn’t a session").waitFor();
  });
  await step("a session that Verdict doesn't know asks for no reason", async () => {
    page.expectedStatuses.add(409);
    await page.getByLabel("Session", { exact: true }).fill("veriff/nothing-has-this");
    await page.getByRole("button", { name: "Send again …" }).click();
    await dialog.getByRole("alert").waitFor();
    expect(await dialog.getByLabel("Reason").count() === 0, "it asks for one");
    await dialog.getByRole("button", { name: "Close" }).click();
  });
  await step("a rebuild's dry run shows what would change", async () => {
    await page.getByLabel(/Sessions, one on a line/).fill(world.config.session);
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("unchanged").first().waitFor();
  });
  const posts = [];
  page.on("request", (request) => request.method() === "POST" && posts.push(request));
  await step("nothing is redriven without a reason, nor if one cancels", async () => {
    await page.getByRole("button", { name: "Redrive …" }).click();
    await dialog.getByText(/would go back/).waitFor();
    expect(await dialog.getByRole("button", { name: "Redrive" }).isDisabled(), "it can be pressed without a reason");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    expect(posts.every((request) => request.postDataJSON().dryRun !== false), "it was redriven all the same");
  });
  await step("with a reason, the quarantine is redriven", async () => {
    await page.getByRole("button", { name: "Redrive …" }).click();
    await dialog.getByLabel("Reason").fill("readers were mended, ticket 1");
    await world.report.picture(page, "redrive-confirmation");
    await dialog.getByRole("button", { name: "Redrive" }).click();
    await dialog.getByText(/moved/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
  });
  await step("a session is rebuilt behind a confirmation", async () => {
    await turn(world, page, "session", world.config.session);
    await page.getByRole("button", { name: "Rebuild …" }).click();
    await dialog.getByText("unchanged").waitFor();
    await dialog.getByLabel("Reason").fill("a test");
    await dialog.getByRole("button", { name: "Rebuild" }).click();
    await dialog.getByText(/Requested/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
  });
});

export const resending = (world) => on(world, "resend", async (page, step) => {
  const dialog = page.getByRole("dialog");
  await visit(world, page, "session", world.config.session);
  await step("its dry run lists the messages", async () => {
    await page.getByRole("button", { name: "Send messages again …" }).click();
    await dialog.getByText("verdict.decision.v1").first().waitFor();
    await world.report.picture(page, "resend-confirmation");
  });
  const waiting = async () => (await ask(world, "/api/queues")).queues.find(({ name }) => name === "decisions").visible;
  await step("with a reason, they are sent again", async () => {
    const before = await waiting();
    await dialog.getByLabel("Reason").fill("the consumer lost its database");
    await dialog.getByRole("button", { name: "Send again" }).click();
    await dialog.getByText(/Requested/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await until("the queue decisions has one more", 60, async () => await waiting() > before);
  });
});

export const remembering = (world) => on(world, "storage", async (page, step) => {
  for (const view of ["live", "find", "session", "operations", "try"]) {
    await (view === "live" ? visit : turn)(world, page, view, world.config.session);
  }
  await step("this browser keeps the two settings, and for this tab the token", async () => {
    const kept = await page.evaluate(() => (
      { local: Object.keys(localStorage), tab: Object.keys(sessionStorage), cookie: document.cookie }));
    expect(kept.local.every((name) => ["verdict.theme", "verdict.zone"].includes(name)), `it keeps ${kept.local}`);
    expect(kept.tab.length === 1 && kept.cookie === "", `it keeps ${kept.tab} ${kept.cookie}`);
  });
  await step("the theme is chosen by hand, and stays", async () => {
    const theme = page.locator("#theme");
    await theme.click();
    const chosen = await theme.textContent();
    await page.reload();
    await settled(page);
    expect(await theme.textContent() === chosen, "it is forgotten");
  });
});

function expect(holds, otherwise) {
  if (!holds) {
    throw new Error(otherwise);
  }
}

// A stranger's page in the same browser: nothing of the console answers it, whatever it tries and whatever it knows.
import { createServer } from "node:http";
import { cut } from "./browser.mjs";

/** Paths that a stranger's page may ask for, with what is behind each. */
const READ = ["/api/stack", "/api/live", "/api/queues", "/api/sessions?status=decided", "/api/laboratory", "/api/operations"];
const FILES = ["/", "/console.js", "/console.css"];
const WRITE = [
  ["/api/laboratory/send", { sample: "veriff/decision-approved", session: "new", reference: "stranger", times: 1 }],
  ["/api/laboratory/outage", { seconds: 30 }],
  ["/api/redrive", { reason: "a stranger's", dryRun: false }],
];

export async function strangersPage(world) {
  const { report, config } = world;
  const where = "stranger";
  const server = await serve();
  const strangers = [`http://127.0.0.1:${server.address().port}/`, `http://localhost:${server.address().port}/`];
  try {
    for (const [number, address] of strangers.entries()) {
      for (const token of ["", config.token]) {
        const what = `${number ? "another name" : "another port"}, ${token ? "with the token" : "without a token"}`;
        await report.step(where, `a page of ${what} reads nothing and does nothing`, () => tryAll(world, where, address, token));
      }
    }
    const port = new URL(config.console).port;
    for (const token of ["", config.token]) {
      await report.step(where, `a name that leads here is refused${token ? ", with the token too" : ""}`, () =>
        rebound(world, where, `http://${config.strangersName}:${port}`, token));
    }
    await report.step(where, "without the token, the console's own page is told nothing", () => withoutToken(world, where));
  } finally {
    server.close();
  }
}

/** A page elsewhere, in the context where the console is open. */
async function tryAll(world, where, address, token) {
  const context = await world.browser.newContext();
  try {
    const own = await context.newPage();
    await own.goto(world.config.console);
    const before = await counted(world, own);
    const page = await context.newPage();
    const answers = [];
    page.on("response", (response) => {
      if (new URL(response.url()).origin === new URL(world.config.console).origin) {
        answers.push({ path: new URL(response.url()).pathname, method: response.request().method(), status: response.status() });
      }
    });
    await page.goto(address);
    const got = await page.evaluate(attempt, {
      origin: new URL(world.config.console).origin, token, read: READ, write: WRITE, files: FILES,
    });
    for (const { what, got: seen } of got.filter((each) => each.got !== null)) {
      world.report.finding(where, `${what} gives a stranger's page: ${cut(seen)}`);
    }
    if (got.length < READ.length + WRITE.length + FILES.length) {
      world.report.finding(where, "the stranger's page didn't try all that it should");
    }
    for (const { path, method, status } of answers.filter((each) => each.path.startsWith("/api/") && each.status !== 403)) {
      world.report.finding(where, `${method} ${path} is answered ${status} to a stranger's page`);
    }
    const framed = page.frames().filter((frame) => frame !== page.mainFrame() && frame.url().startsWith("http"));
    for (const frame of framed) {
      if (new URL(frame.url()).origin === new URL(world.config.console).origin) {
        world.report.finding(where, `the console shows itself in a stranger's frame: ${frame.url()}`);
      }
    }
    const after = await counted(world, own);
    if (after !== before) {
      world.report.finding(where, `a stranger's page changed something: ${before} before, ${after} after`);
    }
  } finally {
    await context.close();
  }
}

/** What a stranger's page could have brought about: an outage, or a session of its reference. */
async function counted(world, page) {
  return page.evaluate(async (token) => {
    const ask = async (path) => (await fetch(path, { headers: { "x-verdict-token": token } })).json();
    const { sessions } = await ask("/api/sessions?reference=stranger");
    const { outage } = await ask("/api/laboratory");
    return JSON.stringify({ sessions: sessions?.length, outage: outage?.remainingSeconds });
  }, world.config.token);
}

// Runs in the stranger's page. Of each attempt: null, or what a stranger sees of the console.
async function attempt({ origin, token, read, write, files }) {
  const results = [];
  const tell = (what, got) => results.push({ what, got });
  const inTime = (promise) => Promise.race([promise, new Promise((done) => setTimeout(() => done(null), 3000))]);
  const asked = async (path, options) => {
    try {
      const answer = await fetch(origin + path, options);
      return answer.type === "opaque" ? "an opaque answer" : `status ${answer.status}, ${(await answer.text()).length} characters`;
    } catch {
      return null;
    }
  };
  const element = (name, attributes) => inTime(new Promise((done) => {
    const made = Object.assign(document.createElement(name), attributes);
    made.onload = () => done(name === "iframe" ? null : `${name} loads`);
    made.onerror = () => done(null);
    document.body.append(made);
  }));
  const headers = token ? { "x-verdict-token": token } : {};
  for (const path of [...read, ...files]) {
    tell(`fetch ${path}`, await asked(path, { headers }));
    tell(`fetch ${path} with cookies`, await asked(path, { headers, credentials: "include" }));
    tell(`fetch ${path} without CORS`, await asked(path, { mode: "no-cors", credentials: "include" }));
    tell(`img ${path}`, await element("img", { src: origin + path }));
    tell(`script ${path}`, await element("script", { src: origin + path }));
    tell(`link ${path}`, await element("link", { rel: "stylesheet", href: origin + path }));
    tell(`iframe ${path}`, await element("iframe", { src: origin + path }));
  }
  for (const [path, body] of write) {
    const json = JSON.stringify(body);
    const type = { ...headers, "content-type": "application/json" };
    tell(`POST ${path}`, await asked(path, { method: "POST", body: json, headers: type }));
    tell(`POST ${path} as text`, await asked(path, { method: "POST", body: json, mode: "no-cors", credentials: "include" }));
    tell(`beacon ${path}`, (navigator.sendBeacon(origin + path, json), null));
    // A form whose one field spells JSON, the old way to have a browser post it.
    const form = Object.assign(document.createElement("form"), {
      action: origin + path, method: "post", enctype: "text/plain", target: "nowhere",
    });
    form.append(Object.assign(document.createElement("input"), { name: `${json.slice(0, -1)},"x":"`, value: '"}' }));
    document.body.append(Object.assign(document.createElement("iframe"), { name: "nowhere" }), form);
    form.submit();
    tell(`form ${path}`, await inTime(new Promise((done) => setTimeout(() => done(null), 300))));
  }
  tell("WebSocket", await inTime(new Promise((done) => {
    const socket = new WebSocket(`${origin.replace("http", "ws")}/api/live`);
    socket.onopen = () => done("a WebSocket opens");
    socket.onerror = () => done(null);
  })));
  tell("EventSource", await inTime(new Promise((done) => {
    const source = new EventSource(`${origin}/api/live`);
    source.onopen = () => done("an EventSource opens");
    source.onerror = () => (source.close(), done(null));
  })));
  return results;
}

/** The console's own port, by a name that a stranger chose: as after a DNS answer that changed while his page was open. */
async function rebound(world, where, origin, token) {
  const context = await world.browser.newContext();
  try {
    const page = await context.newPage();
    await page.route(`${origin}/before`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
    await page.goto(`${origin}/before`);
    const got = await page.evaluate(async ({ paths, token }) => Promise.all(paths.map(async (path) => {
      const answer = await fetch(path, { headers: token ? { "x-verdict-token": token } : {} });
      return { path, status: answer.status, text: await answer.text() };
    })), { paths: [...FILES, ...READ], token });
    const statuses = [];
    page.on("response", (response) => statuses.push({ path: response.url(), status: response.status(), text: "" }));
    for (const path of FILES) {
      // Chromium has a page of its own for an empty refusal, and says that it didn't get there.
      await page.goto(origin + path).catch(() => null);
    }
    if (statuses.length < FILES.length) {
      world.report.finding(where, "the console's other name didn't lead to it: nothing was tried");
    }
    for (const { path, status, text } of [...got, ...statuses].filter((each) => each.status !== 403 || each.text)) {
      world.report.finding(where, `${path} by another name is answered ${status}: ${cut(text)}`);
    }
  } finally {
    await context.close();
  }
}

/** The console's own origin, for a browser that lacks the token. */
async function withoutToken(world, where) {
  const context = await world.browser.newContext();
  try {
    const page = await context.newPage();
    const { origin } = new URL(world.config.console);
    await page.goto(origin);
    await page.waitForLoadState("networkidle");
    const shown = await page.evaluate(() => document.body.innerText);
    if (shown.includes(world.config.token)) {
      world.report.finding(where, "the page holds the token before it was given one");
    }
    for (const wrong of [undefined, "", "x".repeat(world.config.token.length), world.config.token.slice(1)]) {
      for (const path of READ) {
        const answer = await page.evaluate(async ({ path, wrong }) => {
          const answer = await fetch(path, wrong === undefined ? {} : { headers: { "x-verdict-token": wrong } });
          return { status: answer.status, text: await answer.text() };
        }, { path, wrong });
        if (answer.status !== 403 || answer.text.includes("sessions") || answer.text.length > 200) {
          world.report.finding(where, `${path} without the token is answered ${answer.status}: ${cut(answer.text)}`);
        }
      }
    }
    await world.report.picture(page, "without-token");
  } finally {
    await context.close();
  }
}

/** The stranger's server: an empty page. */
function serve() {
  const server = createServer((request, answer) => {
    answer.writeHead(200, { "content-type": "text/html" });
    answer.end("<!doctype html><title>elsewhere</title><body>");
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server)));
}

// The console's own endpoints, asked from outside the browser: to bring things about while a page is watched.

/** Asks as the page does; with a body, to do something. Returns what is answered, and fails with what is refused. */
export async function ask({ config }, path, body) {
  const answer = await fetch(new URL(path, config.console), {
    method: body ? "POST" : "GET",
    headers: { "x-verdict-token": config.token, ...(body ? { "content-type": "application/json" } : {}) },
    body: body && JSON.stringify(body),
  });
  const content = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new Error(`${path} is answered ${answer.status}: ${content?.error?.message}`);
  }
  return content;
}

/** A reference that no session has yet. */
export const fresh = () => `customer-${Date.now()}`;

/** Sends a sample of a new session, and returns the session. */
export async function send(world, sample, reference = null, times = 1) {
  const { answers } = await ask(world, "/api/laboratory/send", { sample, session: "new", reference, times });
  return answers.find((answer) => answer.session)?.session ?? null;
}

/** Plays a scenario, and returns its first session. */
export async function play(world, scenario) {
  const { steps } = await ask(world, "/api/laboratory/play", { scenario });
  return steps.find((step) => step.session)?.session;
}

/** Waits until something is so. */
export async function until(what, seconds, look) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await look()) {
      return;
    }
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error(`after ${seconds} s still not: ${what}`);
}

// Names that do harm, in every field: they stay text, and the page stays of use.
import { execFileSync } from "node:child_process";
import { close, cut, open } from "./browser.mjs";
import { fits, makesSense, settled, turn, visit } from "./views.mjs";

/** Pages that share the names. */
const AT_ONCE = 4;

export async function hostileNames(world) {
  const { names, marks, references, sessions } = world.config;
  const counts = { sessions: 0, lists: 0, commands: 0 };
  await world.report.step("hostile", `${names.length} names in every field stay text`, () => Promise.all(
    Array.from({ length: AT_ONCE }, async (_, own) => {
      const where = `hostile, page ${own + 1}`;
      const page = await open(world, where, own % 2 ? "narrow" : "light");
      await visit(world, page, "find");
      for (let number = own; number < names.length; number += AT_ONCE) {
        await found(world, `hostile ${marks[number]}`, page, references[number], marks[number], counts);
        for (const session of sessions[number]) {
          await shown(world, `hostile ${marks[number]}`, page, session, { mark: marks[number], reference: references[number] }, counts);
        }
      }
      // What opens by itself here opens unasked, and moves what is below.
      await page.context().close();
    })));
  await world.report.step("hostile", "the views that list them stay text, too", () => listed(world));
  world.report.figure(`hostile: ${names.length} names, ${counts.sessions} sessions with all of their events and payloads opened, ` +
    `${counts.lists} lists, ${counts.commands} commands read by a shell`);
}

/** Looks for a reference as a person does. What can't be typed isn't. */
async function found(world, where, page, reference, mark, counts) {
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(reference) || reference.trim() !== reference) {
    return;
  }
  await turn(world, page, "find");
  await page.locator("#box").fill(reference);
  await page.keyboard.press("Enter");
  await page.locator("[data-list=sessions] li").first().waitFor().catch(() => world.report.finding(where, "isn't found by its reference"));
  await settled(page);
  await holds(world, `${where}, found`, page, mark);
  counts.lists += 1;
}

/** Opens a session, and everything in it that opens. */
async function shown(world, where, page, session, { mark, reference }, counts) {
  await turn(world, page, "session", session);
  await openAll(page);
  await holds(world, `${where}, ${session.split("/")[0]}`, page, mark);
  counts.commands += await readByShell(world, where, page, session, reference);
  counts.sessions += 1;
}

async function openAll(page) {
  for (const name of [/payload/i, /record/i]) {
    await page.evaluate(() => document.querySelectorAll("main details").forEach((node) => { node.open = true; }));
    await page.waitForTimeout(50);
    await page.evaluate((name) => [...document.querySelectorAll("main button:not([disabled])")]
      .filter((button) => new RegExp(name, "i").test(button.textContent) && /^show/i.test(button.textContent))
      .forEach((button) => button.click()), name.source);
    await settled(page);
  }
  await page.evaluate(() => [...document.querySelectorAll("main button.more")]
    .filter((button) => button.textContent.startsWith("show all")).forEach((button) => button.click()));
}

/** The views that aren't about one session. */
async function listed(world) {
  for (const view of ["live", "find", "operations", "try"]) {
    const page = await open(world, `hostile, ${view}`);
    await visit(world, page, view);
    await page.waitForTimeout(2500);
    if (view === "find") {
      await page.evaluate(() => {
        const status = document.querySelector("select[name=status]");
        status.value = "decided";
        status.dispatchEvent(new Event("change", { bubbles: true }));
      });
      for (let turns = 0; turns < 6; turns += 1) {
        await settled(page);
        await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      }
    }
    await holds(world, `hostile, ${view}`, page, null);
    await world.report.picture(page, `hostile-${view}`);
    await close(world, `hostile, ${view}`, page);
  }
}

/** What has to hold of a page that shows hostile text. */
async function holds(world, where, page, mark) {
  const problems = await page.evaluate(inspect, mark);
  for (const problem of problems) {
    world.report.finding(where, cut(problem));
  }
  await fits(world, where, page);
  await makesSense(world, where, page);
}

// Runs in the page.
function inspect(mark) {
  const problems = [];
  const short = (node) => node.outerHTML.slice(0, 120);
  if (window.theirs !== undefined) {
    problems.push("a script of theirs has run");
  }
  const odd = ".theirs, script:not([src='/console.js']), style, iframe, frame, object, embed, img, video, audio, base, template, " +
    "link:not([href='/console.css']):not([href='data:,']), meta[http-equiv], animate, use, foreignObject, image";
  document.querySelectorAll(odd).forEach((node) => problems.push(`an element that the page doesn't make: ${short(node)}`));
  for (const node of document.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      if (name.startsWith("on") || name === "srcdoc" || (name === "style" && /url\(|expression/.test(value))) {
        problems.push(`the attribute ${name}: ${short(node)}`);
      }
      if (["href", "src", "action", "formaction"].includes(name) && !/^(#|\/console\.(css|js)$|data:,$)/.test(value)) {
        problems.push(`${name} leads elsewhere: ${short(node)}`);
      }
    }
  }
  if (mark !== null && !document.querySelector("main").textContent.includes(mark)) {
    problems.push(`the name isn't shown (${document.querySelector("main").innerText.slice(0, 100)})`);
  }
  const turned = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (turned.test(text.data)) {
      let node = text.parentElement, isApart = false;
      while (getComputedStyle(node).display === "inline") {
        isApart ||= /isolate|plaintext/.test(getComputedStyle(node).unicodeBidi);
        node = node.parentElement;
      }
      isApart ||= /isolate|plaintext/.test(getComputedStyle(node).unicodeBidi) || node.textContent === text.data;
      if (!isApart && !["TITLE", "TEXTAREA"].includes(node.tagName)) {
        problems.push(`a text that may turn its neighbours around: ${short(text.parentElement)}`);
      }
    }
  }
  for (const link of document.querySelectorAll("nav a:not([hidden])")) {
    const { left, top, width, height } = link.getBoundingClientRect();
    const at = document.elementFromPoint(left + width / 2, top + height / 2);
    if (width && top >= 0 && top < innerHeight && at !== null && !link.contains(at) && !at.contains(link)) {
      problems.push(`something lies over the link ${link.textContent}: ${short(at)}`);
    }
  }
  return [...new Set(problems)].slice(0, 5);
}

/** What the page offers to copy: for bash, the name is one word of the command. For any shell, it runs nothing. */
async function readByShell(world, where, page, session, reference) {
  const commands = await page.locator(".terminal code").allTextContents();
  const own = commands.filter((line) => line.includes("./verdict "));
  // A shell's word can't hold it.
  if (session.includes("\u0000")) {
    return 0;
  }
  for (const command of own) {
    const words = wordsOf("bash", command);
    if (!words.includes(session) && !words.includes(reference)) {
      world.report.finding(where, `a command to copy doesn't name the session to bash: ${cut(command)}`);
    }
  }
  for (const command of commands) {
    // Which knows no $'…': the name may be another there, but it has to stay one word.
    if (wordsOf("sh", command).length !== wordsOf("bash", command).length) {
      world.report.finding(where, `sh reads other words than bash in a command to copy: ${cut(command)}`);
    }
  }
  return commands.length;
}

/** The words that a shell gives to a command; what else it runs writes among them, or fails. */
function wordsOf(shell, command) {
  try {
    return execFileSync(shell, ["-c", command.replace(/^(PORT=\d+ )?(\.\/verdict|curl)/, "printf '%s\\0'")], {
      encoding: "utf8", env: { LC_ALL: "C.UTF-8", PATH: process.env.PATH }, stdio: ["ignore", "pipe", "ignore"],
    }).split("\0");
  } catch {
    return [];
  }
}

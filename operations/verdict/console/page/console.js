// The console's page: what came in, what became of it, and what your service gets.
//
// The rules that hold here:
// - Text of strangers becomes text nodes, nothing else: all elements are made by `h` and `s`, which know the attributes
//   that they may set. Links lead to this page's own fragments only.
// - Nothing is loaded but this page's own three files and /api/. The token comes in the address's fragment, goes into
//   sessionStorage, and is sent as a header.
// - A view is a function that fills its element. It gets a signal that ends when another view is opened: requests,
//   timers and listeners end with it.
// - Nothing is written without a dry run, a reason and a confirmation.

// ---- Words ----

const OUTCOMES = ['approved', 'declined', 'review', 'resubmission_requested', 'expired', 'abandoned', 'failed'];
const STATUSES = ['new', 'started', 'submitted', 'in_review', 'awaiting_resubmission', 'decided'];

// The tone of a word: its colour. Each word has a shape of its own, too (GLYPHS), so that nothing depends on colour.
const TONES = {
  good: ['approved', 'passed'],
  bad: ['declined', 'refused', 'failed', 'error'],
  warn: ['review', 'in_review', 'spooled', 'quarantined', 'flagged'],
  ask: ['resubmission_requested', 'awaiting_resubmission'],
  calm: ['recorded', 'new', 'started', 'submitted'],
};
const TONE = Object.fromEntries(Object.entries(TONES).flatMap(([tone, words]) => words.map((word) => [word, tone])));
const toneOf = (word) => TONE[word] ?? 'quiet';

// What became of a webhook, and why one was refused: docs/operate.md has all of it.
const MEANING = {
  recorded: 'new facts are in the table',
  duplicate: 'all its facts were there already',
  ignored: 'genuine, with nothing to record',
  spooled: 'safe on the queue intake; replay records it when the table is back',
  quarantined: 'genuine, but it can\'t be read; kept for an operator',
  failed: 'genuine, but nothing could take it: the provider has to send it again',
  refused: 'not genuine: turned away, and nothing of it is stored',
  probe: 'sent only to see whether it gets through',
  method_not_allowed: 'not a POST',
  path_unknown: 'not a path of this provider',
  address_not_allowed: 'the sender\'s address isn\'t allowed',
  body_too_large: 'the body is above the provider\'s limit',
  signature_missing: 'no signature',
  signature_malformed: 'the signature hasn\'t the documented form',
  signature_mismatch: 'signed with another secret, or changed on the way',
  signature_repeated: 'several signatures that don\'t agree',
  api_key_unknown: 'signed, but the API key isn\'t on the list',
  envelope_unreadable: 'not one payload and its signature',
  url_token_missing: 'no token in the URL',
  url_token_mismatch: 'another token in the URL',
  url_token_repeated: 'several tokens in the URL',
  secret_header_missing: 'a configured header isn\'t there',
  secret_header_mismatch: 'a configured header has another value',
  secret_header_repeated: 'a configured header is there several times',
  edge_header_missing: 'it came past the edge',
  edge_header_mismatch: 'the edge\'s header has another value',
  edge_header_repeated: 'the edge\'s header is there several times',
  authorization_missing: 'no Authorization header',
  authorization_malformed: 'an Authorization header of another form',
  authorization_repeated: 'several Authorization headers',
  authorization_mismatch: 'another login, or a token that Verdict didn\'t sign',
  token_expired: 'the token\'s time is over',
  table: 'the table didn\'t take it in time',
  deadline: 'the time was up',
  conflict: 'many webhooks of one session at once',
  item: 'the session\'s item can\'t be read',
  secret: 'there are no credentials to prove it with',
  not_json: 'not one JSON document',
  empty: 'no body',
  not_an_object: 'JSON, but not an object',
  too_deep: 'nested too deeply',
  too_many_values: 'more values than Verdict reads',
  ambiguous: 'a member twice that matters',
  no_session_id: 'no session id',
  unusable_id: 'an id that can\'t be used',
  subscription_confirmation: 'a call about a subscription, to be confirmed by hand',
  unsubscribe_confirmation: 'a call about a subscription, to be confirmed by hand',
  undecided: 'nothing is decided yet',
  other_family: 'about something else',
};
const REFUSED_REBUILDS = {
  payloads_expired: 'payloads have expired',
  payloads_unreadable: 'payloads can\'t be read',
  decision_withdrawn: 'its decision would be withdrawn, which has to be asked for',
  session_not_found: 'it isn\'t known',
  no_events: 'it has no events',
};
const DAY = 86_400;

const spoken = (word) => String(word ?? 'none').replaceAll('_', ' ');
const capital = (word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
const counted = (count, thing) => `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`;

// ---- Elements ----

const SVG = 'http://www.w3.org/2000/svg';
const ATTRIBUTES = new Set(`class id type value for role tabindex disabled hidden name placeholder selected open
  autocomplete maxlength rows min max spellcheck datetime title scope required viewBox preserveAspectRatio width height
  x y cx cy r rx d points transform fill-opacity text-anchor`.split(/\s+/));

const isListed = (name) => ATTRIBUTES.has(name) || /^(aria|data)-[a-z]+$/.test(name);

/** Sets attributes that are on the list, and listeners, and appends children: elements, or texts as text nodes. */
function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') Object.entries(value).forEach(([type, listener]) => node.addEventListener(type, listener));
    else if (name === 'href' && String(value).startsWith('#')) node.setAttribute('href', value);
    else if (!isListed(name)) throw new Error(`the attribute ${name} isn't on the list`);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const h = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);
const div = (name, ...children) => h('div', { class: name }, ...children);
const span = (name, ...children) => h('span', { class: name }, ...children);
const $ = (id) => document.getElementById(id);
const button = (text, click, attributes = {}) => h('button', { type: 'button', ...attributes, on: { click } }, text);
const afterFrame = (work) => requestAnimationFrame(() => requestAnimationFrame(work));
const isCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Characters without a shape, and those that turn a line around, are shown by their number.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const numbered = (letter) => `U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

function written(text) {
  const parts = [];
  let from = 0;
  for (const { 0: letter, index } of text.matchAll(HIDDEN)) {
    parts.push(text.slice(from, index), span('hidden-letter', numbered(letter)));
    from = index + letter.length;
  }
  return [...parts, text.slice(from)].filter((part) => part !== '');
}

/** A stranger's text on one line, cut by the layout; for places that can't hold a button. */
function brief(value, limit = 300) {
  const text = String(value ?? '');
  return h('bdi', { class: 'brief' }, written(text.length > limit ? `${text.slice(0, limit)}…` : text));
}

/** A stranger's text with all that it has: if it is long, behind a button. */
function shown(value, limit = 300) {
  const text = String(value ?? ''), node = h('bdi', { class: 'said' });
  const show = (isWhole) => {
    const name = isWhole ? 'show less' : `show all ${text.length.toLocaleString('en')} characters`;
    const more = [isWhole ? '' : '… ', button(name, () => show(!isWhole), { class: 'more' })];
    node.replaceChildren(...written(isWhole ? text : text.slice(0, limit)), ...(text.length > limit ? more : []));
  };
  show(false);
  return node;
}

/** Text for a title or a label: short, on one line, with nothing that turns it around. */
const plain = (value, limit = 120) => String(value ?? '').slice(0, limit).replace(HIDDEN, numbered);

/** Has a list's rows follow its items: rows stay the elements that they are, unless what they show changes. */
function follow(list, items, keyOf, make, seen = JSON.stringify) {
  const rows = new Map([...list.children].map((row) => [row.rowKey, row]));
  const wanted = items.map((item) => {
    const key = keyOf(item), sight = seen(item), old = rows.get(key);
    if (old?.rowSight === sight) return old;
    const row = Object.assign(make(item), { rowKey: key, rowSight: sight });
    if (old?.querySelector('details')?.open) row.querySelector('details').open = true;
    return row;
  });
  [...list.children].filter((row) => !wanted.includes(row)).forEach((row) => row.remove());
  for (const [index, row] of wanted.entries()) {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  }
}

// ---- Times ----

let isUtc = localStorage.getItem('verdict.zone') === 'utc';
const FORMATS = new Map();

function formatted(date, options) {
  const key = JSON.stringify([options, isUtc]);
  if (!FORMATS.has(key)) {
    const zone = isUtc ? { timeZone: 'UTC' } : {};
    FORMATS.set(key, new Intl.DateTimeFormat('en-GB', { ...options, ...zone, hourCycle: 'h23' }));
  }
  return FORMATS.get(key).format(date);
}
const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
const MINUTE = { hour: '2-digit', minute: '2-digit' };
const DATE = { day: 'numeric', month: 'short' };
const isDated = (text) => Boolean(text) && !text.startsWith('0001-');

/** A time, with its date unless that is today; the exact time is its title. */
function when(text, isShort = false) {
  if (!isDated(text)) return span('time', 'undated');
  const date = new Date(text), now = new Date();
  const isToday = formatted(date, DATE) === formatted(now, DATE) && now - date < DAY * 1000;
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' };
  const clock = formatted(date, CLOCK);
  return h('time', { class: 'time', datetime: text, title: text },
    isToday || isShort ? clock : `${formatted(date, { ...DATE, ...year })}, ${clock}`);
}

const UNITS = [[DAY, 'days', 2 * DAY], [3600, 'h', 5400], [60, 'min', 90], [1, 's', 1], [0.001, 'ms', 0]];

/** A length of time in the unit that suits it. */
function lasting(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds === 0) return '0 s';
  const [unit, name] = UNITS.find(([, , from]) => Math.abs(seconds) >= from);
  return `${Math.round(seconds / unit)} ${name}`;
}
const aged = (seconds, none) => (seconds === 0 ? none : lasting(seconds));
const secondsBetween = (from, to) => (new Date(to) - new Date(from)) / 1000;
const ago = (text) => (isDated(text) ? lasting(Math.max(secondsBetween(text, Date.now()), 1)) : 'unknown');

/** A time as a text that sorts as the time does: providers give as many digits of the second as they like. */
const sortable = (text) => text && text.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${digits.padEnd(9, '0')}Z`);

// ---- Shapes ----

// Each word's shape in a square of 16: what is filled, what is cut out of that, and what is only a line.
const DISC = 'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13';
const RING = 'M8 2.3a5.7 5.7 0 1 1 0 11.4a5.7 5.7 0 1 1 0-11.4';
const SMALL = 'M8 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7';
const GLYPHS = {
  approved: { fill: DISC, cut: 'M5 8.3 7.2 10.5 11 6' },
  passed: { line: 'M3.2 8.6 6.6 12 13 4.6' },
  declined: { fill: 'M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z', cut: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8' },
  review: { line: RING, fill: 'M8 2.3a5.7 5.7 0 0 1 0 11.4z' },
  resubmission_requested: { line: 'M12.9 10.2A5.5 5.5 0 1 1 12.2 4.4M13 1.6v3.5H9.5' },
  expired: { line: `${RING}M8 5v3.3l2.2 1.4` },
  abandoned: { line: 'M3 3h10v10H3zM5.8 8h4.4' },
  failed: { line: 'M8 2 14.6 13.6H1.4zM8 6.4v3.4M8 11.6v.4' },
  new: { line: SMALL },
  started: { line: SMALL, fill: 'M8 4.5a3.5 3.5 0 0 1 0 7z' },
  submitted: { fill: SMALL },
  recorded: { fill: SMALL },
  duplicate: { line: 'M6.2 4.2a3.8 3.8 0 1 1 0 7.6a3.8 3.8 0 1 1 0-7.6M10.6 4.5a3.8 3.8 0 0 1 0 7' },
  ignored: { line: 'M3.5 8h9' },
  spooled: { line: 'M8 2v6.5M5 5.8 8 8.8 11 5.8M2.5 10v3.5h11V10' },
  quarantined: { line: 'M2.8 2.8h10.4v10.4H2.8zM6.2 2.8v10.4M9.8 2.8v10.4' },
  refused: { line: `${RING}M4 4l8 8` },
  probe: { line: 'M8 5.8a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 1 1 0-4.4M2.4 8h.1M13.5 8h.1M8 2.4v.1M8 13.5v.1' },
  flagged: { line: 'M4 14.5V2.2', fill: 'M4 2.2h8.6l-2 3.2 2 3.2H4z' },
  pending: { line: 'M3.5 8h.1M8 8h.1M12.4 8h.1' },
  captured: { line: 'M3.5 4.5h9v7h-9z' },
  cancelled: { line: 'M3.5 12.5l9-9' },
};
const ALIKE = { in_review: 'review', awaiting_resubmission: 'resubmission_requested', error: 'failed' };

function shape(word) {
  const { fill, cut, line } = GLYPHS[ALIKE[word] ?? word] ?? { line: SMALL };
  return [fill && s('path', { class: 'glyph-fill', d: fill }), cut && s('path', { class: 'glyph-cut', d: cut }),
    line && s('path', { class: 'glyph-line', d: line })];
}
function glyph(word) {
  const attributes = { class: `glyph tone-${toneOf(word)}`, viewBox: '0 0 16 16', width: 16, height: 16 };
  return s('svg', { ...attributes, 'aria-hidden': 'true' }, shape(word));
}
const badge = (word, more) => h('span', { class: `badge tone-${toneOf(word)}` }, glyph(word), spoken(word), more);

// ---- The API ----

class ApiProblem extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}
const LOST = {
  no_token: {
    title: 'This page has no token',
    advice: 'Open the address that `./verdict console` or `make run` printed: it ends in #token=… and holds as '
      + 'long as that server runs.',
  },
  wrong_token: {
    title: 'This page’s token isn’t the server’s',
    advice: 'The server was started again. Open the address that it printed this time.',
  },
  no_answer: {
    title: 'The console’s server doesn’t answer',
    advice: 'Start it again with `./verdict console` (or `make run` for the local stack), and open the address that it '
      + 'prints.',
  },
};
const lostProblem = (status, code) => new ApiProblem(status, code, `${LOST[code].title}. ${LOST[code].advice}`);

async function ask(path, { signal, body } = {}) {
  const token = sessionStorage.getItem('verdict.token');
  if (!token) throw lostProblem(0, 'no_token');
  const headers = { 'x-verdict-token': token, ...(body ? { 'content-type': 'application/json' } : {}) };
  const method = body ? 'POST' : 'GET';
  const options = { method, headers, signal, cache: 'no-store', body: body && JSON.stringify(body) };
  const answer = await fetch(`/api/${path}`, options).catch((error) => {
    throw signal?.aborted ? error : lostProblem(0, 'no_answer');
  });
  const content = await answer.json().catch(() => null);
  if (answer.ok && content) return content;
  if (signal?.aborted) throw new DOMException('The view was left', 'AbortError');
  if (answer.status === 403 && !content) throw lostProblem(403, 'wrong_token');
  const message = content?.error?.message ?? content?.message ?? 'the server gave no reason';
  throw new ApiProblem(answer.status, content?.error?.code ?? 'failed', message);
}
const isGiven = (value) => value !== null && value !== undefined && value !== '' && value !== false;
const query = (parameters) => new URLSearchParams(Object.entries(parameters).filter(([, value]) => isGiven(value)));
const sessionPart = (key, parameters, signal) => ask(`session?${query({ session: key, ...parameters })}`, { signal });

/** All of a list, page by page, up to a bound. */
async function allPages(get, member, limit = 500) {
  const items = [];
  let next = null, first = null;
  do {
    const page = await get(next);
    first ??= page;
    items.push(...page[member]);
    next = page.next;
  } while (next && items.length < limit);
  return { ...first, [member]: items, next };
}

// Polls that failed when they last ran.
const failing = new Set();

/** Repeats work every so many seconds: never twice at once, not in a hidden tab, more seldom while it fails. */
function poll(signal, seconds, work) {
  let timer = null, pause = seconds, isBusy = false;
  const turn = async () => {
    clearTimeout(timer);
    if (signal.aborted || document.hidden || isBusy) return;
    isBusy = true;
    try {
      await work();
      pause = seconds;
      failing.delete(turn);
      if (!failing.size) pulse('well');
    } catch (error) {
      if (signal.aborted) return;
      pause = Math.min(Math.max(pause, 1) * 2, 60);
      failing.add(turn);
      trouble(error, pause);
    } finally {
      isBusy = false;
    }
    timer = setTimeout(turn, pause * 1000);
  };
  document.addEventListener('visibilitychange', turn, { signal });
  signal.addEventListener('abort', () => { clearTimeout(timer); failing.delete(turn); });
  turn();
  return turn;
}

function pulse(state, text = state === 'well' ? 'connected' : '') {
  if ($('pulse').dataset.state === state && $('pulse').textContent === text) return;
  Object.assign($('pulse').dataset, { state });
  $('pulse').textContent = text;
  if (state === 'well') say('');
}
const say = (text) => { if ($('notice').textContent !== text) $('notice').textContent = text; };

/** What is told of a failure that isn't one panel's own. */
function trouble(error, pause) {
  if (error.code === 'no_token' || error.code === 'wrong_token') return lost(error.code);
  pulse('ill', error.code === 'no_answer' ? 'no answer' : 'trouble');
  say(`${sentence(error)}${pause ? ` Trying again in ${lasting(pause)}.` : ''}`);
}
function sentence(error) {
  if (!(error instanceof ApiProblem)) return 'This page made a mistake: its log has it.';
  return `${error.message.replaceAll('`', '').replace(/[.\s]*$/, '')}.`;
}

/** The whole page, if nothing can be shown without another address. */
function lost(code) {
  view?.abort();
  say('');
  pulse('ill', 'no access');
  const { title, advice } = LOST[code];
  $('main').replaceChildren(h('section', { class: 'lonely' }, h('h1', {}, title), h('p', {}, inCode(advice))));
}
const inCode = (text) => text.split('`').map((part, index) => (index % 2 ? h('code', {}, part) : part));

/** A panel's own failure, where its content would be. */
function failure(error, again) {
  if (error.name === 'AbortError') return '';
  if (!(error instanceof ApiProblem)) console.error(error);
  if (error.code === 'no_token' || error.code === 'wrong_token') lost(error.code);
  const retry = again && button('Try again', again, { class: 'more' });
  return h('p', { class: 'failure', role: 'alert' }, sentence(error), ' ', retry);
}
/** A panel's one line, in place of content that isn't there (yet). */
const nothing = (...words) => h('p', { class: 'nothing', role: 'status' }, ...words);

// ---- From a terminal ----

let stack = { name: 'verdict', region: '', apiUrl: '', isLocal: false, port: null, providers: [], laboratory: false };

/**
 * A value as one word of a shell. What isn't seen is written by its number within $'…', which bash and zsh know. To
 * other shells that is a $ and a quoted text. There is no quote within, so that it ends where it does in bash.
 */
function quoted(value) {
  const text = String(value);
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text)) return text;
  if (text.search(HIDDEN) < 0) return `'${text.replaceAll('\'', '\'\\\'\'')}'`;
  const byNumber = (letter) => `\\U${letter.codePointAt(0).toString(16).padStart(8, '0')}`;
  const safe = text.replaceAll('\\', '\\\\').replaceAll('\'', '\\x27').replaceAll('!', '\\x21');
  return `$'${safe.replace(HIDDEN, byNumber)}'`;
}

function command(...words) {
  const port = stack.isLocal && stack.port && stack.port !== 4566 ? `PORT=${stack.port} ` : '';
  const where = [stack.isLocal && '--local', stack.name !== 'verdict' && ['--stack-name', stack.name]];
  return `${port}./verdict ${[...words, ...where.flat().filter(Boolean)].map(quoted).join(' ')}`;
}

/** A request to the sessions API, signed. */
function curl(parameters, path = 'sessions') {
  const user = stack.isLocal ? 'test:test'
    : '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN"';
  const base = `${stack.apiUrl.replace(/\/+$/, '')}/${path}`;
  const url = quoted(`${base}?${String(query(parameters)).replaceAll('+', '%20')}`);
  return `curl --aws-sigv4 "aws:amz:${stack.region}:execute-api" --user ${user} ${url}`;
}

/** A request to the console's server; the token is what follows #token= in the address that it printed. */
function ownCurl(path, body) {
  const posted = body ? `-H 'content-type: application/json' -d ${quoted(JSON.stringify(body))} ` : '';
  return `curl -H "x-verdict-token: $TOKEN" ${posted}${quoted(`${location.origin}/api/${path}`)}`;
}

/** A line with a word beside it on what it does. */
const noted = (note, line) => ({ note, line });
const dry = (line) => noted('dry run', line);

/** The lines that do the same from a terminal, each to copy. */
function terminal(...lines) {
  const each = lines.map((line) => (typeof line === 'string' ? noted(null, line) : line));
  const token = each.some(({ line }) => line.includes('$TOKEN'))
    && h('p', { class: 'hint' }, '$TOKEN: what follows #token= in the terminal’s line “Console:”.');
  return h('div', { class: 'terminal', role: 'group', 'aria-label': 'From a terminal' }, each.map(({ note, line }) => {
    const copy = button('Copy', async () => {
      const isCopied = await navigator.clipboard.writeText(line).then(() => true, () => false);
      if (!isCopied) getSelection().selectAllChildren(code);
      copy.textContent = isCopied ? 'Copied' : 'Selected';
      await later(1600);
      copy.textContent = 'Copy';
    }, { class: 'copy', 'aria-label': `Copy: ${plain(line, 60)}` });
    const code = h('code', { title: plain(line, 1000) }, line);
    return div('terminal-line', code, note && span('terminal-note', note), copy);
  }), token);
}

/** The lines for what a form holds, kept up to date. */
function terminalOf(fields, lines) {
  const place = h('div', {});
  const write = () => place.replaceChildren(terminal(...lines()));
  fields.forEach((field) => ['input', 'change'].forEach((type) => field.addEventListener(type, write)));
  write();
  return place;
}

// ---- A session's life ----

const DECISIONS_BY_CAUTION = ['approved', 'abandoned', 'expired', 'failed', 'declined', 'resubmission_requested',
  'review'];
const CHECKS_BY_CAUTION = ['captured', 'passed', 'pending', 'cancelled', 'error', 'flagged', 'failed'];
const isFinal = (outcome) => Boolean(outcome) && outcome !== 'review' && outcome !== 'resubmission_requested';
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Compares as tuples are compared. */
function inOrder(a, b) {
  for (const [place, value] of a.entries()) if (compare(value, b[place])) return compare(value, b[place]);
  return 0;
}
const timesOf = (event) => [sortable(event.effectiveAt), sortable(event.emittedAt) ?? ''];
function decisionOrder(event) {
  const { outcome } = event.decision;
  return [...timesOf(event), isFinal(outcome) ? 1 : 0, DECISIONS_BY_CAUTION.indexOf(outcome), event.eventId];
}
function checkOrder(event, outcome) {
  const hasResult = outcome === 'captured' ? 0 : 1;
  return [hasResult, ...timesOf(event), CHECKS_BY_CAUTION.indexOf(outcome), event.eventId];
}

/**
 * A session's events by arrival, each with whether it came late, whether it changed the record, and the outcome that
 * stood after it: as the record's own rules have it (docs/architecture.md, "How events become a record").
 */
function lifeOf(record, events) {
  const byArrival = ({ receivedAt, eventId }) => [sortable(receivedAt), eventId];
  const state = { decision: null, checks: new Map(), subject: new Map(), stages: new Map() };
  const steps = [...events].sort((a, b) => inOrder(byArrival(a), byArrival(b))).map((event) => {
    const isLate = isOvertaken(state, event);
    return { event, isLate, hasChanged: apply(state, event), outcome: state.decision?.decision.outcome ?? null };
  });
  // If the marks can't be trusted, since events are missing or the record says otherwise, there are none.
  const agrees = (record.decision?.outcome ?? null) === (state.decision?.decision.outcome ?? null);
  if (agrees && events.length >= record.events) return { steps, standing: state.decision?.eventId ?? null };
  return { steps: steps.map((step) => ({ ...step, isLate: false, hasChanged: true })), standing: null };
}

/** Returns whether something later has arrived before it: a decision, the same check, or a stage that was further. */
function isOvertaken(state, event) {
  if (event.decision) {
    return state.decision !== null && inOrder(decisionOrder(state.decision), decisionOrder(event)) > 0;
  }
  if (event.stage) {
    const isDecided = isFinal(state.decision?.decision.outcome) && state.decision.attemptId === event.attemptId;
    return isDecided || (state.stages.get(event.attemptId) ?? -1) > STATUSES.indexOf(event.stage);
  }
  return Object.entries(event.checks).some(([name, { outcome }]) => {
    const kept = state.checks.get(name);
    return kept !== undefined && inOrder(kept.order, checkOrder(event, outcome)) > 0;
  });
}

/** Applies an event to what is shown of a record, and returns whether that changed. */
function apply(state, event) {
  let hasChanged = false;
  if (event.decision && (!state.decision || inOrder(decisionOrder(state.decision), decisionOrder(event)) < 0)) {
    state.decision = event;
    hasChanged = true;
  }
  for (const [name, check] of Object.entries(event.checks)) {
    const kept = state.checks.get(name), order = checkOrder(event, check.outcome);
    if (kept && inOrder(kept.order, order) > 0) continue;
    hasChanged ||= JSON.stringify(kept?.check) !== JSON.stringify(check);
    state.checks.set(name, { check, order });
  }
  for (const [name, value] of Object.entries(event.subject)) {
    const kept = state.subject.get(name), order = [...timesOf(event), event.eventId];
    if (value === null || (kept && inOrder(kept.order, order) > 0)) continue;
    hasChanged ||= kept?.value !== value;
    state.subject.set(name, { value, order });
  }
  const stage = STATUSES.indexOf(event.stage), before = state.stages.get(event.attemptId) ?? -1;
  if (stage > before) {
    state.stages.set(event.attemptId, stage);
    const decided = state.decision;
    hasChanged ||= !decided || (!isFinal(decided.decision.outcome) && decided.attemptId !== event.attemptId);
  }
  return hasChanged;
}

// ---- The picture of it ----

// As many events as are drawn: the latest.
const DRAWN = 32;

/** Draws a life: above, what happened, by attempt and time; below, how it arrived, and what stood after that. */
function picture(life) {
  const place = div('picture');
  const draw = () => place.replaceChildren(drawn(life, Math.max(place.clientWidth, 280)));
  let width = 0;
  new ResizeObserver(() => {
    if (Math.abs(place.clientWidth - width) > 4) { width = place.clientWidth; draw(); }
  }).observe(place);
  place.append(drawn(life, 420));
  const part = life.steps.length > DRAWN && `The latest ${DRAWN} of ${counted(life.steps.length, 'event')}. `;
  const words = 'Above, as it happened; below, as it arrived, and what stood from then on.';
  const caption = h('figcaption', {}, part, words);
  return h('figure', { class: 'life-figure' }, place, caption);
}

function laneOf(event) {
  if (event.stage === null && event.decision === null) return Object.keys(event.checks).length ? 'checks' : 'other';
  return `attempt ${event.attemptId ?? ''}`;
}
const isAttempt = (lane) => lane.startsWith('attempt');
const isProgress = ({ stage, decision }) => stage !== null && decision === null;

/**
 * The steps in the order in which they happened. Progress without a time of the provider's counts from its arrival. If
 * that is after all decisions of the attempt, it goes before them: a person isn't decided on before that.
 */
function asHappened(steps) {
  const decided = Map.groupBy(steps.filter(({ event }) => event.decision), ({ event }) => event.attemptId);
  const timeOf = (event) => {
    const at = sortable(event.effectiveAt);
    const times = (decided.get(event.attemptId) ?? []).map((step) => sortable(step.event.effectiveAt)).sort();
    return isProgress(event) && !event.occurredAt && at > times.at(-1) ? times[0] : at;
  };
  const placeOf = (event) => (isProgress(event) ? STATUSES.indexOf(event.stage) : STATUSES.length);
  const orderOf = ({ event }) => [timeOf(event), placeOf(event), sortable(event.receivedAt)];
  return [...steps].sort((a, b) => inOrder(orderOf(a), orderOf(b)));
}

function drawn(life, width) {
  const steps = life.steps.slice(-DRAWN), happened = asHappened(steps);
  const lanes = [...new Set(happened.map(({ event }) => laneOf(event)))];
  lanes.sort((a, b) => compare(!isAttempt(a), !isAttempt(b)));
  const left = width < 420 ? 60 : 76, end = width - 10, top = 30, gap = 40;
  const rail = top + lanes.length * gap + 34, height = rail + 34;
  const pitch = (end - left) / Math.max(steps.length, 1);
  const at = (index) => left + (index + 0.5) * pitch;
  const yOf = (event) => top + lanes.indexOf(laneOf(event)) * gap;
  const places = new Map(happened.map(({ event }, index) => [event.eventId, { x: at(index), y: yOf(event) }]));
  const sizes = { viewBox: `0 0 ${width} ${height}`, width, height };
  return s('svg', { class: 'life', ...sizes, role: 'img', 'aria-label': inWords(life) },
    lanes.map((lane) => laneLine(lane, laneName(lane, lanes), happened, places)),
    s('text', { class: 'lane-name', x: 0, y: rail + 4 }, 'arrived'),
    steps.map((step, index) => ribbon(step, at(index), index + 1 < steps.length ? at(index + 1) : end, rail)),
    steps.map((step, index) => link(step, places.get(step.event.eventId), at(index), rail)),
    steps.map((step, index) => arrival(step, steps[index - 1], at(index), rail, pitch)),
    happened.map((step) => station(step, places.get(step.event.eventId), { pitch, width, standing: life.standing })));
}

function laneName(lane, lanes) {
  if (!isAttempt(lane)) return lane;
  const attempts = lanes.filter(isAttempt);
  return attempts.length > 1 ? `attempt ${attempts.indexOf(lane) + 1}` : 'happened';
}

function laneLine(lane, name, happened, places) {
  const points = happened.filter(({ event }) => laneOf(event) === lane).map(({ event }) => places.get(event.eventId));
  return [
    s('text', { class: 'lane-name', x: 0, y: points[0].y + 4 }, name),
    s('path', { class: 'lane', d: `M${points[0].x} ${points[0].y}H${points.at(-1).x}` }),
  ];
}

const ribbon = ({ outcome }, x, to, y) =>
  s('path', { class: `ribbon tone-${outcome ? toneOf(outcome) : 'none'}`, d: `M${x} ${y}H${to}` });

const idle = (step) => (step.hasChanged ? '' : ' is-idle');

function link(step, { x, y }, to, rail) {
  const middle = (y + rail) / 2 + 12;
  const d = `M${x} ${y + 9}C${x} ${middle} ${to} ${middle} ${to} ${rail - 5}`;
  return s('path', { class: `link${idle(step)}`, d });
}

function arrival(step, before, x, y, pitch) {
  const pause = before && pitch > 50 && `+${lasting(secondsBetween(before.event.receivedAt, step.event.receivedAt))}`;
  return [
    s('circle', { class: `arrival${idle(step)}`, cx: x, cy: y, r: 4 }),
    pause && s('text', { class: 'pause', x, y: y + 22, 'text-anchor': 'middle' }, pause),
  ];
}

function station(step, { x, y }, { pitch, width, standing }) {
  const { event } = step, isStanding = event.eventId === standing;
  const size = Math.min(event.decision ? 20 : 16, Math.max(pitch, 8));
  const word = wordOf(event), name = stationName(event, word), half = name.length * 3.2;
  const isNamed = isStanding || pitch > half * 2 + 4;
  return s('g', { class: `station tone-${toneOf(word)}${idle(step)}`, 'data-event': event.eventId },
    s('title', {}, plain(`${event.name}: ${spoken(word)}`)),
    isStanding && s('circle', { class: 'halo', cx: x, cy: y, r: size * 0.75 }),
    s('circle', { class: 'ground', cx: x, cy: y, r: size / 2 - 1 }),
    s('g', { transform: `translate(${x - size / 2} ${y - size / 2}) scale(${size / 16})` }, shape(word)),
    isNamed && stationLabel(name, Math.min(x, width - half), y - 17));
}

const stationLabel = (name, x, y) => s('text', { class: 'station-name', x, y, 'text-anchor': 'middle' }, name);

function stationName(event, word) {
  const isOfChecks = event.decision === null && event.stage === null && Object.keys(event.checks).length > 0;
  if (isOfChecks) return plain(Object.keys(event.checks)[0].split(':')[0], 24);
  return word === 'resubmission_requested' ? 'resubmission' : spoken(word);
}

/** The word that an event is shown by: its decision, its stage, or the most cautious of its checks. */
const wordOf = (event) => event.decision?.outcome ?? event.stage ?? worst(event.checks) ?? 'recorded';
const worst = (checks) => CHECKS_BY_CAUTION.findLast((outcome) =>
  Object.values(checks).some((check) => check.outcome === outcome));

function inWords({ steps }) {
  const decisions = steps.filter(({ event }) => event.decision).map(({ event }) => spoken(event.decision.outcome));
  const idle = steps.filter((step) => step.isLate && !step.hasChanged).length, standing = steps.at(-1)?.outcome;
  return [
    `${counted(steps.length, 'event')}.`,
    decisions.length ? `Decisions by arrival: ${decisions.join(', ')}.` : 'No decision.',
    standing ? `What stands: ${spoken(standing)}.` : '',
    idle ? `${counted(idle, 'late event')} changed nothing.` : '',
  ].join(' ').trim();
}

// ---- Parts of a session ----

const keyOf = (record) => `${record.provider}/${record.sessionId}`;
function addressOf(key) {
  const slash = key.indexOf('/');
  return `#/session/${encodeURIComponent(key.slice(0, slash))}/${encodeURIComponent(key.slice(slash + 1))}`;
}
const sessionLink = (key) => h('a', { class: 'session-link', href: addressOf(key), title: plain(key) }, brief(key));

/** Reads a session: its record, its events and what was told of it. */
async function readSession(key, signal) {
  const [record, events, told] = await Promise.all([
    sessionPart(key, {}, signal),
    allPages((next) => sessionPart(key, { part: 'events', next }, signal), 'events'),
    allPages((next) => sessionPart(key, { part: 'notifications', next }, signal), 'notifications'),
  ]);
  return { key, record, told, life: lifeOf(record, events.events), isCut: Boolean(events.next) };
}

/** The events of a session in one column, by arrival; each opens to its details. */
function eventList() {
  const list = h('ol', { class: 'events rows', 'data-list': 'events', 'aria-label': 'Events by arrival' });
  const update = ({ key, life }, signal) => {
    const rows = life.steps.map((step) => ({ ...step, isStanding: step.event.eventId === life.standing }));
    follow(list, rows, ({ event }) => event.eventId, (row) => h('li', {}, eventRow(key, row, signal)));
  };
  // The event that is pointed at is marked in the picture.
  const point = ({ target }) => {
    const id = target.closest('[data-event]')?.dataset.event;
    for (const { classList, dataset } of document.querySelectorAll('.station')) {
      classList.toggle('is-pointed', dataset.event === id);
    }
  };
  ['pointerover', 'focusin', 'pointerleave'].forEach((type) => list.addEventListener(type, point));
  return { list, update };
}

function eventRow(key, step, signal) {
  const { event } = step, word = wordOf(event);
  const summary = [
    glyph(word),
    span('event-what',
      span('event-title', h('b', {}, spoken(word)), brief(event.name, 80)),
      span('event-marks', marksOf(step))),
    span('event-times', when(event.receivedAt), span('counts-from', happenedWhen(event))),
  ];
  const attributes = { class: `event${idle(step)}`, 'data-event': event.eventId };
  return opened(attributes, summary, () => eventDetails(key, event, signal));
}

/** What is to know of an event at a glance. */
function marksOf({ event, isStanding, isLate, hasChanged }) {
  const checks = Object.entries(event.checks), codes = event.decision?.reasonCodes ?? [];
  const few = checks.slice(0, 3).map(([name, { outcome }]) => span('fact', brief(name, 40), ` ${spoken(outcome)}`));
  return [
    isStanding && span('mark-standing', 'stands'),
    isLate && span('mark-late', 'late'),
    !hasChanged && span('mark-idle', 'changed nothing'),
    codes.length > 0 && span('fact', 'reason ', brief(codes.join(', '), 80)),
    few,
    checks.length > few.length && span('fact', `and ${checks.length - few.length} more`),
    event.remark && span('fact', spoken(event.remark)),
  ];
}

/** When it happened, seen from its arrival. */
function happenedWhen({ undated, occurredAt, effectiveAt, receivedAt }) {
  const earlier = secondsBetween(effectiveAt, receivedAt);
  if (undated) return 'undated';
  if (!occurredAt) return 'counts from then';
  return Math.abs(earlier) < 1 ? 'happened then'
    : `happened ${lasting(Math.abs(earlier))} ${earlier < 0 ? 'later' : 'earlier'}`;
}

/** A row that opens; what it holds is made when it does. */
function opened(attributes, summary, content) {
  const body = div('opened');
  const toggle = () => { if (node.open && !body.hasChildNodes()) filled(body, null, [content()]); };
  const node = h('details', { ...attributes, on: { toggle } }, h('summary', {}, summary), body);
  return node;
}

function eventDetails(key, event, signal) {
  const { evidence, subject, decision } = event, place = div('payload');
  const show = button('Show the minimised payload', async () => {
    show.disabled = true;
    place.replaceChildren(...await payloadOf(key, event, signal).catch((error) => [payloadFailure(error)]));
    show.remove();
  }, { class: 'plain' });
  const entries = [
    ['arrived', when(event.receivedAt)],
    ['counts from', event.undated ? 'before everything that has a time' : when(event.effectiveAt)],
    ['attempt', textOf(event.attemptId)],
    ['reason', textOf(decision?.reason)],
    ['detail', pairs({ ...decision?.detail, ...event.detail })],
    ['reference', textOf(subject.reference)],
    ['remarks', textOf(event.remarks.join(', '))],
    ['event id', textOf(event.eventId)],
    ['proved by', evidence && proofs(evidence)],
    ['body’s SHA-256', textOf(evidence?.bodySha256)],
    ['signature', textOf(evidence?.signature)],
  ];
  const question = curl({ session: key, event: event.eventId }, 'sessions/payload');
  const lines = [command('payload', key, event.eventId), question];
  return [facts(entries), checksTable(event.checks), show, place, terminal(...lines)];
}

function proofs({ credentials }) {
  if (!credentials.length) return 'nothing vouches for it but the hash';
  return credentials.map(({ member, position, of }) => span('pair', shown(member), ` ${position} of ${of}`));
}

async function payloadOf(key, event, signal) {
  const { source, expiresAt, payload } = await sessionPart(key, { part: 'payload', event: event.eventId }, signal);
  const left = isDated(expiresAt) && `, in ${lasting(secondsBetween(new Date(), expiresAt))}`;
  const end = ['It expires ', when(expiresAt), left, '. This look is in the log.'];
  return [h('p', { class: 'aside' }, 'Came to ', brief(source), ', minimised. ', end), json(payload)];
}

function payloadFailure(error) {
  if (error.status !== 410) return failure(error);
  return nothing('The payload has expired: its retention is over. The event stays, with its evidence.');
}

/** Names and values; those without a value are left out. */
const facts = (entries) => h('dl', { class: 'facts' }, entries.filter(([, value]) => isGiven(value))
  .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
const textOf = (value) => (isGiven(value) ? shown(value) : null);

function pairs(values) {
  const entries = Object.entries(values ?? {});
  return entries.length ? entries.map(([name, value]) => span('pair', shown(name, 64), ' ', shown(value))) : null;
}

/** Checks, the latest first; nothing if there are none. */
function checksTable(checks) {
  const rows = Object.entries(checks).sort(([, a], [, b]) => -compare(sortable(a.at) ?? '', sortable(b.at) ?? ''));
  if (!rows.length) return null;
  const cells = rows.map(([name, { outcome, reasonCodes, detail, reason, at }]) =>
    [shown(name, 80), badge(outcome), codeList(reasonCodes), [pairs(detail), textOf(reason)], at && when(at)]);
  return table(['check', 'outcome', 'codes', 'detail', 'at'], cells, 'checks');
}

/** Codes in a narrow place: a line ends after a comma. */
const codeList = (codes) => codes.map((code, index) => [index > 0 && ', ', span('code-word', shown(code))]);

function table(heads, rows, name) {
  return h('div', { class: 'table', tabindex: 0, role: 'group', 'aria-label': name }, h('table', {},
    h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, head)))),
    h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell) => h('td', {}, cell)))))));
}

/** JSON as it is, in text nodes. */
function json(value) {
  return h('pre', { class: 'json', tabindex: 0 }, jsonLines(value, null, 0, ''));
}

function jsonLines(item, key, depth, comma) {
  const line = (level, ...parts) => ['  '.repeat(level), parts, '\n'];
  const name = key === null ? '' : [span('json-name', shown(JSON.stringify(key), 120)), ': '];
  const entries = item !== null && typeof item === 'object' ? Object.entries(item) : [];
  if (!entries.length) {
    const kind = item === null ? 'null' : typeof item;
    return line(depth, name, span(`json-${kind}`, shown(JSON.stringify(item))), comma);
  }
  const isList = Array.isArray(item), last = entries.length - 1;
  return [
    line(depth, name, isList ? '[' : '{'),
    entries.map(([member, part], index) => jsonLines(part, isList ? null : member, depth + 1, index < last ? ',' : '')),
    line(depth, isList ? ']' : '}', comma),
  ];
}

/** What your service gets, the latest first; each opens to its CloudEvent. */
function messageList() {
  const list = h('ol', { class: 'messages rows', 'data-list': 'messages', 'aria-label': 'Messages, the latest first' });
  const waiting = h('div', { class: 'waiting', role: 'status' });
  const update = ({ record, told }, isFirstOpen) => {
    const missing = waitingMessages(record, told), isNew = !list.hasChildNodes();
    waiting.textContent = missing ? `${counted(missing, 'message')} in the outbox: not yet taken by SQS` : '';
    const rows = told.notifications.toReversed();
    follow(list, rows, ({ sequence }) => sequence, (row) => h('li', {}, messageRow(row)), ({ toldAt }) => toldAt);
    const newest = list.querySelector('details');
    if (isFirstOpen && isNew && newest) newest.open = true;
  };
  return { list, waiting, update };
}

/** The number of messages that SQS hasn't taken yet. */
function waitingMessages(record, told) {
  return told.next ? 0 : Math.max(record.notifications - (told.notifications.at(-1)?.sequence ?? 0), 0);
}

function messageRow({ sequence, toldAt, messageId, message }) {
  const { data } = message, codes = data.reasonCodes ?? [];
  const isOther = data.previousOutcome && data.previousOutcome !== data.outcome;
  const summary = [
    glyph(data.outcome ?? 'cancelled'),
    span('event-what',
      span('event-title', h('b', {}, whatIsTold(message)), data.correction && span('mark-late', 'correction')),
      span('event-marks', span('fact', `#${sequence}`),
        isOther && span('fact', `before: ${spoken(data.previousOutcome)}`),
        codes.length > 0 && span('fact', 'reason ', brief(codes.join(', '), 80)))),
    span('event-times', when(toldAt), span('counts-from', 'SQS took it')),
  ];
  const content = () => [h('p', { class: 'aside' }, 'SQS’s id ', shown(messageId)), json(message)];
  return opened({ class: 'message' }, summary, content);
}

function whatIsTold({ type, data }) {
  if (type === 'verdict.decision_withdrawn.v1') return 'decision withdrawn';
  const changes = (data.changes ?? []).map(({ check, outcome }, index) =>
    [index > 0 && ', ', brief(check, 40), ` ${outcome === null ? 'gone' : spoken(outcome)}`]);
  return changes.length ? [spoken(data.outcome), span('soft', ' still; ', changes)] : spoken(data.outcome);
}

// ---- Lists of sessions ----

/** A list of sessions that reads its pages as one scrolls: `get` answers with a page. */
function sessionList(signal, get) {
  const list = h('ol', { class: 'sessions rows', 'data-list': 'sessions', 'aria-label': 'Sessions' });
  const foot = h('div', { class: 'list-foot', role: 'status' }, nothing('Reading …'));
  let next = null, isBusy = false, count = 0;
  const more = async () => {
    if (isBusy || signal.aborted) return;
    isBusy = true;
    try {
      const page = await get(next);
      // Away while the rows come in above it: what is moved jumps, what appears doesn't.
      foot.hidden = true;
      list.append(...page.sessions.map((record) => h('li', {}, sessionRow(record))));
      [next, count] = [page.next, count + page.sessions.length];
      const end = nothing(count ? `${counted(count, 'session')}, that's all.` : 'No session matches.');
      foot.replaceChildren(next ? button('Show more', more, { class: 'plain' }) : end);
      requestAnimationFrame(() => requestAnimationFrame(() => { foot.hidden = false; }));
    } catch (error) {
      foot.replaceChildren(failure(error, more));
    } finally {
      isBusy = false;
    }
  };
  const seen = ([entry]) => { if (entry.isIntersecting && next && count) more(); };
  const watcher = new IntersectionObserver(seen, { rootMargin: '300px' });
  watcher.observe(foot);
  signal.addEventListener('abort', () => watcher.disconnect());
  more();
  return [list, foot];
}

function sessionRow(record) {
  const { status, statusSince, subject } = record;
  return h('a', { class: 'session-row', href: addressOf(keyOf(record)) },
    badge(record.decision?.outcome ?? status),
    span('session-names', brief(keyOf(record)), span('soft', brief(subject.reference ?? 'no reference'))),
    span('session-count', counted(record.events, 'event')),
    span('session-since', statusSince && h('b', {}, ago(statusSince), ' '), spoken(status),
      span('soft', when(record.lastEventAt))));
}

// ---- Live ----

const LINES_KEPT = 400;
// Milliseconds for which a session is shown at least, before the next one that follows.
const SEEN_FOR = 1500;

function live(place, signal) {
  const feed = feedColumn(choose), chosen = sessionColumns(signal), edge = queueEdge();
  const columns = h('div', { class: 'columns', 'data-column': 0 }, feed.column, ...chosen.columns);
  const switcher = columnSwitcher(columns);
  function choose(key) {
    chosen.choose(key);
    switcher.turn(1);
  }
  place.classList.add('view-live');
  place.append(h('h1', { class: 'unseen' }, 'Live'), switcher.element, columns, edge.element);

  let cursor = null;
  poll(signal, 1.5, async () => {
    const answer = await ask(`live?${query({ after: cursor })}`, { signal });
    cursor = answer.cursor;
    feed.add(answer.lines, answer.behind);
    chosen.see(answer.lines);
  });
  poll(signal, 3, async () => edge.update((await ask('queues', { signal })).queues));
}

/** In a narrow window one column is shown: the one that is turned to. */
function columnSwitcher(columns) {
  const buttons = ['Came in', 'Session', 'Service gets'].map((name, index) =>
    button(name, () => turn(index), { 'aria-pressed': String(index === 0) }));
  const turn = (index) => {
    columns.dataset.column = index;
    buttons.forEach((each, place) => each.setAttribute('aria-pressed', String(place === index)));
  };
  return { element: h('div', { class: 'switcher', role: 'group', 'aria-label': 'Column' }, buttons), turn };
}

// Outcomes of webhooks that an operator looks for.
const ATTENTION = new Set(['refused', 'failed', 'spooled', 'quarantined']);
const needsAttention = ({ outcome }) => ATTENTION.has(outcome);

function feedColumn(choose) {
  const attributes = { class: 'feed rows', 'data-list': 'feed', tabindex: 0 };
  const list = h('ol', { ...attributes, 'aria-label': 'What came in, the latest first' });
  const state = nothing('Reading the functions’ log lines …');
  const only = button('Needs attention', () => filter(!isOnly), { class: 'toggle', 'aria-pressed': 'false' });
  const late = h('p', { class: 'behind', role: 'status' });
  const news = button('', () => { list.scrollTop = 0; }, { class: 'news', hidden: true });
  let unseen = 0, isRising = false, isOnly = false;
  /** Says why no row is shown, if none is. */
  const explain = () => {
    state.hidden = list.querySelector(isOnly ? '.needs-attention' : 'li') !== null;
    state.textContent = isOnly ? 'Nothing is refused, failed, spooled or quarantined.'
      : 'Nothing in the last quarter of an hour. A webhook that comes in appears here within seconds.';
  };
  const filter = (isOn) => {
    isOnly = isOn;
    only.setAttribute('aria-pressed', String(isOn));
    list.classList.toggle('is-filtered', isOn);
    list.scrollTop = 0;
    explain();
    note();
  };
  const note = () => {
    if (list.scrollTop < 8) [unseen, isRising] = [0, false];
    news.hidden = unseen === 0;
    news.textContent = `${unseen} new ↑`;
  };
  list.addEventListener('scroll', note, { passive: true });
  const stay = () => { isRising = false; };
  ['wheel', 'pointerdown', 'keydown'].forEach((type) => list.addEventListener(type, stay, { passive: true }));
  /** Puts lines on top. Rows stay where they are; who was at the top is then led there. */
  const add = (lines, isBehind) => {
    late.textContent = isBehind ? 'CloudWatch Logs is behind: lines come late.' : '';
    if (!lines.length) return explain();
    const isAtTop = list.scrollTop < 8 || isRising, height = list.scrollHeight, isFirst = !list.hasChildNodes();
    const nameOf = (line) => `${isFirst ? '' : 'is-new'}${needsAttention(line) ? ' needs-attention' : ''}`;
    list.prepend(...lines.toReversed().map((line) => h('li', { class: nameOf(line) }, feedRow(line, choose))));
    explain();
    if (!isFirst) list.scrollTop += list.scrollHeight - height;
    while (list.children.length > LINES_KEPT) list.lastChild.remove();
    unseen += isAtTop ? 0 : lines.filter((line) => !isOnly || needsAttention(line)).length;
    isRising = isAtTop && !isFirst;
    if (isRising) afterFrame(() => list.scrollTo({ top: 0, behavior: isCalm() ? 'instant' : 'smooth' }));
    note();
  };
  const column = h('section', { class: 'column column-feed', 'aria-labelledby': 'feed-title' },
    h('header', {}, h('h2', { id: 'feed-title' }, 'What came in'), late, news, only),
    div('list-place', list, state),
    terminal(command('sessions', 'tail'), ownCurl('live')));
  return { column, add };
}

function feedRow(line, choose) {
  const { outcome, provider, path, ms, at, reason, session, requestId } = line;
  // What replay couldn't record stays on the queue: nothing is lost, and no operator has to act.
  const isPutOff = line.function === 'replay' && outcome === 'failed', shape = isPutOff ? 'spooled' : outcome;
  const title = isPutOff ? 'It stays on intake, and replay tries again.' : MEANING[outcome] ?? '';
  const cells = [
    glyph(shape),
    h('span', { class: `feed-outcome tone-${toneOf(shape)}`, title }, isPutOff ? 'put off' : spoken(outcome)),
    span('feed-path', h('b', {}, brief(provider ?? '', 40)), ' ', brief(path ?? '', 200)),
    span('feed-ms', ms === null ? '' : `${Math.round(ms).toLocaleString('en')} ms`),
    when(at, true),
    span('feed-more', moreOf(line)),
  ];
  const why = reason && `${reason}: ${MEANING[reason] ?? 'the runbook has it'}`;
  const titles = [`${spoken(outcome)}: ${title}`, why, `request ${requestId}`].filter(Boolean);
  const attributes = { class: 'feed-row', title: plain(titles.join('; '), 400) };
  if (!session) return h('div', { ...attributes, tabindex: -1, 'data-row': '' }, cells);
  const click = ({ currentTarget }) => {
    currentTarget.closest('ol').querySelector('[aria-current]')?.removeAttribute('aria-current');
    currentTarget.setAttribute('aria-current', 'true');
    choose(session);
  };
  return h('button', { ...attributes, type: 'button', on: { click } }, cells);
}

// Outcomes that say that a session was read: if the line doesn't name it, its id is logged as a digest.
const OF_SESSION = new Set(['recorded', 'duplicate', 'spooled']);

/** A row's second line: the reason, the session; or else what the outcome means. */
function moreOf({ outcome, reason, session }) {
  const why = reason && span('reason', h('b', {}, brief(reason, 60)), MEANING[reason] && ` ${MEANING[reason]}`);
  if (session) return [why, brief(session)];
  if (OF_SESSION.has(outcome)) return [why, span('reason', 'id not in the log')];
  return why || span('reason', MEANING[outcome] ?? '');
}

/** The middle and the right column: one session, the chosen one or the latest, and what was told of it. */
function sessionColumns(signal) {
  const session = shownSession(signal);
  let isFollowing = true;
  const pressed = { class: 'toggle', 'aria-pressed': 'true' };
  const toggle = button('Follow the latest', () => setFollowing(!isFollowing), pressed);
  const setFollowing = (follows) => {
    isFollowing = follows;
    toggle.setAttribute('aria-pressed', String(follows));
  };
  const reader = sessionReader(signal, session.show, session.showFailure);
  const choose = (key) => {
    setFollowing(false);
    reader.read(key);
  };
  /** Turns to the latest session, unless one is being read; after a while, so that one sees what goes by. */
  let latest = null, isDue = false;
  const followLatest = async () => {
    if (isDue) return;
    isDue = true;
    await later(session.shownAt() + SEEN_FOR - Date.now());
    isDue = false;
    if (isFollowing && !session.isRead() && !signal.aborted) reader.read(latest);
  };
  const see = (lines) => {
    const isRecorded = ({ outcome }) => outcome === 'recorded' || outcome === 'duplicate';
    const found = lines.findLast((line) => line.session && isRecorded(line)), key = reader.key();
    latest = found?.session ?? latest;
    if (key !== null && lines.some((line) => line.session === key)) reader.read(key);
    if (isFollowing && found && latest !== key) followLatest();
  };
  const middle = h('section', { class: 'column column-session', 'aria-labelledby': 'session-title' },
    h('header', {}, h('h2', { id: 'session-title' }, 'The session'), toggle), ...session.middle);
  const right = h('section', { class: 'column column-told', 'aria-labelledby': 'told-title' },
    h('header', {}, h('h2', { id: 'told-title' }, 'What your service gets'), session.waiting), ...session.right);
  return { columns: [middle, right], choose, see };
}

/** Reads one session at a time: another one ends the reading, the same one is read again after it. */
function sessionReader(signal, show, showFailure) {
  let key = null, reading = null, isStale = false;
  async function read(wanted) {
    if (wanted !== key) reading?.abort();
    else if (reading) { isStale = true; return; }
    const mine = reading = new AbortController();
    [key, isStale] = [wanted, false];
    try {
      const session = await readSession(wanted, AbortSignal.any([signal, mine.signal]));
      show(session);
      // Messages that wait for SQS are there soon.
      isStale ||= waitingMessages(session.record, session.told) > 0;
    } catch (error) {
      if (error.name !== 'AbortError') showFailure(wanted, error, () => read(wanted));
    }
    if (isStale) await later(2000);
    if (reading !== mine || signal.aborted) return;
    reading = null;
    if (isStale) read(wanted);
  }
  return { read, key: () => key };
}

/** Where the chosen session is shown: its head, its picture and events; and, on the right, its messages. */
function shownSession(signal) {
  const events = eventList(), messages = messageList();
  const head = div('session-head');
  const body = div('column-body', nothing('The session of the latest webhook appears here.'));
  const told = div('column-body', nothing('And here the messages that your service gets from the queue decisions.'));
  const foot = h('div', {}), toldFoot = h('div', {});
  let shownAt = 0;
  const begin = (key, ...more) => {
    if (head.dataset.key !== key) {
      [events.list, messages.list].forEach((list) => list.replaceChildren());
      body.scrollTop = told.scrollTop = 0;
    }
    head.dataset.key = key;
    head.replaceChildren(sessionLink(key), ...more);
    foot.replaceChildren(terminal(command('events', key), curl({ session: key, part: 'events' })));
    const question = curl({ session: key, part: 'notifications' });
    toldFoot.replaceChildren(terminal(command('notifications', 'list', key), question));
  };
  const show = (session) => {
    const { key, record } = session, hasTold = session.told.notifications.length > 0;
    begin(key, badge(record.decision?.outcome ?? record.status), span('soft', 'since ', when(record.statusSince)));
    events.update(session, signal);
    messages.update(session, true);
    body.replaceChildren(picture(session.life), events.list);
    told.replaceChildren(hasTold ? messages.list
      : nothing('Nothing is told of this session yet. Your service hears of it when there is a decision.'));
    shownAt = Date.now();
  };
  const showFailure = (key, error, again) => {
    begin(key);
    body.replaceChildren(failure(error, again));
    told.replaceChildren();
  };
  const isRead = () => body.scrollTop > 8 || told.scrollTop > 8 || body.contains(document.activeElement);
  const columns = { middle: [head, body, foot], right: [told, toldFoot], waiting: messages.waiting };
  return { ...columns, show, showFailure, isRead, shownAt: () => shownAt };
}

// In the order in which a webhook passes them.
const QUEUES = {
  intake: ['intake', 'webhooks that wait for the table', 'warn'],
  quarantine: ['quarantine', 'webhooks that can\'t be read', 'warn'],
  'wake-up': ['wake-up', 'polls that a webhook asked for', 'quiet'],
  decisions: ['decisions', 'messages that wait for your service', 'quiet'],
  'decisions-dead-letter': ['dead letters', 'messages that your service failed to handle', 'bad'],
};
const DEPTHS_KEPT = 40;

/** How many wait: on intake, those too that replay has taken and will try again. */
const waitingOn = ({ name, visible, inFlight, delayed }) =>
  (visible ?? 0) + (name === 'intake' ? (inFlight ?? 0) + (delayed ?? 0) : 0);

/** The queues' depths, now and before: numbers only, nothing is received. */
function queueEdge() {
  const history = new Map();
  const element = h('section', { class: 'edge', 'aria-label': 'Queues', tabindex: 0 });
  const update = (queues) => {
    const names = Object.keys(QUEUES).filter((name) => queues.some((queue) => queue.name === name));
    element.replaceChildren(...names.map((name) => {
      const queue = queues.find((each) => each.name === name), depth = waitingOn(queue);
      const depths = [...(history.get(name) ?? Array(DEPTHS_KEPT).fill(depth)), depth].slice(-DEPTHS_KEPT);
      history.set(name, depths);
      return queueCell(queue, depths);
    }));
  };
  return { element, update };
}

function queueCell(queue, depths) {
  const { name, inFlight, delayed, oldestSeconds } = queue, [title, meaning, tone] = QUEUES[name];
  const waiting = waitingOn(queue);
  const more = [
    name === 'intake' && waiting && `${waiting} waiting`,
    inFlight && `${inFlight} in flight`,
    delayed && `${delayed} later`,
    oldestSeconds && `oldest ${lasting(oldestSeconds)}`,
  ].filter(Boolean).join(' · ');
  const top = Math.max(...depths, 1);
  const point = (depth, index) => `${(index * 60) / (DEPTHS_KEPT - 1)} ${18 - (depth / top) * 16}`;
  const points = depths.map(point).join(' '), sizes = { viewBox: '0 0 60 20', width: 60, height: 20 };
  return h('div', { class: `queue${waiting ? ` tone-${tone}` : ''}`, title: meaning },
    span('queue-name', title),
    h('b', { class: 'queue-depth' }, waiting.toLocaleString('en')),
    s('svg', { class: 'spark', ...sizes, 'aria-hidden': 'true' }, s('polyline', { points })),
    span('queue-more', more || (waiting ? meaning : 'empty')));
}

// ---- Find ----

const PRESETS = [
  ['In review for 3 days', { status: 'in_review', older: 3 * DAY }],
  ['In review', { status: 'in_review' }],
  ['Awaiting resubmission', { status: 'awaiting_resubmission' }],
  ['Submitted, undecided for a day', { status: 'submitted', older: DAY }],
  ['Declined today', { status: 'decided', outcome: 'declined', younger: DAY }],
  ['Approved today', { status: 'decided', outcome: 'approved', younger: DAY }],
];
const AGES = [
  ['', 'any time'], [3600, '1 hour'], [DAY, '1 day'], [3 * DAY, '3 days'], [7 * DAY, '7 days'], [30 * DAY, '30 days'],
];
let lastSearch = { text: '', list: PRESETS[0][1] };

function find(place, signal) {
  const results = h('section', { class: 'results', 'aria-label': 'Results' }), lines = h('div', {});
  const search = searchForm((text) => (text ? look(text, true) : filters.turn(lastSearch.list)));
  const filters = filterForm(lastSearch.list, list);
  let listing = new AbortController();

  /** Looks a text up. What a person asks for opens if it is the only one; what was asked for before is listed again. */
  async function look(text, isAsked) {
    listing.abort();
    lastSearch = { ...lastSearch, text };
    filters.rest();
    results.replaceChildren(nothing('Looking …'));
    lines.replaceChildren(terminal(command('sessions', 'list', '--reference', text), curl({ reference: text })));
    try {
      const found = await lookUp(text, signal);
      if (found.length === 1 && isAsked) location.hash = addressOf(keyOf(found[0]));
      else results.replaceChildren(...foundSessions(text, found));
    } catch (error) {
      results.replaceChildren(failure(error, () => look(text, isAsked)));
    }
  }
  function list(choice) {
    listing.abort();
    listing = new AbortController();
    lastSearch = { text: '', list: choice };
    const parameters = listParameters(choice), ends = AbortSignal.any([signal, listing.signal]);
    const options = Object.entries(parameters).flatMap(([name, value]) => [`--${name}`, value]);
    const page = (next) => ask(`sessions?${query({ ...parameters, next })}`, { signal: ends });
    results.replaceChildren(...sessionList(ends, page));
    lines.replaceChildren(terminal(command('sessions', 'list', ...options), curl(parameters)));
  }
  place.classList.add('view-find');
  place.append(h('h1', { class: 'unseen' }, 'Find'), search, filters.element, lines, results);
  if (lastSearch.text) look(lastSearch.text, false);
  else list(lastSearch.list);
  enterBox();
}

/** Goes to the box of Find. What was looked for before is selected, so that typing replaces it. */
function enterBox() {
  $('box')?.focus();
  $('box')?.select();
}

function searchForm(look) {
  const attributes = { id: 'box', type: 'text', class: 'box', name: 'box', autocomplete: 'off', spellcheck: 'false' };
  const placeholder = 'customer-1   or   veriff/f04bdb47-…';
  const box = h('input', { ...attributes, value: lastSearch.text, placeholder, 'aria-describedby': 'box-hint' });
  const submit = (event) => {
    event.preventDefault();
    look(box.value.trim());
  };
  return h('form', { class: 'search', role: 'search', on: { submit } },
    h('label', { for: 'box' }, 'A reference or a session'),
    div('box-row', box, h('button', { class: 'strong' }, 'Find')),
    h('p', { id: 'box-hint', class: 'hint' }, 'Your own reference of the person, or ', h('code', {}, 'provider/id'),
      ', or the provider’s id alone. Each look is logged with your name.'));
}

function foundSessions(text, found) {
  if (!found.length) {
    return [nothing('Verdict knows no session with this reference or id. References are compared letter by letter.')];
  }
  const rows = found.map((record) => h('li', {}, sessionRow(record)));
  const name = found.every(({ subject }) => subject.reference === text) ? 'reference' : 'id';
  return [
    h('div', { role: 'status' },
      h('h2', {}, `${counted(found.length, 'session')} with the ${name} `, shown(text, 120))),
    h('ol', { class: 'sessions rows', 'data-list': 'sessions', 'aria-label': 'Sessions' }, rows),
  ];
}

/** The sessions that a text may mean: by its key, else of a reference, else by an id at each provider. */
async function lookUp(text, signal) {
  const one = (key) => sessionPart(key, {}, signal).catch((error) => {
    if (error.status === 404 || error.status === 400) return null;
    throw error;
  });
  const isKey = stack.providers.some((provider) => text.startsWith(`${provider}/`) && !text.endsWith('/'));
  const named = isKey ? await one(text) : null;
  if (named) return [named];
  const sessions = await ofReference(text, signal);
  if (sessions.length || isKey) return sessions;
  const candidates = await Promise.all(stack.providers.map((provider) => one(`${provider}/${text}`)));
  return candidates.filter(Boolean);
}

async function ofReference(reference, signal) {
  const page = (next) => ask(`sessions?${query({ reference, next })}`, { signal });
  return (await allPages(page, 'sessions', 1000)).sessions;
}

/** A choice as the sessions API is asked: ages become times. */
function listParameters({ status, provider, outcome, older, younger }) {
  const before = (seconds) => seconds && `${new Date(Date.now() - seconds * 1000).toISOString().slice(0, 19)}Z`;
  const parameters = { status, provider, outcome, since: before(younger), until: before(older) };
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => isGiven(value)));
}

function filterForm(first, list) {
  const option = ([value, text]) => h('option', { value }, text);
  const words = (names, ...any) => [...any, ...names.map((name) => [name, spoken(name)])];
  const field = (name, label, entries) =>
    h('label', { class: 'field' }, h('span', {}, label), h('select', { name }, entries.map(option)));
  const fields = [
    field('status', 'status', words(STATUSES)),
    field('outcome', 'outcome', words(OUTCOMES, ['', 'any'])),
    field('provider', 'provider', words(stack.providers, ['', 'all'])),
    field('older', 'for at least', AGES),
    field('younger', 'for at most', AGES),
  ];
  const change = () => {
    mark(null);
    form.classList.remove('is-resting');
    list(Object.fromEntries([...new FormData(form)].filter(([, value]) => value)));
  };
  const submit = (event) => event.preventDefault();
  const form = h('form', { class: 'filters', 'aria-label': 'Lists', on: { change, submit } }, fields);
  const chips = PRESETS.map(([name, choice]) => button(name, () => turn(choice), { class: 'chip' }));
  const mark = (choice) => PRESETS.forEach(([, preset], index) => {
    chips[index].setAttribute('aria-pressed', String(preset === choice));
  });
  const set = (choice) => {
    for (const select of form.elements) select.value = choice[select.name] ?? '';
    form.classList.remove('is-resting');
    mark(choice);
  };
  const turn = (choice) => {
    set(choice);
    list(choice);
  };
  /** Shows that no list is chosen, while a text is looked for. */
  const rest = () => {
    form.classList.add('is-resting');
    mark(null);
  };
  set(first);
  const presets = h('div', { class: 'presets', role: 'group', 'aria-label': 'Ready lists' }, chips);
  return { element: div('lists', presets, form), turn, rest };
}

// ---- Session ----

function session(place, signal, [provider, id]) {
  const key = `${decodeURIComponent(provider)}/${decodeURIComponent(id ?? '')}`;
  const head = div('session-facts'), life = div('life-place', nothing('Reading …'));
  const acts = div('acts',
    button('Send messages again …', () => resendDialog(key, signal), { class: 'plain' }),
    button('Rebuild …', () => rebuildDialog([key], false, signal), { class: 'plain' }),
    button('Read again', () => read(), { class: 'plain' }));
  const parts = sessionParts(key, signal);
  place.classList.add('view-session');
  const title = h('h1', { class: 'session-title' }, shown(key, 120));
  place.append(div('session-top', title, acts), head, life, parts.element);

  async function read() {
    try {
      const found = await readSession(key, signal);
      const cut = found.isCut && nothing('Only the first 500 events are shown; the command below has all.');
      head.replaceChildren(...headOf(found.record));
      life.replaceChildren(picture(found.life), cut || '');
      await parts.update(found);
    } catch (error) {
      const isUnknown = error.code === 'session_not_found';
      const unknown = 'Verdict has no record of this session. Ids are compared letter by letter.';
      life.replaceChildren(isUnknown ? nothing(unknown) : failure(error, read));
      acts.hidden = isUnknown;
    }
  }
  read();
}

/** The panels of a session. They are shown once they have what they show, so that nothing jumps. */
function sessionParts(key, signal) {
  const events = eventList(), messages = messageList();
  const recorded = h('div', {}), others = h('div', {}, nothing('Reading …'));
  const lines = (name, part) => terminal(command(...name, key), curl({ session: key, part }));
  const element = h('div', { class: 'session-grid', hidden: true },
    h('div', {}, panel('Timeline', events.list, lines(['events'], 'events'))),
    h('div', {},
      panel('Record', recorded, lines(['sessions', 'show'], null)),
      panel('What your service got', messages.list, messages.waiting,
        lines(['notifications', 'list'], 'notifications')),
      panel('Other sessions of the reference', others)));
  const update = async (found) => {
    events.update(found, signal);
    messages.update(found, false);
    if (!found.told.notifications.length) messages.waiting.append(nothing('Nothing yet.'));
    recorded.replaceChildren(...recordOf(found.record));
    element.hidden = false;
    others.replaceChildren(...await othersOf(found.record, signal));
  };
  return { element, update };
}

const panel = (name, ...content) => h('section', { class: 'panel' }, h('h2', {}, name), ...content);

function headOf(record) {
  const { status, statusSince, decision, subject } = record;
  return [badge(decision?.outcome ?? status), facts([
    ['status', [spoken(status), statusSince && span('soft', ` for ${ago(statusSince)}`)]],
    ['reference', textOf(subject.reference)],
    ['kind', spoken(record.kind)],
    ['events', String(record.events)],
    ['first', when(record.firstEventAt)],
    ['last', when(record.lastEventAt)],
  ])];
}

function recordOf(record) {
  return [
    record.decision ? decisionFacts(record.decision) : nothing('No decision stands.'),
    facts([
      ['provider’s user', textOf(record.subject.providerUserId)],
      ['current attempt', textOf(record.attemptId)],
      ['version', String(record.version)],
      ['messages', String(record.notifications)],
      ['remarks', textOf(record.remarks.join(', '))],
    ]),
    h('h3', {}, 'Checks'),
    checksTable(record.checks) ?? nothing('No checks.'),
  ];
}

const decisionFacts = (decision) => facts([
  ['decision', badge(decision.outcome, decision.final ? '' : ', not final')],
  ['decided', when(decision.decidedAt)],
  ['reason codes', textOf(decision.reasonCodes.join(', '))],
  ['reason', textOf(decision.reason)],
  ['detail', pairs(decision.detail)],
  ['attempt', textOf(decision.attemptId)],
]);

async function othersOf(record, signal) {
  const { reference } = record.subject;
  if (!reference) return [nothing('The session has no reference.')];
  const others = (await ofReference(reference, signal)).filter((other) => keyOf(other) !== keyOf(record));
  const rows = others.map((other) => h('li', {}, sessionRow(other)));
  const lines = terminal(command('sessions', 'list', '--reference', reference), curl({ reference }));
  return [rows.length ? h('ol', { class: 'sessions rows', 'data-list': 'others' }, rows) : nothing('None.'), lines];
}

// ---- Writes ----

// A reason as the log takes it: nothing that a terminal acts on.
const REASON = /^[A-Za-z0-9 .,:;_/#()+-]{1,80}$/;

/**
 * Asks before a write: shows its dry run, wants a reason, and tells what came of it. `dryRun` gives nodes, or null if
 * there is nothing to do; `run` gives a sentence.
 */
function confirmWrite({ title, words, act, dryRun, run }) {
  const dialog = $('confirm'), reason = reasonField();
  const report = h('div', { class: 'dry-run', 'aria-live': 'polite' }, nothing('Looking what it would do …'));
  const go = h('button', { class: 'strong', disabled: true }, act);
  const close = button('Cancel', () => dialog.close(), { class: 'plain' });
  let isReady = false;
  const check = () => { go.disabled = !isReady || !REASON.test(reason.input.value); };
  const submit = async (event) => {
    event.preventDefault();
    go.disabled = reason.input.disabled = true;
    try {
      report.replaceChildren(h('p', { class: 'done' }, glyph('passed'), await run(reason.input.value)));
      end();
    } catch (error) {
      report.replaceChildren(failure(error));
      reason.input.disabled = false;
      check();
    }
  };
  const look = async () => {
    const nodes = await dryRun();
    isReady = nodes !== null;
    report.replaceChildren(...(nodes ?? [nothing('There is nothing to do.')]));
    if (!isReady) return end();
    check();
    reason.input.focus();
  };
  /** Leaves nothing to fill in: it is done, or can't be. */
  const end = () => {
    [go, reason.element].forEach((node) => node.remove());
    close.textContent = 'Close';
    close.focus();
  };
  reason.input.addEventListener('input', check);
  dialog.replaceChildren(h('form', { on: { submit } }, h('h2', { id: 'confirm-title' }, title), h('p', {}, words),
    h('h3', {}, 'What it would do'), report, reason.element, div('acts', close, go)));
  dialog.showModal();
  look().catch((error) => {
    report.replaceChildren(failure(error));
    end();
  });
}

function reasonField() {
  const attributes = { id: 'reason', type: 'text', maxlength: 80, autocomplete: 'off', required: true };
  const input = h('input', { ...attributes, 'aria-describedby': 'reason-hint' });
  const element = div('reason-field', h('label', { for: 'reason' }, 'Reason'), input,
    h('p', { id: 'reason-hint', class: 'hint' }, 'Letters, digits, spaces and . , : ; _ / # ( ) + - only, and nothing '
      + 'about a person: it goes to the log.'));
  return { element, input };
}

function resendDialog(key, signal, from = 1) {
  const request = (body) => ask('resend', { signal, body: { session: key, from, ...body } });
  const resent = 'They have the same ids and sequences: a consumer drops what it has handled. To handle them again, it '
    + 'has to go back first.';
  const told = () => allPages((next) => sessionPart(key, { part: 'notifications', next }, signal), 'notifications');
  const row = ({ sequence, outcome, type, toldAt }, known) => [`#${sequence}`,
    span(`badge tone-${toneOf(outcome)}`, glyph(outcome ?? 'cancelled'),
      h('span', {}, known ? whatIsTold(known.message) : spoken(outcome))),
    type, when(toldAt)];
  confirmWrite({
    title: 'Send messages again',
    act: 'Send again',
    words: ['The messages of ', shown(key, 80), ` from sequence ${from} to the last that SQS has taken. ${resent}`],
    dryRun: async () => {
      const { messages } = await request({ reason: 'dry run', dryRun: true });
      const known = new Map((await told()).notifications.map((each) => [each.sequence, each]));
      const rows = messages.map((message) => row(message, known.get(message.sequence)));
      return rows.length ? [table(['sequence', 'what it says', 'type', 'told'], rows, 'messages')] : null;
    },
    run: async (reason) => {
      const { messages } = await request({ reason, dryRun: false });
      return `Requested: replay sends ${counted(messages.length, 'message')} again.`;
    },
  });
}

function rebuildDialog(sessions, withdraw, signal) {
  confirmWrite({
    title: `Rebuild ${counted(sessions.length, 'session')}`,
    act: 'Rebuild',
    words: 'Today’s readers read all stored payloads again and make a new record of them. If the decision differs, '
      + 'your service gets a correction.',
    dryRun: async () => rebuildDiff((await ask('rebuild/preview', { signal, body: { sessions, withdraw } })).sessions),
    run: async (reason) => {
      const { requested } = await ask('rebuild', { signal, body: { sessions, withdraw, reason } });
      return `Requested: ${counted(requested, 'rebuild')}. replay carries them out, and its log says what changed.`;
    },
  });
}

function redriveDialog(signal) {
  const request = (body) => ask('redrive', { signal, body });
  confirmWrite({
    title: 'Send the quarantine back',
    act: 'Redrive',
    words: 'All messages go back to intake. What still can’t be read comes back, and what is known is a duplicate.',
    dryRun: async () => {
      const { about } = await request({ reason: 'dry run', dryRun: true });
      return about ? [h('p', {}, `About ${counted(about, 'webhook')} would go back to intake.`)] : null;
    },
    run: async (reason) => {
      const { moved } = await request({ reason, dryRun: false });
      return moved === null ? 'SQS is moving them.' : `${counted(moved, 'webhook')} moved.`;
    },
  });
}

/** What a rebuild would change, as a diff. */
function rebuildDiff(reports) {
  return [h('ul', { class: 'diff' }, reports.map((report) => h('li', { class: `diff-${report.outcome}` },
    h('b', {}, spoken(report.outcome)),
    h('span', {}, brief(keyOf(report))),
    div('diff-what', differences(report)))))];
}

function differences({ outcome, decision, members, events, notified, reason, narrowed, indexed }) {
  const isOther = decision && decision.from !== decision.to;
  const why = REFUSED_REBUILDS[reason] ?? brief(reason);
  const told = notified ? 'your service gets a correction' : 'your service gets no message';
  return [
    isOther && h('p', {}, 'decision ', h('del', {}, badge(decision.from)), ' → ', h('ins', {}, badge(decision.to))),
    members?.length > 0 && h('p', {}, 'the record’s ', brief(members.join(', '))),
    outcome === 'changed' && h('p', {}, `${counted(events, 'event')} read otherwise; ${told}`),
    reason && h('p', {}, why, outcome === 'refused' && events ? ` (${events})` : ''),
    narrowed && h('p', {}, `${counted(narrowed, 'payload')} narrowed`),
    (indexed || outcome === 'indexed') && h('p', {}, 'gets its place in the lists by status'),
    outcome === 'unchanged' && h('p', { class: 'soft' }, 'today’s readers make the record that there is'),
  ];
}

// ---- Plots ----

const PLOT = { left: 48, right: 8, top: 8, bottom: 22, height: 180 };
const clock = (minute) => formatted(new Date(minute), MINUTE);

/** A plot over minutes: `paint` draws into it, `tell` says a minute's values in words. A slider goes through them. */
function plot({ title, unit, minutes, ticks, scale, paint, tell, summary, legend }) {
  const width = plotWidth(), inner = width - PLOT.left - PLOT.right, floor = PLOT.height - PLOT.bottom;
  const x = columnsOf(minutes, inner);
  const y = (value) => floor - scale(value, ticks.at(-1)) * (floor - PLOT.top);
  const cursor = s('path', { class: 'cursor' });
  const attributes = { class: 'plot', viewBox: `0 0 ${width} ${PLOT.height}`, role: 'img' };
  const picture = s('svg', { ...attributes, 'aria-label': `${title}. ${summary}` },
    ticks.map((value) => [
      s('path', { class: 'grid', d: `M${PLOT.left} ${y(value)}H${width - PLOT.right}` }),
      tick(PLOT.left - 6, y(value) + 4, 'end', value.toLocaleString('en')),
    ]),
    minuteMarks(minutes, inner, PLOT.height - 5), paint(x, y, inner / minutes.length), cursor);
  const indexAt = (share) => Math.floor(((share * width - PLOT.left) / inner) * minutes.length);
  const turn = (index) => cursor.setAttribute('d', `M${x(index)} ${PLOT.top}V${floor}`);
  const slider = minuteSlider(title, minutes, tell, turn);
  picture.addEventListener('pointermove', ({ clientX }) => {
    const box = picture.getBoundingClientRect();
    slider.turn(indexAt((clientX - box.left) / box.width));
  });
  const caption = h('figcaption', {}, h('h2', {}, title), span('soft', unit));
  return h('figure', { class: 'panel' }, caption, picture, ...slider.nodes, h('ul', { class: 'legend' }, legend));
}

const plotWidth = () => Math.min(640, innerWidth - 64);
const tick = (x, y, anchor, text) => s('text', { class: 'tick', x, y, 'text-anchor': anchor }, text);

/** Where the minutes' columns are. */
const columnsOf = (minutes, inner) => (index) => PLOT.left + ((index + 0.5) / minutes.length) * inner;

/** The times along an axis of minutes. */
function minuteMarks(minutes, inner, y) {
  const x = columnsOf(minutes, inner);
  return minutes.map((minute, index) => isMarked(minute, minutes.length, inner)
    && tick(x(index), y, 'middle', clock(minute)));
}

/** Returns whether a minute has its time below the axis: as many have as there is room for. */
function isMarked(minute, count, width) {
  const step = [1, 5, 10, 15, 30, 60, 120].find((size) => count / size <= width / 60) ?? 240;
  return Math.floor(new Date(minute) / 60_000) % step === 0;
}

/** A slider over minutes, and the values of the one that it is at. */
function minuteSlider(title, minutes, tell, move) {
  const max = minutes.length - 1, readout = h('output', { class: 'readout' });
  const attributes = { type: 'range', class: 'scrub', min: 0, max, value: max };
  const input = h('input', { ...attributes, 'aria-label': `${title}: minute` });
  const show = () => {
    const index = Number(input.value), text = `${clock(minutes[index])}: ${tell(minutes[index])}`;
    move(index);
    input.setAttribute('aria-valuetext', text);
    readout.textContent = text;
  };
  input.addEventListener('input', show);
  show();
  return { nodes: [input, readout], turn: (index) => { input.value = index; show(); } };
}

/** Round steps of an axis up to at least the greatest value. */
function axis(greatest) {
  const size = 10 ** Math.floor(Math.log10(Math.max(greatest, 4) / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((wide) => wide * 4 >= greatest);
  return [0, 1, 2, 3, 4].map((count) => count * step);
}

const HANDLINGS = ['recorded', 'duplicate', 'ignored', 'spooled', 'quarantined', 'refused', 'failed'];

function webhooksPlot(entries, minutes) {
  const counts = new Map(entries.map(({ minute, outcome, count }) => [`${minute} ${outcome}`, count]));
  const countsOf = (minute) => HANDLINGS.map((outcome) => [outcome, counts.get(`${minute} ${outcome}`) ?? 0])
    .filter(([, count]) => count);
  const sums = minutes.map((minute) => countsOf(minute).reduce((sum, [, count]) => sum + count, 0));
  const bar = (minute, x, y, width) => {
    let sum = 0;
    return countsOf(minute).map(([outcome, count]) => {
      const floor = y(sum), top = y(sum += count), height = Math.max(floor - top - 0.5, 0.5);
      return s('rect', { class: `bar-${outcome}`, x: x - width / 2, y: top, width, height });
    });
  };
  const total = sums.reduce((sum, count) => sum + count, 0);
  const seen = HANDLINGS.filter((outcome) => entries.some((entry) => entry.outcome === outcome));
  return plot({
    title: 'Webhooks a minute',
    unit: 'count, by outcome',
    minutes,
    ticks: axis(Math.max(...sums)),
    scale: (value, top) => value / top,
    summary: `${counted(total, 'webhook')} in ${counted(minutes.length, 'minute')}.`,
    paint: (x, y, pitch) => minutes.map((minute, index) => bar(minute, x(index), y, pitch * 0.8)),
    tell: (minute) => countsOf(minute).map(([outcome, count]) => `${count} ${outcome}`).join(', ') || 'none',
    legend: seen.map((outcome) => h('li', { title: MEANING[outcome] }, h('i', { class: `swatch bar-${outcome}` }),
      glyph(outcome), outcome)),
  });
}

function latencyPlot(entries, minutes) {
  const values = new Map(entries.map((entry) => [entry.minute, entry]));
  const greatest = Math.max(...entries.map(({ p99 }) => p99), 100);
  const curve = (name, x, y) => {
    let isDown = false;
    const parts = minutes.map((minute, index) => {
      const value = values.get(minute)?.[name] ?? null;
      const part = value === null ? '' : `${isDown ? 'L' : 'M'}${x(index)} ${y(Math.max(value, 1))}h.01`;
      isDown = value !== null;
      return part;
    });
    return s('path', { class: `curve curve-${name}`, d: parts.join('') });
  };
  const sizes = { viewBox: '0 0 24 8', width: 24, height: 8 };
  const line = (name) =>
    s('svg', { ...sizes, 'aria-hidden': 'true' }, s('path', { class: `curve curve-${name}`, d: 'M0 4H24' }));
  return plot({
    title: 'Latency',
    unit: 'ms, logarithmic, of the slowest provider',
    minutes,
    ticks: Array.from({ length: Math.ceil(Math.log10(greatest)) + 1 }, (_, power) => 10 ** power),
    scale: (value, top) => Math.log10(value) / Math.log10(top),
    summary: entries.length ? `The slowest p99 of a minute: ${Math.round(greatest)} ms.` : 'No webhooks.',
    paint: (x, y) => [curve('p50', x, y), curve('p99', x, y)],
    tell: (minute) => {
      const value = values.get(minute);
      return value ? `p50 ${Math.round(value.p50)} ms, p99 ${Math.round(value.p99)} ms` : 'no webhooks';
    },
    legend: [h('li', {}, line('p50'), 'p50: half are faster'), h('li', {}, line('p99'), 'p99: 99 of 100 are faster')],
  });
}

const REASONS_SHOWN = 8;

/** Refusals, a row for each reason and a column for each minute. */
function refusalsPanel(entries, minutes) {
  const byReason = Map.groupBy(entries, ({ provider, reason }) => `${provider} ${reason}`);
  const total = (row) => row.reduce((sum, { count }) => sum + count, 0);
  const sorted = [...byReason.values()].sort((a, b) => total(b) - total(a));
  const most = Math.max(...entries.map(({ count }) => count), 1);
  const rows = sorted.map((row) => h('li', {},
    span('refusal-name', glyph('refused'), h('b', {}, brief(row[0].reason, 60)), ' ', brief(row[0].provider, 20),
      span('soft', MEANING[row[0].reason] ?? '')),
    h('b', { class: 'refusal-total' }, total(row).toLocaleString('en')), heat(row, minutes, most, total(row))));
  const list = h('ul', { class: 'refusals' }, rows.slice(0, REASONS_SHOWN));
  const more = button(`Show all ${rows.length} reasons`, () => {
    list.replaceChildren(...rows);
    more.remove();
  }, { class: 'plain' });
  const isCut = rows.length > REASONS_SHOWN;
  return h('section', { class: 'panel wide' }, h('h2', {}, 'Refusals by reason and minute'),
    rows.length ? [list, div('refusal-axis', minuteAxis(minutes))] : nothing('Nothing was refused.'),
    isCut && div('acts', more));
}

/** The axis of the plots alone, for what stands below them in the same columns. */
function minuteAxis(minutes) {
  const width = plotWidth(), attributes = { class: 'plot', viewBox: `0 0 ${width} 16`, 'aria-hidden': 'true' };
  return s('svg', attributes, minuteMarks(minutes, width - PLOT.left - PLOT.right, 12));
}

function heat(row, minutes, most, total) {
  const counts = new Map(row.map(({ minute, count }) => [minute, count]));
  const width = plotWidth(), inner = width - PLOT.left - PLOT.right, pitch = inner / minutes.length;
  const sizes = { viewBox: `0 0 ${width} 16`, preserveAspectRatio: 'none' };
  const name = `${total} in ${counted(minutes.length, 'minute')}`;
  return s('svg', { class: 'heat', ...sizes, role: 'img', 'aria-label': name },
    minutes.map((minute, index) => {
      const count = counts.get(minute) ?? 0, strength = count ? 0.25 + 0.75 * (count / most) : 0.06;
      const place = { x: PLOT.left + index * pitch, y: 0, width: pitch * 0.85, height: 16 };
      return s('rect', { class: 'heat-cell', ...place, 'fill-opacity': strength },
        count > 0 && s('title', {}, `${clock(minute)}: ${count}`));
    }));
}

// ---- Operations ----

function operations(place, signal) {
  const tiles = div('tiles'), plots = div('plots'), note = h('p', { class: 'aside', role: 'status' });
  const options = [15, 60, 180, 720].map((size) =>
    h('option', { value: size, selected: size === 60 }, size < 120 ? `${size} minutes` : `${size / 60} hours`));
  const scope = h('select', { id: 'scope', on: { change: () => turn() } }, options);
  // Below what grows with what is found: shown once that is there, so that it never jumps.
  const rest = h('div', { hidden: true },
    div('plots', quarantinePanel(signal), rebuildPanel(signal), resendPanel(signal)),
    terminalOf([scope], () => [command('doctor'), ownCurl(`operations?minutes=${scope.value}`)]));
  place.classList.add('view-operations');
  place.append(div('session-top', h('h1', {}, 'Operations'),
    h('label', { class: 'field', for: 'scope' }, h('span', {}, 'the last'), scope)), tiles, note, plots, rest);
  let drawnFor = null;
  const turn = poll(signal, 15, async () => {
    const minutes = Number(scope.value);
    const answer = await ask(`operations?minutes=${minutes}`, { signal }).finally(() => { rest.hidden = false; });
    tiles.replaceChildren(...tilesOf(answer));
    note.textContent = answer.partial ? 'Something may be missing: not all could be read in time.' : '';
    // What a person looks at stays as it is.
    if (drawnFor === minutes && (plots.contains(document.activeElement) || plots.matches(':hover'))) return;
    drawnFor = minutes;
    const columns = minutesBack(minutes);
    plots.replaceChildren(webhooksPlot(answer.webhooks, columns), latencyPlot(answer.latency, columns),
      refusalsPanel(answer.refusals, columns));
  });
}

function minutesBack(count) {
  const now = Math.floor(Date.now() / 60_000);
  const minute = (_, index) => new Date((now - (count - 1 - index)) * 60_000).toISOString().replace('.000Z', 'Z');
  return Array.from({ length: count }, minute);
}

// Seconds from which on an age is marked: what is told is later than an alarm allows.
const OLD = { due: 120, intake: 900, poll: 900 };

function tilesOf({ ages, queues }) {
  const depth = (name) => waitingOn(queues.find((queue) => queue.name === name) ?? { name });
  const tile = (name, value, meaning, tone) =>
    div(`tile${tone ? ` is-marked tone-${tone}` : ''}`, span('tile-name', name), h('b', {}, value),
      span('soft', meaning));
  const queueTile = (name) => tile(QUEUES[name][0], depth(name).toLocaleString('en'), QUEUES[name][1],
    depth(name) > 0 && name !== 'decisions' && QUEUES[name][2]);
  const { oldestDueSeconds, oldestIntakeSeconds, oldestPollDueSeconds, pollsDue } = ages, intake = depth('intake');
  return [
    tile('outbox', aged(oldestDueSeconds, 'empty'), 'age of the oldest message that is due',
      oldestDueSeconds > OLD.due && 'bad'),
    tile('intake', oldestIntakeSeconds ? lasting(oldestIntakeSeconds) : intake ? `${intake} waiting` : 'empty',
      oldestIntakeSeconds ? `age of the oldest webhook; ${intake} waiting` : QUEUES.intake[1],
      oldestIntakeSeconds > OLD.intake ? 'bad' : intake && QUEUES.intake[2]),
    tile('polls due', pollsDue ? String(pollsDue) : pollsDue === 0 ? 'none' : '–',
      pollsDue ? `the oldest for ${lasting(oldestPollDueSeconds)}` : 'questions to Incode’s API',
      oldestPollDueSeconds > OLD.poll && 'bad'),
    ...['decisions-dead-letter', 'quarantine', 'decisions'].map(queueTile),
  ];
}

function quarantinePanel(signal) {
  const seen = h('div', { 'aria-live': 'polite' },
    nothing('A look hides some messages for up to 20 seconds, and gives them back. Bodies aren’t shown.'));
  const look = async () => {
    seen.replaceChildren(nothing('Looking …'));
    const asked = ask('quarantine/look', { signal, body: {} });
    seen.replaceChildren(...await asked.then(quarantined, (error) => [failure(error, look)]));
  };
  const acts = div('acts', button('Look', look, { class: 'plain' }),
    button('Redrive …', () => redriveDialog(signal), { class: 'plain' }));
  return h('section', { class: 'panel wide' }, h('h2', {}, 'Quarantine'), seen, acts,
    terminal(command('quarantine', 'list'), dry(command('quarantine', 'redrive')), ownCurl('quarantine/look', {})));
}

function quarantined({ about, looked, messages }) {
  if (!looked && !about) return [nothing('The quarantine is empty, as far as SQS says.')];
  if (!looked) return [nothing(`Nothing came, of about ${about}: another operator may be looking. Look again.`)];
  const meaning = (reason) => (reason ? MEANING[reason] ?? '' : 'failed 100 times on intake, or isn’t Verdict’s');
  const rows = messages.map(({ reason, provider, path, receivedAt, bytes, sha256 }) => [
    [h('b', {}, brief(reason ?? 'no reason')), span('soft', ' ', meaning(reason))],
    brief(provider), brief(path), receivedAt && when(receivedAt), bytes?.toLocaleString('en'), shown(sha256, 16),
  ]);
  return [
    h('p', { class: 'aside' }, `${looked} of about ${about}.`),
    table(['reason', 'provider', 'path', 'arrived', 'bytes', 'body’s SHA-256'], rows, 'quarantined webhooks'),
  ];
}

const SESSION = /^[a-z]+\/./;

function rebuildPanel(signal) {
  const field = h('textarea', { id: 'rebuild-sessions', rows: 3, spellcheck: 'false', required: true });
  const withdraw = h('input', { id: 'withdraw', type: 'checkbox' });
  const preview = h('div', { class: 'dry-run', 'aria-live': 'polite' });
  const sessions = () => field.value.split('\n').map((line) => line.trim()).filter(Boolean);
  const question = () => ({ sessions: sessions(), withdraw: withdraw.checked });
  /** Returns whether each line is a session; the first that isn't is named. */
  const isRight = () => {
    const bad = sessions().find((line) => !SESSION.test(line));
    const advice = ' isn’t a session: write provider/id, such as veriff/f04bdb47-…, one on a line.';
    const told = bad && h('p', { class: 'failure', role: 'alert' }, h('code', {}, shown(bad, 80)), advice);
    if (bad) preview.replaceChildren(told);
    return !bad;
  };
  const submit = async (event) => {
    event.preventDefault();
    if (!isRight()) return;
    preview.replaceChildren(nothing('Reading stored payloads again …'));
    const nodes = await ask('rebuild/preview', { signal, body: question() })
      .then((answer) => rebuildDiff(answer.sessions), (error) => [failure(error)]);
    preview.replaceChildren(...nodes);
  };
  const apply = () => { if (field.reportValidity() && isRight()) rebuildDialog(sessions(), withdraw.checked, signal); };
  const lines = () => {
    const named = sessions().length ? sessions() : ['veriff/…'];
    const options = [...named.flatMap((key) => ['--session', key]), ...(withdraw.checked ? ['--withdraw'] : [])];
    return [dry(command('rebuild', ...options)), dry(ownCurl('rebuild/preview', question()))];
  };
  const form = h('form', { on: { submit } },
    h('label', { for: 'rebuild-sessions' }, 'Sessions, one on a line'), field,
    h('label', { class: 'check', for: 'withdraw' }, withdraw, 'may withdraw a decision that isn’t one'),
    div('acts', h('button', { class: 'plain' }, 'Preview'), button('Rebuild …', apply, { class: 'plain' })));
  return panel('Rebuild', form, preview, terminalOf([field, withdraw], lines));
}

function resendPanel(signal) {
  const attributes = { id: 'resend-session', type: 'text', required: true, spellcheck: 'false', autocomplete: 'off' };
  const key = h('input', { ...attributes, placeholder: 'veriff/f04bdb47-…' });
  const from = h('input', { id: 'resend-from', type: 'number', min: 1, value: 1, required: true });
  const submit = (event) => {
    event.preventDefault();
    resendDialog(key.value.trim(), signal, Number(from.value));
  };
  const lines = () => {
    const body = { session: key.value.trim(), from: Number(from.value), reason: 'dry run', dryRun: true };
    const words = ['notifications', 'resend', body.session || 'veriff/…', '--from', from.value];
    return [dry(command(...words)), dry(ownCurl('resend', body))];
  };
  const form = h('form', { on: { submit } },
    h('label', { for: 'resend-session' }, 'Session'), key,
    h('label', { for: 'resend-from' }, 'From sequence'), from,
    div('acts', h('button', { class: 'plain' }, 'Send again …')));
  return panel('Send messages again', form, terminalOf([key, from], lines));
}

// ---- Try it ----

async function tryIt(place, signal) {
  place.classList.add('view-try');
  const words = 'Samples and scenarios go to the local stack as a provider sends them: signed, over HTTP. All persons '
    + 'in them are made up.';
  place.append(h('h1', {}, 'Try it'), h('p', { class: 'lead' }, words));
  const { samples, scenarios, outage } = await ask('laboratory', { signal });
  const told = toldPanel(), bench = { signal, tell: told.tell };
  const sample = picker('sample', 'Sample', samples, /decision-approved$/);
  const scenario = picker('scenario', 'Scenario', scenarios, /resubmission$/);
  const cards = div('cards', sendCard(sample, bench), playCard(scenario, bench), forgeCard(bench),
    outageCard(outage.remainingSeconds, sample.select, bench));
  place.append(div('try-grid', cards, told.element));
}

/** What happened, the latest first. */
function toldPanel() {
  const list = h('ol', { class: 'told', 'aria-live': 'polite', 'aria-label': 'What happened' });
  const none = nothing('Each webhook that you send is told here, with what Verdict made of it. ',
    h('a', { href: '#/live' }, 'Live'), ' shows it from the inside.');
  const tell = (...parts) => {
    none.remove();
    list.prepend(h('li', {}, when(new Date().toISOString(), true), h('div', {}, parts)));
  };
  return { element: h('section', { class: 'panel happened' }, h('h2', {}, 'What happened'), none, list), tell };
}

function picker(id, label, entries, first) {
  const about = h('p', { class: 'hint about' });
  const options = [...Map.groupBy(entries, ({ provider }) => provider)].map(([provider, group]) => [
    h('option', { disabled: true }, `— ${provider} —`), group.map(({ name }) => h('option', { value: name }, name)),
  ]);
  const describe = () => { about.textContent = entries.find(({ name }) => name === select.value)?.description ?? ''; };
  const select = h('select', { id, on: { change: describe } }, options);
  select.value = (entries.find(({ name }) => first.test(name)) ?? entries[0])?.name;
  describe();
  return { select, nodes: [h('label', { for: id }, label), select, about] };
}

/** A button whose work is told of if it fails; it can't be clicked twice meanwhile. */
function act(text, bench, work, name = 'plain') {
  const node = button(text, async () => {
    node.disabled = true;
    await work().catch((error) => { if (error.name !== 'AbortError') bench.tell(failure(error)); });
    node.disabled = false;
  }, { class: name });
  return node;
}

const card = (title, words, ...content) => panel(title, h('p', { class: 'soft' }, words), ...content);

// Copies that one button sends.
const AT_ONCE = 50;

function sendCard({ select, nodes }, bench) {
  const attributes = { type: 'text', autocomplete: 'off', spellcheck: 'false' };
  const reference = h('input', { id: 'try-reference', ...attributes, value: 'customer-1' });
  const referenceOf = () => reference.value.trim() || null;
  const question = (times) => ({ sample: select.value, session: 'new', reference: referenceOf(), times });
  const send = async (times) => {
    const { answers } = await ask('laboratory/send', { signal: bench.signal, body: question(times) });
    bench.tell(...answersInWords(select.value, answers));
  };
  const lines = () => {
    const words = ['send', select.value, '--session', 'new', ...(referenceOf() ? ['--reference', referenceOf()] : [])];
    const many = [...words, '--times', AT_ONCE, '--concurrency', AT_ONCE];
    return [command(...words), noted(`${AT_ONCE} at once`, command(...many)), ownCurl('laboratory/send', question(1)),
      noted(`${AT_ONCE} at once`, ownCurl('laboratory/send', question(AT_ONCE)))];
  };
  return card('Send a sample', `One webhook of a new session; or the same one ${AT_ONCE} times at once: recorded once.`,
    ...nodes, h('label', { for: 'try-reference' }, 'Reference'), reference,
    div('acts', act('Send', bench, () => send(1), 'strong'), act(`${AT_ONCE} at once`, bench, () => send(AT_ONCE))),
    terminalOf([select, reference], lines));
}

function playCard({ select, nodes }, bench) {
  const play = async () => {
    const { steps } = await ask('laboratory/play', { signal: bench.signal, body: { scenario: select.value } });
    const keys = [...new Set(steps.map((step) => step.session).filter(Boolean))];
    const rows = steps.map(({ sample, outcome, status }) =>
      h('li', {}, glyph(outcome), `${sample}: ${spoken(outcome)} (${status})`));
    bench.tell(`Played ${select.value}: `, keys.map(sessionLink), h('ol', { class: 'steps' }, rows));
  };
  const lines = () =>
    [command('send', '--scenario', select.value), ownCurl('laboratory/play', { scenario: select.value })];
  return card('Play a scenario', 'A whole session in order, late and repeated webhooks included.', ...nodes,
    div('acts', act('Play', bench, play, 'strong')), terminalOf([select], lines));
}

function forgeCard(bench) {
  const forge = async (provider) => {
    const { answers } = await ask('laboratory/forge', { signal: bench.signal, body: { provider } });
    bench.tell(...answersInWords(`A forged webhook of ${capital(provider)}’s`, answers));
  };
  const words = 'A webhook without the provider’s secret. Verdict stores nothing of it, and doesn’t tell the sender '
    + 'why it is refused.';
  const buttons = stack.providers.map((provider) => act(provider, bench, () => forge(provider)));
  const line = ownCurl('laboratory/forge', { provider: stack.providers[0] ?? 'veriff' });
  return card('Forge one', words, div('acts', buttons), terminal(line));
}

function answersInWords(what, answers) {
  const otherwise = (status) => (status === 401 ? 'turned away; the log says why' : 'see Live');
  return answers.map(({ status, outcome, session: key, count }, index) => h('p', {},
    glyph(outcome), index ? '' : `${what}: `,
    h('b', {}, count > 1 ? `${count} × ` : '', outcome ? spoken(outcome) : 'no outcome'), ` (HTTP ${status}), `,
    MEANING[outcome] ?? otherwise(status), '. ', key && sessionLink(key)));
}

// Webhooks that are sent while DynamoDB is away.
const MEANWHILE = 5;
const OUTAGE_SECONDS = 30;

/** Takes DynamoDB away, sends webhooks meanwhile, and shows what becomes of them. */
function outageCard(remainingSeconds, sample, bench) {
  const { signal } = bench, clock = countdown(signal);
  const flights = spooledFlights(signal, (count) =>
    bench.tell(glyph('recorded'), `${counted(count, 'spooled webhook')} recorded by replay.`));
  const begin = (seconds) => {
    clock.begin(seconds);
    flights.watch();
  };
  const take = act(`Take DynamoDB away for ${OUTAGE_SECONDS} s`, bench, async () => {
    const answer = await ask('laboratory/outage', { signal, body: { seconds: OUTAGE_SECONDS } });
    begin(answer.remainingSeconds);
    bench.tell(glyph('failed'), `DynamoDB is away for ${answer.remainingSeconds} s.`);
    const body = { sample: sample.value, session: 'new', reference: 'customer-1', times: 1 };
    const sent = await Promise.all(Array.from({ length: MEANWHILE }, () => ask('laboratory/send', { signal, body })));
    bench.tell(...meanwhileInWords(sent.flatMap(({ answers }) => answers)));
    await clock.end();
    bench.tell(glyph('passed'), 'DynamoDB is back.');
  }, 'strong');
  if (remainingSeconds > 0) begin(remainingSeconds);
  const words = `For ${OUTAGE_SECONDS} seconds no function reaches the table, while ${MEANWHILE} webhooks of new `
    + 'sessions are sent. They are answered 200 and spooled, and come back by themselves.';
  return h('section', { class: 'panel wide outage-card' }, h('h2', {}, 'Take DynamoDB away'),
    h('p', { class: 'soft' }, words), clock.element, ...flights.nodes, div('acts', take),
    terminal(ownCurl('laboratory/outage', { seconds: OUTAGE_SECONDS })));
}

/** What webhooks were answered with while DynamoDB was away, by outcome. */
function meanwhileInWords(answers) {
  return [...Map.groupBy(answers, ({ outcome }) => outcome ?? 'failed')].map(([outcome, some]) => h('p', {},
    glyph(outcome), `${counted(some.length, 'webhook')} sent meanwhile: `, h('b', {}, spoken(outcome)), '; ',
    MEANING[outcome] ?? '', '.'));
}

function countdown(signal) {
  const text = h('b', { class: 'countdown', role: 'timer' }, 'reachable');
  const bar = h('progress', { max: OUTAGE_SECONDS, value: 0, 'aria-label': 'Seconds without DynamoDB' });
  let until = 0;
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const tick = () => {
    bar.value = left();
    text.textContent = left() ? `away, ${left()} s left` : until ? 'back' : 'reachable';
  };
  const timer = setInterval(tick, 250);
  signal.addEventListener('abort', () => clearInterval(timer));
  const begin = (seconds) => { until = Date.now() + seconds * 1000; };
  return { element: div('outage', text, bar), begin, end: () => later(until - Date.now()) };
}

/** The webhooks that were spooled since one watches, each with when `replay` recorded it. Tells once all are. */
function spooledFlights(signal, tell) {
  const list = h('ol', { class: 'flights', 'aria-label': 'Webhooks that were spooled' }), flights = new Map();
  const numbers = { spooled: h('b', {}, '0'), 'on intake': h('b', {}, '–'), 'recorded by replay': h('b', {}, '0') };
  let cursor = null, isWatched = false, toldOf = 0;
  const note = ({ session: key, outcome, at, function: name }) => {
    const flight = flights.get(key);
    if (outcome === 'spooled' && !flight) flights.set(key, { key, since: at, until: null });
    if (outcome === 'recorded' && name === 'replay' && flight) flight.until ??= at;
  };
  const look = async () => {
    const log = await ask(`live?${query({ after: cursor })}`, { signal });
    const { queues } = await ask('queues', { signal });
    // The first look only says where the log is now.
    if (cursor !== null) log.lines.filter((line) => line.session).forEach(note);
    cursor = log.cursor;
    const intake = queues.find(({ name }) => name === 'intake') ?? {}, all = [...flights.values()];
    numbers.spooled.textContent = all.length;
    numbers['on intake'].textContent = (intake.visible ?? 0) + (intake.inFlight ?? 0) + (intake.delayed ?? 0);
    const back = all.filter(({ until }) => until).length;
    numbers['recorded by replay'].textContent = back;
    if (back === all.length && back > toldOf) {
      tell(back - toldOf);
      toldOf = back;
    }
    follow(list, all, ({ key }) => key, flightRow);
  };
  const watch = () => {
    if (!isWatched) poll(signal, 1, look);
    isWatched = true;
  };
  return { nodes: [facts(Object.entries(numbers)), list], watch };
}

const flightRow = ({ key, since, until }) => h('li', {},
  badge('spooled'), ' → ', until ? badge('recorded') : span('soft', 'waiting'),
  span('soft flight-time', until ? `after ${lasting(secondsBetween(since, until))}` : ''), sessionLink(key));

// ---- Views and keys ----

const VIEWS = { live, find, session, operations, try: tryIt };
let view = null;

/** Takes the token out of the address, which is seen on the screen and kept in the browser's history. */
function takeToken() {
  const token = /^#token=([\w-]+)/.exec(location.hash)?.[1];
  if (!token) return false;
  sessionStorage.setItem('verdict.token', token);
  history.replaceState(null, '', `${location.pathname}#/live`);
  return true;
}

function route() {
  const isNew = takeToken();
  if (!sessionStorage.getItem('verdict.token')) return lost('no_token');
  if (isNew || !stack.version) return start();
  const [name, ...rest] = location.hash.slice(2).split('/');
  const isThere = Object.hasOwn(VIEWS, name) && (name !== 'try' || stack.laboratory);
  show(isThere ? name : 'live', rest);
}

function show(name, rest) {
  view?.abort();
  view = new AbortController();
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  const place = div('view'), { signal } = view;
  $('main').replaceChildren(place);
  $('main').scrollTop = 0;
  $('main').focus({ preventScroll: true });
  document.title = `Verdict: ${name === 'try' ? 'try it' : name}`;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === (name === 'session' ? 'find' : name)) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  Promise.resolve().then(() => VIEWS[name](place, signal, rest)).catch((error) => place.append(failure(error, route)));
}

async function start() {
  try {
    stack = await ask('stack');
  } catch (error) {
    trouble(error, 3);
    if (!Object.hasOwn(LOST, error.code) || error.code === 'no_answer') setTimeout(start, 3000);
    return;
  }
  const where = ` ${stack.isLocal ? 'local' : stack.region} `;
  $('stack').replaceChildren(h('b', {}, brief(stack.name)), where, span('soft', brief(stack.version)));
  document.querySelector('nav a[data-view=try]').hidden = !stack.laboratory;
  pulse('well');
  route();
}

const THEMES = { auto: 'light', light: 'dark', dark: 'auto' };
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $('theme').textContent = theme;
  localStorage.setItem('verdict.theme', theme);
}
function setZone(utc) {
  isUtc = utc;
  $('zone').textContent = utc ? 'UTC' : 'local time';
  $('zone').setAttribute('aria-pressed', String(utc));
  localStorage.setItem('verdict.zone', utc ? 'utc' : 'local');
}

/** Goes through the rows of the list that has the focus, or of the first one. */
function move(by) {
  const list = document.activeElement?.closest('[data-list]') ?? document.querySelector('[data-list]');
  const rows = [...(list?.querySelectorAll('.feed-row, .session-row, summary') ?? [])]
    .filter((row) => row.checkVisibility());
  const index = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, index < 0 ? 0 : index + by))]?.focus();
}

const go = (name) => { location.hash = `#/${name}`; };
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Escape: closeOpened,
  '/': () => (location.hash === '#/find' ? enterBox() : go('find')),
  '?': () => $('help').showModal(),
  1: () => go('live'),
  2: () => go('find'),
  3: () => go('operations'),
  4: () => { if (stack.laboratory) go('try'); },
};

/** Closes what is open, or leaves a field, so that keys are keys again. */
function closeOpened() {
  if (document.activeElement?.matches('input, textarea, select')) return $('main').focus({ preventScroll: true });
  const node = document.activeElement?.closest('details[open]');
  if (!node) return;
  node.open = false;
  node.querySelector('summary').focus();
}

function onKey(event) {
  const { key, target, ctrlKey, metaKey, altKey } = event, isEscape = key === 'Escape';
  const isTyping = target.closest('input, textarea, select') !== null && !isEscape;
  const isElsewhere = key.startsWith('Arrow') && !target.closest('[data-list]');
  if (ctrlKey || metaKey || altKey || isTyping || isElsewhere || document.querySelector('dialog[open]')) return;
  if (!Object.hasOwn(KEYS, key)) return;
  if (!isEscape) event.preventDefault();
  KEYS[key]();
}

const theme = localStorage.getItem('verdict.theme');
setTheme(Object.hasOwn(THEMES, theme) ? theme : 'auto');
setZone(isUtc);
$('theme').addEventListener('click', () => setTheme(THEMES[$('theme').textContent]));
$('zone').addEventListener('click', () => { setZone(!isUtc); route(); });
$('keys').addEventListener('click', () => $('help').showModal());
document.querySelector('.skip').addEventListener('click', (event) => { event.preventDefault(); $('main').focus(); });
document.addEventListener('keydown', onKey);
addEventListener('hashchange', () => { if (/^#(\/|token=)/.test(location.hash)) route(); });
route();

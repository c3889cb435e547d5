"""The console's page has no way to take a stranger's text for more than text, as far as its own text shows."""
from __future__ import annotations

import pytest

from see.lint import FILES, PAGE, findings


@pytest.mark.parametrize("file", FILES)
def test_the_page_holds_nothing_that_makes_elements_of_text_runs_text_or_loads_from_elsewhere(file):
    assert list(map(str, findings(file, (PAGE / file).read_text("utf-8")))) == []


def test_the_page_has_no_other_files():
    assert sorted(path.name for path in PAGE.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("text", [
    "node.innerHTML = name",
    "node.outerHTML = name",
    "node['inner' + 'HTML'] = name",
    "node[`${'inner'}` + 'HTML'] = name",
    "node.insertAdjacentHTML('beforeend', name)",
    "node.setHTMLUnsafe(name)",
    "Document.parseHTMLUnsafe(name)",
    "range.createContextualFragment(name)",
    "frame.srcdoc = name",
    "document.write(name)",
    "document.writeln(name)",
    "document['write'](name)",
    "new DOMParser().parseFromString(name, 'text/html')",
    "eval(name)",
    "window.eval(name)",
    "new Function(name)()",
    "Function(name)()",
    "setTimeout('act()', 10)",
    "setInterval(`act()`, 10)",
    "import('./more.js')",
    "import x from './more.js'",
    "new Worker(name)",
    "navigator.serviceWorker.register(name)",
    "node.setAttribute('onclick', name)",
    "node.onclick = act",
    "node.style.cssText = name",
    "node.setAttribute('style', name)",
    "node.href = 'javascript:act()'",
    "node.href = name",
    "image.src = name",
    "form.action = name",
    "location = name",
    "location.assign(name)",
    "window.open(name)",
    "document.cookie = name",
    "new WebSocket(name)",
    "new EventSource(name)",
    "navigator.sendBeacon(name)",
    "addEventListener('message', act)",
    "parent.postMessage(name, '*')",
    "fetch('https://elsewhere.example/x')",
    "fetch('//elsewhere.example/x')",
    "document.createElement('script')",
    "document.createElement('img')",
    'document.createElement("iframe")',
    "document.createElement(name)",
    "document.createElementNS('http://www.w3.org/2000/svg', 'foreignObject')",
    "document.createElementNS(SVG, 'use')",
    "const h = (tag, ...rest) => filled(document.createElement(tag), rest);\nh('script')",
    "const h = (tag, ...rest) => filled(document.createElement(tag), rest);\nh(name, {})",
    "const s = (tag, ...rest) => filled(document.createElementNS(SVG, tag), rest);\ns('animate', {})",
    "const ATTRIBUTES = new Set(`class id src`.split(' '))",
    "const ATTRIBUTES = new Set(`class\n id\n onload`.split(' '))",
    "node.setAttribute(name, value)",
])
def test_the_lint_finds_it_in_a_script(text):
    assert findings("console.js", f"// The page.\n{text}\n") != []


@pytest.mark.parametrize("text", [
    "<p onclick='act()'>",
    "<p style='color: red'>",
    "<style>p { color: red }</style>",
    "<script>act()</script>",
    "<script type=module>act()</script>",
    "<script src=https://elsewhere.example/x.js></script>",
    "<script src=/api/x.js></script>",
    "<link rel=stylesheet href=//elsewhere.example/x.css>",
    "<img src=x>",
    "<a href='javascript:act()'>go</a>",
    "<a href=https://elsewhere.example>go</a>",
    "<form action=https://elsewhere.example></form>",
    "<iframe srcdoc='<p>'></iframe>",
    "<object data=x></object>",
    "<embed src=x>",
    "<base href=/elsewhere/>",
    "<meta http-equiv=refresh content='0;url=x'>",
])
def test_the_lint_finds_it_in_the_document(text):
    assert findings("index.html", f"<!doctype html>\n{text}\n") != []


@pytest.mark.parametrize("text", [
    "@import 'more.css';",
    "p { background: url(x.png) }",
    "p { background: url('https://elsewhere.example/x.png') }",
    "p { background: image-set('x.png' 1x) }",
    "p { width: expression(act()) }",
])
def test_the_lint_finds_it_in_the_style_sheet(text):
    assert findings("console.css", text) != []


@pytest.mark.parametrize("file, text", [
    ("console.js", "const SVG = 'http://www.w3.org/2000/svg';\nnode.textContent = name;\nlocation.hash = '#/live';\n"
                   "setTimeout(act, 10); setTimeout(() => act(), 10);\n"
                   "const h = (tag, ...rest) => filled(document.createElement(tag), rest);\nh('p', {}, name);\n"
                   "node.addEventListener('click', act); const one = 'once';\nnode.setAttribute('href', value)"),
    ("index.html", "<!doctype html><link rel=stylesheet href=/console.css><script src=/console.js></script>"
                   "<a href='#/live'>Live</a>"),
    ("console.css", "p { color: red; background: linear-gradient(red, blue) }"),
])
def test_the_lint_leaves_ordinary_text_alone(file, text):
    assert findings(file, text) == []


def test_a_finding_names_its_line():
    assert [str(each) for each in findings("console.js", "\n\neval(x)")] == ["console.js:3: eval and Function run text"]

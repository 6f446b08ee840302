"""A headless Chromium, driven by the DevTools protocol over a pipe.

Messages are JSON, each ended by a zero byte; the browser reads them from its descriptor 3 and
writes to 4 (--remote-debugging-pipe). https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = shutil.which("chromium")
ANSWER_S = 60
WAIT_S = 20
# What a question to a page is answered with that left while it was asked.
PAGE_REPLACED = ("Inspected target navigated or closed", "Execution context was destroyed.")
# Debian runs the tests as root, where Chromium's sandbox does not work; the pages are our own.
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--no-first-run", "--disable-extensions", "--disable-background-networking",
           "--hide-scrollbars", "--lang=en-US", "--remote-debugging-pipe"]

# The texts that are harder to read than WCAG 2.2 AA allows (4.5 to 1), each with its contrast.
HARD_TO_READ = """(() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (color) => {
    const [r, g, b] = [...rgba(color)].map((part) => part / 255).map(
      (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return rgba(color)[3] > 0 || !element.parentElement ? color : ground(element.parentElement);
  };
  return [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && !element.disabled &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
  ).map((element) => {
    const both = [getComputedStyle(element).color, ground(element)].map(luminance);
    const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    return [element.textContent.trim(), contrast];
  }).filter(([, contrast]) => contrast < 4.5);
})()"""


def high_pipe():
    """A pipe whose ends lie above 3 and 4, so that they are free to be set."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high


class Browser:
    """One browser; close() it."""

    def __init__(self, profile_dir):
        to_read, self._out = high_pipe()
        self._in, to_write = high_pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", 'exec "${@:3}" 3<&"$1" 4>&"$2"', "bash", str(to_read), str(to_write),
             CHROMIUM, *OPTIONS, f"--user-data-dir={profile_dir}"],
            pass_fds=(to_read, to_write), env={**os.environ, "TZ": "UTC"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._last_id = 0
        self._pages = {}  # by session id

    def close(self):
        self._process.terminate()
        self._process.wait(ANSWER_S)
        os.close(self._in)
        os.close(self._out)

    def open(self, url):
        """A new page that has loaded."""
        page = self._attach(self.call("Target.createTarget", {"url": "about:blank"})["targetId"])
        page.call("Page.navigate", {"url": url})
        page.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page

    def opened(self, beginning):
        """The tab that a page has opened, or will soon, whose address begins so."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for one in self.call("Target.getTargets")["targetInfos"]:
                if one["type"] == "page" and one["url"].startswith(beginning):
                    page = self._attach(one["targetId"])
                    page.wait_for("document.readyState === 'complete'")
                    return page
            time.sleep(0.05)  # tidy(sleep): a poll of the browser
        raise AssertionError(f"no page was opened at {beginning}")

    def _attach(self, target):
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, target, session["sessionId"])
        self._pages[session["sessionId"]] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        return page

    def close_pages(self):
        while self._pages:
            _, page = self._pages.popitem()
            self.call("Target.closeTarget", {"targetId": page.target})

    def call(self, method, parameters=None, session=None):
        """Sends a command and gives its result."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        pending = json.dumps(message).encode() + b"\0"
        while pending:
            pending = pending[os.write(self._out, pending):]
        deadline = time.monotonic() + ANSWER_S
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self._last_id:
                if answer.get("error", {}).get("message") in PAGE_REPLACED:
                    raise PageReplaced(method)
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if answer.get("sessionId") in self._pages:
                self._pages[answer["sessionId"]].note(answer)

    def _read(self, deadline):
        while b"\0" not in self._buffer:
            left = max(0, deadline - time.monotonic())
            ready, _, _ = select.select([self._in], [], [], left)
            piece = os.read(self._in, 1 << 20) if ready else b""
            assert piece, "the browser does not answer"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class PageReplaced(Exception):
    """The page that was asked gave way to another before it answered."""


class Page:
    """A tab. `problems` are the errors and warnings that the browser noted in it."""

    def __init__(self, browser, target, session):
        self._browser = browser
        self._session = session
        self.target = target
        self.problems = []

    def call(self, method, parameters=None):
        return self._browser.call(method, parameters, self._session)

    def note(self, event):
        parameters = event["params"]
        if event["method"] == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters["exceptionDetails"]))
        elif event["method"] == "Runtime.consoleAPICalled":
            if parameters["type"] in ("error", "warning", "assert"):
                self.problems.append(json.dumps(parameters["args"]))
        elif event["method"] == "Log.entryAdded":
            if parameters["entry"]["level"] in ("error", "warning"):
                entry = parameters["entry"]
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")

    def run(self, script):
        """The value of an expression, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", {"expression": script, "awaitPromise": True,
                                                "returnByValue": True})
        assert "exceptionDetails" not in result, json.dumps(result["exceptionDetails"], indent=1)
        return result["result"].get("value")

    def wait_for(self, condition, seconds=WAIT_S):
        """Returns the condition's value as soon as it is truthy; fails if it never is."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # The page waits. One that is just being replaced, or that has not been read whole, so
            # that a condition cannot be asked yet, only ends a turn.
            try:
                value = self.run(f"""new Promise((resolve) => {{
                    const until = performance.now() + 1000;
                    const look = () => {{
                      let value = false;
                      try {{ value = ({condition}); }} catch {{ /* asked too early */ }}
                      if (value || performance.now() > until) resolve(value);
                      else setTimeout(look, 20);
                    }};
                    look();
                  }})""")
            except PageReplaced:
                continue
            if value:
                return value
        raise AssertionError(f"never came true: {condition}\n{self.run('document.body.innerText')}"
                             f"\n{self.problems}")

    def click(self, selector):
        """Clicks with the mouse where the element is."""
        x, y = self.run(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{ block: "center", behavior: "instant" }});
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
          }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y,
                                                   "button": "left", "clickCount": 1})

    def type(self, text):
        """Types into what has the focus."""
        self.call("Input.insertText", {"text": text})

    def press(self, key, code):
        """Presses a key such as "Enter", 13."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", {
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {})})

    def show_as(self, width, height, scheme):
        """Takes the shape of a screen; scheme is light or dark."""
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.call("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def reload(self):
        self.run("window.stale = true")
        self.call("Page.reload")
        self.wait_for("document.readyState === 'complete' && !window.stale")

    def go_offline(self, offline):
        self.call("Network.emulateNetworkConditions", {
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def screenshot(self, path):
        image = self.call("Page.captureScreenshot", {"format": "png"})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(image["data"]))

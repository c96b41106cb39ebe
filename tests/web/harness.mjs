// What every test of the page stands on: a browser, pages that must stay clean, accessibility checks, screenshots.
// Clean means: no error in the console (a violated content security policy is one), nothing thrown, and no request to
// anything but the stack.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, firefox } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [shots] = process.argv.slice(4);

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});

/** Debian's own Firefox, over WebDriver BiDi. */
export const firefoxPath = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
export const launchFirefox = () => firefox.launch({ channel: "moz-firefox", executablePath: firefoxPath, timeout: 90000 });

let tests = 0;
export async function test(name, body) {
  const began = Date.now();
  try {
    await body();
  } catch (error) {
    console.log(`FAIL  ${name}`);
    await browser.close();
    throw error;
  }
  tests++;
  console.log(`ok    ${name} (${Date.now() - began} ms)`);
}
export const count = () => tests;

/** A page in a browser profile of its own. `page.expected`: console errors that a test provokes. */
export async function open(address, options = {}, from = browser) {
  const context = await from.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  page.expected = [];
  page.problems = [];
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(new URL(address).origin) && !url.startsWith("blob:") && !url.startsWith("data:")) page.problems.push(`asked elsewhere: ${url}`);
  });
  await page.goto(address);
  return page;
}

/** The end of a page, which must have been clean. The picture comes last: in Firefox taking it breaks the policy. */
export async function close(page, picture) {
  const problems = page.problems.filter((text) => !page.expected.some((part) => text.includes(part)));
  assert.deepEqual(problems, []);
  if (picture) await page.screenshot({ path: picture });
  await page.context().close();
}

/** No violation of axe's rules, WCAG 2.2 AA and best practices. */
export async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(" ")} (${node.failureSummary})`).join("; ")}`);
  assert.deepEqual(found, [], what);
}

/** A picture in light, dark and at phone width, each checked for accessibility and for width. */
export async function shoot(page, name) {
  const looks = [
    { look: "light", colorScheme: "light", width: 1280, height: 800 },
    { look: "dark", colorScheme: "dark", width: 1280, height: 800 },
    { look: "phone", colorScheme: "light", width: 390, height: 844 },
  ];
  for (const { look, colorScheme, width, height } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(200);
    await page.screenshot({ path: join(shots, `${name}-${look}.png`) });
    await accessible(page, `${name}, ${look}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name}, ${look}: ${wide} px too wide`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Answers /v1/chat/completions with these deltas instead of a model: for what a random model cannot be brought to say. */
export async function fakeAnswer(page, deltas) {
  const events = deltas.map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }] }));
  events.push({
    choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
    seed: 7,
    timings: { tokens_per_second: 42, predicted_n: 99, prompt_n: 5, prefill_ms: 1, decode_ms: 1, cached_tokens: 0 },
    reproducibility: "ab".repeat(32),
  });
  const body = [...events.map((event) => JSON.stringify(event)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("");
  await page.route("**/v1/chat/completions", (route) => route.fulfill({ status: 200, contentType: "text/event-stream", body }));
}

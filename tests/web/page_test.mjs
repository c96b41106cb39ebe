// The page as a person uses it. Usage: node page_test.mjs SHIPPED CHATTING SHOTS MODEL STORE: the addresses of a stack with
// the shipped models alone and of one with a model named "chat" besides, a folder for screenshots, a file that chats, and
// the folder where `pintle pull` would put it.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { accessible, browser, close, count, fakeAnswer, firefoxPath, launchFirefox, open, shoot, test } from "./harness.mjs";

const [shipped, chatting, shots, model, store] = process.argv.slice(2);
const ghost = (page) => page.locator(".cm-ghost");
const answers = (page) => page.locator("article.assistant");
const message = (page) => page.getByLabel("Message", { exact: true });
const written = (page) => page.locator("article.assistant[aria-busy=false] .facts").last().waitFor();

async function ask(page, text) {
  await message(page).fill(text);
  await message(page).press("Enter");
}
async function sampling(page, fields) {
  await page.getByRole("button", { name: "Sampling", exact: true }).click();
  for (const [label, value] of Object.entries(fields)) {
    await page.getByLabel(label).fill(value);
    await page.getByLabel(label).blur();
  }
  await page.getByRole("button", { name: "Close sampling" }).click();
}

await test("without a model that chats the page opens on Code, and Chat says how to bring one", async () => {
  const page = await open(shipped);
  await page.getByRole("link", { name: "Code" }).and(page.locator("[aria-current=page]")).waitFor();
  await page.getByRole("link", { name: "Chat", exact: true }).click();
  await page.getByRole("heading", { name: "No model here chats yet" }).waitFor();
  assert.ok(await message(page).isDisabled());
  await shoot(page, "chat-first");
  await close(page);
});

await test("models can be fetched: those that fit, by name, with their progress", async () => {
  const page = await open(shipped);
  const entry = { id: "one", name: "Model One", size_bytes: 6.4e8, ram_bytes: 1.9e9, licence: "Apache-2.0", gated: false, fits: true, state: "absent", progress: 0 };
  const models = [entry, { ...entry, id: "two", name: "Model Two", fits: false }, { ...entry, id: "three", name: "Model Three", gated: true }];
  await page.route("**/v1/catalogue", (route) => route.fulfill({ json: { models } }));
  await page.route("**/v1/catalogue/pull", (route) => {
    assert.deepEqual(route.request().postDataJSON(), { id: "one" });
    Object.assign(entry, { state: "pulling", progress: 0.25 });
    return route.fulfill({ status: 202, json: { models } });
  });
  await page.getByRole("link", { name: "Chat", exact: true }).click();
  await page.getByText("Model One").waitFor();
  assert.equal(await page.getByText("Model Two").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Fetch" }).count(), 1);
  await page.getByRole("button", { name: "Fetch" }).click();
  await page.getByText("25 %").waitFor();
  await shoot(page, "chat-fetching");
  Object.assign(entry, { state: "verified", progress: 1 });
  await page.getByText("it joins the menu").waitFor();
  await close(page);
});

await test("where a model chats already, more can be fetched, and the conversation is still there after", async () => {
  const page = await open(chatting);
  const entry = { id: "one", name: "Model One", size_bytes: 6.4e8, ram_bytes: 1.9e9, licence: "Apache-2.0", gated: false, fits: true, state: "absent", progress: 0 };
  await page.route("**/v1/catalogue", (route) => route.fulfill({ json: { models: [entry, { ...entry, id: "chat", name: "Model Two", state: "verified" }] } }));
  await ask(page, "Hello");
  await written(page);
  await page.getByRole("button", { name: "More models" }).click();
  await page.getByRole("button", { name: "Fetch" }).waitFor();
  await page.getByText("In the menu.").waitFor();
  assert.equal(await page.getByRole("heading", { name: "No model here chats yet" }).count(), 0);
  await accessible(page, "the catalogue");
  await page.getByRole("button", { name: "More models" }).click();
  await answers(page).waitFor();
  await close(page);
});

await test("code: M31R completes; Tab takes it, Escape sends it away, a key cancels the request", async () => {
  const page = await open(`${shipped}#code`);
  const answered = page.waitForResponse("**/infill");
  await ghost(page).waitFor();
  assert.equal((await answered).status(), 200);
  const editor = page.getByLabel("Rust code");
  const text = () => editor.evaluate((node) => [...node.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n"));
  await page.getByTestId("facts").filter({ hasText: "first after" }).waitFor();
  await shoot(page, "code");
  const suggested = await ghost(page).textContent();
  await editor.press("Escape");
  assert.equal(await ghost(page).count(), 0);
  assert.ok(!(await text()).includes(suggested));
  await editor.press("Control+Space");
  await ghost(page).waitFor();
  await page.getByTestId("facts").filter({ hasText: "tokens" }).waitFor();
  const whole = await ghost(page).textContent();
  await editor.press("Tab");
  assert.equal(await ghost(page).count(), 0);
  assert.ok((await text()).includes(whole));

  const cancelled = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/infill"));
  await page.route("**/infill", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue().catch(() => {});
  });
  const asked = page.waitForRequest("**/infill");
  await editor.pressSequentially("\n");
  await asked;
  await editor.pressSequentially("x");
  assert.match((await cancelled).failure().errorText, /ABORTED/);
  await page.unrouteAll({ behavior: "ignoreErrors" });

  await page.getByLabel("Begin with an example").selectOption("A stack");
  await ghost(page).waitFor();
  assert.match(await text(), /pub struct Stack/);
  await close(page);
});

await test("chat: an answer streams, shows its figures, and comes again with the same seed", async () => {
  const page = await open(chatting);
  await message(page).waitFor();
  await shoot(page, "chat-empty");
  await sampling(page, { Seed: "7", "Longest answer, tokens": "48" });
  await ask(page, "Tell me about the sea");
  await answers(page).waitFor();
  await written(page);
  const first = await answers(page).locator(".markdown, .thoughts").allTextContents();
  assert.ok(first.join("").length > 0);
  assert.match(await answers(page).locator(".facts").textContent(), /chat · 48 tokens · .*first after .*seed 7/s);
  await page.getByRole("button", { name: "Answer again" }).click();
  await page.getByText("2 of 2").waitFor();
  await written(page);
  assert.deepEqual(await answers(page).locator(".markdown, .thoughts").allTextContents(), first);
  await page.getByRole("button", { name: "Earlier version" }).click();
  await page.getByText("1 of 2").waitFor();

  // A turn more, then another question in its place: nothing is lost.
  await ask(page, "And the wind?");
  await page.getByText("And the wind?", { exact: true }).last().waitFor();
  await answers(page).nth(1).locator(".facts").waitFor();
  await page.getByRole("button", { name: "Edit" }).last().click();
  await page.getByLabel("Edit the question").fill("And the rain?");
  await page.getByLabel("Edit the question").press("Enter");
  await page.getByText("2 of 2").waitFor();
  await answers(page).nth(1).locator(".facts").waitFor();
  await page.getByRole("button", { name: "Earlier version" }).last().click();
  await page.locator(".bubble", { hasText: "And the wind?" }).waitFor();

  // A branch is a conversation of its own; all of it is there after a reload.
  await page.getByRole("button", { name: "Branch from here" }).first().click();
  const list = page.getByRole("complementary", { name: "Conversations" }).getByRole("listitem");
  assert.equal(await list.count(), 2);
  assert.equal(await answers(page).count(), 1);
  await page.reload();
  await list.nth(1).waitFor();
  await list.nth(1).getByRole("button").first().click();
  await page.locator(".bubble", { hasText: "And the wind?" }).waitFor();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export all" }).click();
  const exported = JSON.parse(readFileSync(await (await download).path(), "utf8"));
  assert.equal(exported.length, 2);
  await page.getByRole("button", { name: /^Delete Tell me/ }).first().click();
  await page.getByRole("button", { name: /^Really delete Tell me/ }).click();
  assert.equal(await list.count(), 1);

  // The file brings back what was deleted, and nothing twice; what is no such file changes nothing and says why.
  const take = (text) => page.getByLabel("Import").setInputFiles({ name: "chats.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await take(JSON.stringify(exported));
  await page.getByText("1 of 2 conversations came in.").waitFor();
  assert.equal(await list.count(), 2);
  await list.nth(0).getByRole("button").first().click();
  const later = structuredClone(exported);
  for (const each of later) {
    each.at += 1e6;
    for (const turn of Object.values(each.turns)) if (turn.role === "user") turn.text = "Said elsewhere";
  }
  await take(JSON.stringify(later));
  await page.getByText("2 of 2 conversations came in.").waitFor();
  await page.locator(".bubble", { hasText: "Said elsewhere" }).first().waitFor(); // also what is open
  for (const [text, why] of [
    ["{", "chats.json was not imported"],
    ['{"a": 1}', "it holds no list of conversations"],
    ['[{"id":"x","at":1,"turns":{"a":{"id":"a","parent":"b","role":"user","text":"x"}},"leaf":"a"}]', "hangs on nothing"],
    ['[{"id":"x","at":1,"turns":{"a":{"id":"a","parent":"a","role":"user","text":"x"}},"leaf":"a"}]', "hangs on nothing"],
  ]) {
    await take(text);
    await page.getByText(why).waitFor();
  }
  assert.equal(await list.count(), 2);
  await page.reload();
  await list.nth(1).waitFor();
  await close(page);
});

await test("chat: an answer can be stopped, and what was written stays", async () => {
  const page = await open(chatting);
  await ask(page, "Talk for as long as you can");
  await answers(page).locator(".markdown, .thoughts").first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("stopped").waitFor();
  assert.ok((await answers(page).locator(".markdown, .thoughts").first().textContent()).length > 0);
  await page.getByRole("button", { name: "Send" }).waitFor();
  await close(page);
});

await test("chat: Markdown is shown, HTML and scripts never are", async () => {
  const page = await open(chatting);
  const code = '```rust\nfn main() {\n    println!("hello"); // greet\n}\n```';
  const parts = [
    "# Sorting\n\nA **stable** sort keeps *equal* items in order:\n\n",
    `${code}\n\n`,
    "| sort | time |\n|---|---:|\n| merge | n log n |\n| bubble | n² |\n\n",
    "1. divide\n2. conquer\n\n- [x] read\n- [ ] write\n\n> simple is best\n\n",
    'See [the book](https://doc.rust-lang.org/book/) and [this](javascript:alert(1)). `a < b` &amp; more.\n\n',
    '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script> ![picture](https://elsewhere.example/x.png)',
  ];
  await fakeAnswer(page, [{ reasoning_content: "The reader wants to sort." }, ...parts.map((content) => ({ content }))]);
  await ask(page, "How do I sort?");
  await written(page);
  const answer = answers(page).first();
  assert.equal(await answer.locator("img, script").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.match(await answer.textContent(), /<img src=x onerror/);
  assert.equal(await answer.locator("pre .keyword").first().textContent(), "fn");
  assert.equal(await answer.locator("pre .comment").textContent(), "// greet");
  assert.equal(await answer.locator("td").count(), 4);
  const links = await answer.locator("a").evaluateAll((all) => all.map((a) => [a.href, a.rel]));
  assert.deepEqual(links.map(([href]) => href), ["https://doc.rust-lang.org/book/", "https://elsewhere.example/x.png"]);
  assert.ok(links.every(([, rel]) => rel.includes("noopener")));
  assert.ok(!(await answer.getByText("The reader wants to sort.").isVisible()));
  await answer.getByText("Thoughts").click();
  assert.ok(await answer.getByText("The reader wants to sort.").isVisible());
  await shoot(page, "chat");
  await close(page);
});

await test("chat: a failure is said, loses no text, and can be tried again", async () => {
  const page = await open(chatting);
  page.expected.push("Failed to load resource");
  await page.route("**/v1/chat/completions", (route) => route.fulfill({
    status: 429, contentType: "application/json", body: '{"error":{"message":"the queue is full","code":"queue_full"}}' }));
  await ask(page, "Are you there?");
  await page.getByRole("alert").filter({ hasText: "the queue is full" }).waitFor();
  await page.locator(".bubble", { hasText: "Are you there?" }).waitFor();
  await accessible(page, "a failed answer");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("stopped").waitFor();
  await page.getByText("2 of 2").waitFor();
  await close(page);
});

await test("an answer is read aloud, sentence by sentence", async () => {
  const page = await open(chatting);
  await fakeAnswer(page, [{ content: "This is the first sentence of two.\n\n```\nnot this\n```\n\nHere the second one follows at once." }]);
  await ask(page, "Speak");
  await written(page);
  const said = [];
  page.on("request", (request) => request.url().endsWith("/v1/audio/speech") && said.push(request.postDataJSON().input));
  const sound = page.waitForResponse("**/v1/audio/speech");
  await page.getByRole("button", { name: "Read aloud" }).click();
  assert.equal((await sound).headers()["content-type"], "audio/wav");
  await page.getByRole("button", { name: "Stop reading" }).waitFor();
  await page.getByRole("button", { name: "Read aloud" }).waitFor({ timeout: 30000 });
  assert.deepEqual(said, ["This is the first sentence of two.", "Here the second one follows at once."]);
  await close(page);
});

await test("status: nodes, models, memory, and a plot that lives", async () => {
  const page = await open(`${chatting}#status`);
  await page.getByRole("row", { name: /^chat/ }).waitFor();
  await page.getByRole("row", { name: /^m31r-6m.*loaded/ }).waitFor();
  await page.getByText("all ready").waitFor();
  await page.getByRole("listitem").filter({ hasText: /gateway\s+[\d.]+ MB/ }).waitFor();
  await page.getByRole("listitem").filter({ hasText: /speech\s+[\d.]+ MB/ }).waitFor();
  await fetch(`${chatting}/v1/completions`, { method: "POST", body: '{"model":"m31r-6m","prompt":"pub fn ","max_tokens":64}' });
  await page.waitForFunction(() => /L/.test(document.querySelector("path.line")?.getAttribute("d") ?? ""));
  await shoot(page, "status");
  await page.getByRole("button", { name: "Unload m31r-1m" }).click();
  await page.getByRole("row", { name: /^m31r-1m.*unloaded/ }).waitFor();
  await page.getByRole("button", { name: "Load m31r-1m" }).click();
  await page.getByRole("row", { name: /^m31r-1m.*loaded/ }).waitFor();
  await close(page);
});

await test("keyboard, colours and places", async () => {
  const page = await open(chatting);
  await message(page).waitFor();
  await message(page).fill("half a sentence");
  await page.getByRole("button", { name: "Model: chat" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("listbox").waitFor();
  await accessible(page, "the model menu");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("listbox").count(), 0);
  await page.getByRole("button", { name: /^Colours: system/ }).click();
  await page.getByRole("button", { name: /^Colours: light/ }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.reload();
  await message(page).waitFor();
  assert.equal(await message(page).inputValue(), "half a sentence");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByRole("link", { name: "Status" }).click();
  await page.goBack();
  await message(page).waitFor();
  await page.getByRole("button", { name: "Sampling", exact: true }).click();
  await accessible(page, "sampling");
  await page.setViewportSize({ width: 390, height: 844 });
  await accessible(page, "sampling on a phone");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Conversations" }).click();
  await page.getByRole("button", { name: "New chat" }).click();
  await message(page).waitFor();
  await close(page);
});

await test("where keys are wanted, the page asks for one", async () => {
  const page = await open(chatting);
  page.expected.push("Failed to load resource");
  const wanted = "Bearer a-key-of-the-tests";
  await page.route("**/v1/models", (route) =>
    route.request().headers().authorization === wanted
      ? route.continue()
      : route.fulfill({ status: 401, json: { error: { message: "an API key is needed", code: "invalid_api_key" } } }));
  await page.getByLabel("API key").fill("a-key-of-the-tests");
  await accessible(page, "the key prompt");
  await page.getByRole("button", { name: "Open" }).click();
  await message(page).waitFor();
  await close(page);
});

// The last one: it changes what the stack serves.
await test("a model that is put in its place joins the menu and chats, without a restart", async () => {
  const page = await open(`${shipped}#chat`);
  await page.getByRole("heading", { name: "No model here chats yet" }).waitFor();
  mkdirSync(store, { recursive: true });
  copyFileSync(model, `${store}/placed.gguf`);
  await page.getByRole("button", { name: "Model: placed" }).waitFor();
  await ask(page, "Who are you?");
  await written(page);
  assert.match(await answers(page).locator(".facts").textContent(), /placed · \d+ tokens/);
  await close(page);
});

await browser.close();
if (existsSync(firefoxPath)) {
  const other = await launchFirefox();
  await test("Firefox: code is completed, and a chat answers", async () => {
    const page = await open(`${chatting}#code`, {}, other);
    await ghost(page).waitFor();
    await page.getByRole("link", { name: "Chat", exact: true }).click();
    await sampling(page, { Seed: "7", "Longest answer, tokens": "32" });
    await ask(page, "Tell me about the sea");
    await written(page);
    assert.match(await answers(page).locator(".facts").textContent(), /chat · 32 tokens/);
    await page.getByRole("link", { name: "Code" }).click();
    await ghost(page).waitFor();
    await close(page, `${shots}/code-firefox.png`);
  });
  await other.close();
} else {
  console.log("skip  Firefox: there is no firefox-esr");
}
console.log(`${count()} tests passed`);

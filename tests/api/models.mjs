// Models and what a server says of itself: listed, shown, loaded and unloaded; health, readiness, status, metrics.
import { assert, client, messages, OpenAI, post, test, url } from "./lib.mjs";

await test("models are listed and shown", async () => {
  const list = await client.models.list();
  const names = list.data.map((model) => model.id);
  for (const name of ["chat", "m31r-1m", "tts-1"]) assert.ok(names.includes(name), String(names));
  for (const model of list.data) assert.equal(model.object, "model");
  const one = await client.models.retrieve("m31r-1m");
  assert.equal(one.context_window, 512);
  assert.equal(one.origin, "internal");
  assert.equal(one.state, "loaded");
  assert.ok(one.memory_bytes > 0);
  assert.deepEqual(one.capabilities, ["completion", "fim"]);
  assert.match(one.weights_sha256, /^[0-9a-f]{64}$/);
  await assert.rejects(client.models.retrieve("gpt-5"), OpenAI.NotFoundError);
});

await test("a model leaves memory and comes back, pinned", async () => {
  const gone = await client.post("/models/unload", { body: { model: "chat" } });
  assert.equal(gone.state, "unloaded");
  assert.equal(gone.state_reason, "unloaded by a request");
  const back = await client.post("/models/load", { body: { model: "chat", pinned: true } });
  assert.equal(back.state, "loaded");
  assert.equal(back.pinned, true);
  await client.post("/models/unload", { body: { model: "chat" } });
  const answer = await client.chat.completions.create({ model: "chat", messages, max_tokens: 1 });
  assert.ok(answer.timings.load_ms > 0);
});

await test("health, readiness, status, metrics", async () => {
  for (const path of ["/health", "/ready", "/status"]) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.ok((await response.json()).status, path);
  }
  const metrics = await fetch(`${url}/metrics`);
  assert.match(metrics.headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
  assert.match(await metrics.text(), /^# TYPE \w+ counter$/m);
});

await test("request ids come back; unknown fields are named; answers say what they depend on", async () => {
  const body = { model: "m31r-1m", prompt: "fn ", max_tokens: 2, user: "somebody", colour: "red" };
  const response = await fetch(`${url}/v1/completions`, {
    method: "POST", body: JSON.stringify(body), headers: { "x-request-id": "mine-7" } });
  assert.equal(response.headers.get("x-request-id"), "mine-7");
  assert.match(response.headers.get("x-pintle-ignored"), /colour/);
  const answer = await response.json();
  assert.equal(answer.seed, 0);
  assert.match(answer.reproducibility, /^[0-9a-f]{64}$/);
  for (const field of ["queue_ms", "load_ms", "prefill_ms", "decode_ms", "tokens_per_second"]) {
    assert.equal(typeof answer.timings[field], "number", field);
  }
  const again = await post("/v1/completions", body);
  assert.equal(again.reproducibility, answer.reproducibility);
  assert.deepEqual(again.choices, answer.choices);
});

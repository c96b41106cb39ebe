// What a client does wrong, as the client's own classes with OpenAI's error object; the server stays up through it.
// Usage: node errors.mjs URL STRICT_URL: the second wants the key "0123456789abcdef" and has one slot and no queue.
import { assert, client, fails, messages, OpenAI, test, url } from "./lib.mjs";

const chat = (fields, options) => () => client.chat.completions.create({ model: "chat", messages, ...fields }, options);
const bad = (code, param, fields) => fails(OpenAI.BadRequestError, 400, code, param, chat(fields));
const strict = new OpenAI({ baseURL: `${process.argv[3]}/v1`, apiKey: "0123456789abcdef", maxRetries: 0 });

await test("models", async () => {
  await fails(OpenAI.NotFoundError, 404, "model_not_found", "model", chat({ model: "gpt-5" }));
  await bad("model_not_chat", "model", { model: "m31r-1m" });
});

await test("types and ranges, with the field's name", async () => {
  const rows = [["temperature", 9], ["temperature", "hot"], ["top_p", -1], ["n", 0], ["n", 99], ["max_tokens", 0],
    ["presence_penalty", 3], ["frequency_penalty", -3], ["seed", 1.5], ["stop", [1]], ["stop", ["a", "b", "c", "d", "e"]],
    ["logit_bias", { x: 1 }], ["logit_bias", { 1: 101 }], ["top_logprobs", 21], ["stream", "yes"], ["messages", []],
    ["messages", "hello"], ["tools", [{}]], ["tool_choice", "maybe"], ["tool_choice", "required"],
    ["stream_options", { include_usage: true }]];
  for (const [field, value] of rows) {
    await assert.rejects(chat({ [field]: value }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, `${field}: ${error}`);
      assert.equal(error.param, field);
      assert.ok(error.message.includes(field), error.message);
      return true;
    });
  }
  await bad("invalid_value", "messages[0].role", { messages: [{ role: "robot", content: "x" }] });
  await bad("missing_required_parameter", "messages[0].content", { messages: [{ role: "user" }] });
  await bad("unsupported_value", "messages[0].content[0].type", {
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "http://x/" } }] }] });
  await bad("invalid_value", "response_format.type", { response_format: { type: "xml" } });
  await bad("invalid_value", "response_format.json_schema.schema", { response_format: { type: "json_schema",
    json_schema: { name: "n", schema: { type: "string", pattern: "a" } } } });
});

await test("a prompt that is too long says both numbers", async () => {
  await assert.rejects(chat({ messages: [{ role: "user", content: "a".repeat(9000) }] }), (error) => {
    assert.equal(error.code, "context_length_exceeded");
    assert.match(error.message, /9\d\d\d tokens, which exceeds the available context size of 4096/);
    return true;
  });
});

await test("bodies that are none", async () => {
  const send = async (body, status, code) => {
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", body });
    assert.equal(response.status, status);
    const { error } = await response.json();
    assert.deepEqual(Object.keys(error).sort(), ["code", "message", "param", "type"]);
    if (code) assert.equal(error.code, code);
  };
  await send("", 400);
  await send("[1]", 400);
  await send('{"model":"chat","messages":', 400);
  await send('{"model":"chat","model":"m31r-1m"}', 400);
  await send(`{"model":"chat","x":${"[".repeat(100000)}`, 400);
  await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400);
  await send("a".repeat(9 << 20), 413);
});

await test("routes that are not there", async () => {
  await assert.rejects(client.embeddings.create({ model: "chat", input: "x" }), OpenAI.NotFoundError);
  await assert.rejects(client.responses.create({ model: "chat", input: "x" }), OpenAI.NotFoundError);
  await assert.rejects(client.images.generate({ prompt: "x" }), OpenAI.NotFoundError);
  const wrong = await fetch(`${url}/v1/completions`);
  assert.equal(wrong.status, 405);
  assert.match(wrong.headers.get("allow"), /POST/);
  const messagesApi = await fetch(`${url}/v1/messages`, { method: "POST", body: "{}" });
  assert.equal((await messagesApi.json()).error.code, "not_served");
});

await test("keys", async () => {
  const nobody = new OpenAI({ baseURL: strict.baseURL, apiKey: "wrong-wrong-wrong", maxRetries: 0 });
  await assert.rejects(nobody.models.list(), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.equal(error.code, "invalid_api_key");
    return true;
  });
  assert.equal((await strict.models.list()).data.length, 1);
});

await test("a full queue is 429 with Retry-After, and over when the other one ends", async () => {
  const endless = await strict.completions.create({
    model: "chat", prompt: "x", max_tokens: 30000, stream: true, logit_bias: { 65: 100 } });
  const iterator = endless[Symbol.asyncIterator]();
  await iterator.next();
  await assert.rejects(strict.completions.create({ model: "chat", prompt: "x" }), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.code, "queue_full");
    assert.equal(error.type, "rate_limit_error");
    assert.equal(error.headers.get("retry-after"), "1");
    return true;
  });
  await iterator.return();
  const patient = new OpenAI({ baseURL: strict.baseURL, apiKey: "0123456789abcdef", maxRetries: 5 });
  assert.equal((await patient.completions.create({ model: "chat", prompt: "x", max_tokens: 1 })).choices.length, 1);
});

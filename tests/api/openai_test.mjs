// The node as OpenAI's official client sees it: every route that the client has a method for, streams, and errors as the
// client's own classes. Usage: node openai_test.mjs URL (a node that serves m31r-1m and a model named "chat").
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "hello" }];

async function test(name, body) {
  await body();
  console.log(`ok    ${name}`);
}

await test("models", async () => {
  const list = await client.models.list();
  assert.deepEqual(list.data.map((model) => model.id), ["m31r-1m", "chat"]);
  const one = await client.models.retrieve("m31r-1m");
  assert.equal(one.object, "model");
  assert.equal(one.context_window, 512);
});

await test("chat, whole and streamed", async () => {
  const request = { model: "chat", messages, max_completion_tokens: 12, seed: 4, logprobs: true, top_logprobs: 2 };
  const whole = await client.chat.completions.create(request);
  assert.equal(whole.object, "chat.completion");
  assert.equal(whole.choices[0].message.role, "assistant");
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  assert.equal(whole.choices[0].logprobs.content.length, whole.usage.completion_tokens);
  assert.match(whole.system_fingerprint, /^fp_[0-9a-f]{16}$/);

  const stream = await client.chat.completions.create({
    ...request, stream: true, stream_options: { include_usage: true } });
  let text = "", finish = null, usage = null, roles = 0;
  for await (const chunk of stream) {
    assert.equal(chunk.object, "chat.completion.chunk");
    if (chunk.usage) usage = chunk.usage;
    const choice = chunk.choices[0];
    if (!choice) continue;
    if (choice.delta.role) ++roles;
    text += choice.delta.content ?? "";
    finish = choice.finish_reason ?? finish;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(finish, whole.choices[0].finish_reason);
  assert.deepEqual(usage, whole.usage);
  assert.equal(roles, 1);
});

await test("the client's stream helper", async () => {
  const stream = client.chat.completions.stream({ model: "chat", messages, max_tokens: 8, temperature: 0 });
  const final = await stream.finalChatCompletion();
  const whole = await client.chat.completions.create({ model: "chat", messages, max_tokens: 8, temperature: 0 });
  assert.equal(final.choices[0].message.content, whole.choices[0].message.content);
});

await test("n choices, each from its own seed", async () => {
  const answer = await client.chat.completions.create({ model: "chat", messages, n: 3, max_tokens: 16, seed: 1 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2]);
  assert.notEqual(answer.choices[0].message.content, answer.choices[1].message.content);
});

await test("structured output", async () => {
  const schema = { type: "object", properties: { ok: { type: "boolean" }, color: { enum: ["red", "blue"] } },
    required: ["ok", "color"], additionalProperties: false };
  const answer = await client.chat.completions.create({
    model: "chat", messages, response_format: { type: "json_schema", json_schema: { name: "n", strict: true, schema } } });
  const value = JSON.parse(answer.choices[0].message.content);
  assert.equal(typeof value.ok, "boolean");
  assert.ok(["red", "blue"].includes(value.color));
});

await test("a tool call, whole and streamed", async () => {
  const tools = [{ type: "function", function: { name: "paint", strict: true, parameters: {
    type: "object", properties: { color: { enum: ["red", "blue"] } }, required: ["color"], additionalProperties: false } } }];
  // The model is random: with this seed it comes to the point within the context.
  const request = { model: "chat", messages, tools, tool_choice: { type: "function", function: { name: "paint" } }, parallel_tool_calls: false,
    reasoning_effort: "none", seed: 2 };
  const answer = await client.chat.completions.create(request);
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, "paint");
  assert.ok(["red", "blue"].includes(JSON.parse(call.function.arguments).color));
  const final = await client.chat.completions.stream(request).finalChatCompletion();
  assert.equal(final.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
});

await test("completions: text, several prompts, ids, echo, logprobs, fill in the middle", async () => {
  const one = await client.completions.create({
    model: "m31r-1m", prompt: "pub fn ", max_tokens: 8, temperature: 0, logprobs: 2 });
  assert.equal(one.object, "text_completion");
  assert.equal(one.choices[0].logprobs.tokens.join(""), one.choices[0].text);
  const several = await client.completions.create({
    model: "m31r-1m", prompt: ["pub fn ", "impl "], max_tokens: 8, temperature: 0, echo: true });
  assert.equal(several.choices.length, 2);
  assert.equal(several.choices[0].text, `pub fn ${one.choices[0].text}`);
  const ids = await client.completions.create({ model: "m31r-1m", prompt: [10, 20, 30], max_tokens: 2 });
  assert.equal(ids.usage.prompt_tokens, 3);
  const middle = await client.completions.create({
    model: "m31r-1m", prompt: "fn one() -> u32 {", suffix: "}", max_tokens: 16, temperature: 0 });
  assert.ok(middle.choices[0].text.length > 0);
});

await test("errors are the client's own classes", async () => {
  const fails = async (kind, code, param, request) => {
    await assert.rejects(client.chat.completions.create(request), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.equal(error.code, code);
      assert.equal(error.param, param);
      assert.equal(error.type, "invalid_request_error");
      return true;
    });
  };
  await fails(OpenAI.NotFoundError, "model_not_found", "model", { model: "gpt-5", messages });
  await fails(OpenAI.BadRequestError, "model_not_chat", "model", { model: "m31r-1m", messages });
  await fails(OpenAI.BadRequestError, "invalid_value", "temperature", { model: "chat", messages, temperature: 9 });
  await fails(OpenAI.BadRequestError, "context_length_exceeded", null, {
    model: "chat", messages: [{ role: "user", content: "a".repeat(4000) }] });
  await assert.rejects(client.embeddings.create({ model: "chat", input: "x" }), OpenAI.NotFoundError);
  await assert.rejects(client.responses.create({ model: "chat", input: "x" }), OpenAI.NotFoundError);
});

await test("a stream that is left does not hold the model", async () => {
  const stream = await client.chat.completions.create({ model: "chat", messages, stream: true, logit_bias: { 65: 100 } });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break;
  }
  const after = await client.chat.completions.create({ model: "chat", messages, max_tokens: 1 });
  assert.equal(after.choices.length, 1);
});

// /v1/chat/completions: every field, whole and streamed.
import { assert, client, messages, test } from "./lib.mjs";

const create = (fields) => client.chat.completions.create({ model: "chat", messages, max_tokens: 8, ...fields });
const content = (answer, i = 0) => answer.choices[i].message.content;
const tool = { type: "function", function: { name: "paint", strict: true, parameters: { type: "object",
  properties: { color: { enum: ["red", "blue"] } }, required: ["color"], additionalProperties: false } } };

await test("chat, whole and streamed", async () => {
  const request = { model: "chat", messages, max_completion_tokens: 12, seed: 4, logprobs: true, top_logprobs: 2 };
  const whole = await client.chat.completions.create(request);
  assert.equal(whole.object, "chat.completion");
  assert.equal(whole.choices[0].message.role, "assistant");
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  assert.equal(whole.choices[0].logprobs.content.length, whole.usage.completion_tokens);
  assert.equal(whole.choices[0].logprobs.content[0].top_logprobs.length, 2);
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
  assert.equal(text, content(whole));
  assert.equal(finish, whole.choices[0].finish_reason);
  assert.deepEqual(usage, whole.usage);
  assert.equal(roles, 1);
});

await test("the client's stream helper", async () => {
  const final = await client.chat.completions.stream({ model: "chat", messages, max_tokens: 8, temperature: 0 })
    .finalChatCompletion();
  assert.equal(content(final), content(await create({ temperature: 0 })));
});

await test("n choices, each from its own seed; the same seed gives the same", async () => {
  const answer = await create({ n: 3, max_tokens: 16, seed: 1 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2]);
  assert.notEqual(content(answer, 0), content(answer, 1));
  assert.deepEqual((await create({ n: 3, max_tokens: 16, seed: 1 })).choices, answer.choices);
  assert.notEqual(content(await create({ max_tokens: 16, seed: 2 })), content(answer));
});

await test("sampling fields change what they should", async () => {
  const greedy = content(await create({ temperature: 0 }));
  assert.equal(content(await create({ top_p: 0 })), greedy);
  assert.equal(content(await create({ top_k: 1 })), greedy);
  assert.equal(content(await create({ temperature: 0, logit_bias: { 65: 100 } })), "AAAAAAAA");
  const penal = await create({ temperature: 0, logit_bias: { 65: 20, 66: 19 }, presence_penalty: 2, max_tokens: 2 });
  assert.equal(content(penal), "AB");
  const often = await create({ temperature: 0, logit_bias: { 65: 20, 66: 19 }, frequency_penalty: 2, max_tokens: 2 });
  assert.equal(content(often), "AB");
  const stopped = await create({ temperature: 0, logit_bias: { 65: 100 }, stop: ["AAA"] });
  assert.equal(content(stopped), "");
  assert.equal(stopped.choices[0].finish_reason, "stop");
  assert.equal((await create({ temperature: 0, logit_bias: { 65: 100 } })).choices[0].finish_reason, "length");
});

await test("roles, parts and thinking", async () => {
  const talk = [{ role: "developer", content: "Be brief." }, { role: "user", content: [{ type: "text", text: "a" },
    { type: "text", text: "b" }] }, { role: "assistant", content: "c" }, { role: "user", content: "d", name: "x" }];
  const parts = await create({ messages: talk, temperature: 0 });
  talk[0].role = "system";
  talk[1].content = "ab";
  assert.deepEqual((await create({ messages: talk, temperature: 0 })).choices, parts.choices);
  assert.ok(await create({ reasoning_effort: "none", chat_template_kwargs: { enable_thinking: false } }));
});

await test("structured output", async () => {
  const schema = { type: "object", properties: { ok: { type: "boolean" }, color: { enum: ["red", "blue"] } },
    required: ["ok", "color"], additionalProperties: false };
  const answer = await create({ max_tokens: 400,
    response_format: { type: "json_schema", json_schema: { name: "n", strict: true, schema } } });
  const value = JSON.parse(content(answer));
  assert.equal(typeof value.ok, "boolean");
  assert.ok(["red", "blue"].includes(value.color));
  const object = await create({ response_format: { type: "json_object" }, max_tokens: 1 });
  assert.match(content(object), /^\{/);
  assert.ok(await create({ response_format: { type: "text" } }));
});

await test("a tool call, whole and streamed, and its result", async () => {
  // The model is random: with this seed it comes to the point within the context.
  const request = { model: "chat", messages, tools: [tool], parallel_tool_calls: false, reasoning_effort: "none",
    tool_choice: { type: "function", function: { name: "paint" } }, seed: 2 };
  const answer = await client.chat.completions.create(request);
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.type, "function");
  assert.equal(call.function.name, "paint");
  assert.ok(["red", "blue"].includes(JSON.parse(call.function.arguments).color));
  const final = await client.chat.completions.stream(request).finalChatCompletion();
  assert.equal(final.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
  const after = [...messages, answer.choices[0].message, { role: "tool", tool_call_id: call.id, content: "done" }];
  assert.ok(await create({ messages: after, tools: [tool], tool_choice: "none" }));
  assert.ok(await create({ tools: [tool], tool_choice: "auto" }));
});

await test("a stream that is left does not hold the model", async () => {
  const stream = await client.chat.completions.create({ model: "chat", messages, stream: true, logit_bias: { 65: 100 } });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break;
  }
  assert.equal((await create({ max_tokens: 1 })).choices.length, 1);
});

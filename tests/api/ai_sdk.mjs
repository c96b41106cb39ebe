// The stack behind Vercel's `ai` package: texts, streams, objects and tools by its OpenAI-compatible provider.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, Output, streamText, tool } from "ai";
import { assert, client, messages, test, url } from "./lib.mjs";

const pintle = createOpenAICompatible({ name: "pintle", baseURL: `${url}/v1`, supportsStructuredOutputs: true });
const chat = pintle("chat");
globalThis.AI_SDK_LOG_WARNINGS = false;

await test("generateText and streamText say what the official client hears", async () => {
  const asked = { model: chat, prompt: "hello", maxOutputTokens: 12, temperature: 0, seed: 1, maxRetries: 0 };
  const plain = await client.chat.completions.create({ model: "chat", messages, max_tokens: 12, temperature: 0, seed: 1 });
  const whole = await generateText(asked);
  assert.equal(whole.text, plain.choices[0].message.content);
  assert.equal(whole.usage.inputTokens, plain.usage.prompt_tokens);
  assert.equal(whole.finishReason, plain.choices[0].finish_reason);
  let text = "";
  for await (const part of streamText(asked).textStream) text += part;
  assert.equal(text, whole.text);
});

await test("an object keeps to its schema", async () => {
  const schema = jsonSchema({ type: "object", properties: { color: { type: "string", enum: ["red", "blue"] } },
    required: ["color"], additionalProperties: false });
  const { output } = await generateText({ model: chat, prompt: "paint", output: Output.object({ schema }), maxRetries: 0 });
  assert.ok(["red", "blue"].includes(output.color));
});

await test("a tool is called", async () => {
  const paint = tool({ description: "paints", inputSchema: jsonSchema({ type: "object",
    properties: { color: { type: "string", enum: ["red", "blue"] } }, required: ["color"], additionalProperties: false }) });
  // The model is random: without the h of <think> it comes to the point.
  const { toolCalls } = await generateText({ model: chat, prompt: "hello", tools: { paint }, maxRetries: 0,
    toolChoice: { type: "tool", toolName: "paint" }, providerOptions: { pintle: { logit_bias: { 104: -100 } } } });
  assert.equal(toolCalls[0].toolName, "paint");
  assert.ok(["red", "blue"].includes(toolCalls[0].input.color));
});

await test("completion models", async () => {
  const { text } = await generateText({
    model: pintle.completionModel("m31r-1m"), prompt: "pub fn ", maxOutputTokens: 8, temperature: 0, maxRetries: 0 });
  assert.ok(text.length > 0);
});

await test("errors are the package's own", async () => {
  await assert.rejects(generateText({ model: pintle("gpt-5"), prompt: "x", maxRetries: 0 }), (error) => {
    assert.equal(error.name, "AI_APICallError");
    assert.equal(error.statusCode, 404);
    assert.match(error.message, /does not exist/);
    return true;
  });
});

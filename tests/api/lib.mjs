// What the API tests share: the address under test, OpenAI's official client for it, and tests that say their names.
// Usage: node FILE.mjs URL, where URL serves m31r-1m, a random model named "chat", and a voice.
import assert from "node:assert/strict";
import OpenAI from "openai";

export { assert, OpenAI };
export const url = process.argv[2];
export const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
export const messages = [{ role: "user", content: "hello" }];

export async function test(name, body) {
  try {
    await body();
  } catch (error) {
    console.error(`FAIL  ${name}`);
    throw error;
  }
  console.log(`ok    ${name}`);
}

/// A route that the client has no method for. The answer must have that status; its body as JSON.
export async function post(path, body, status = 200) {
  const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text);
}

/// The events of a stream of llama.cpp's shape.
export async function events(path, body) {
  const response = await fetch(url + path, { method: "POST", body: JSON.stringify({ ...body, stream: true }) });
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  const lines = (await response.text()).split("\n\n").filter((line) => line !== "");
  return lines.filter((line) => line !== "data: [DONE]").map((line) => JSON.parse(line.replace(/^data: /, "")));
}

/// A request that must fail as the client's own class, with OpenAI's error object.
export async function fails(kind, status, code, param, call) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof kind, String(error));
    assert.equal(error.status, status);
    assert.equal(error.code, code, String(error));
    assert.equal(error.param, param, String(error));
    assert.equal(error.type, status === 429 ? "rate_limit_error" : "invalid_request_error");
    return true;
  });
}

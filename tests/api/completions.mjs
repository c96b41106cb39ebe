// /v1/completions, and the routes of editors: /infill and /completion as llama.cpp has them, /fim and /generate of M31R.
import { assert, client, events, post, test } from "./lib.mjs";

const create = (fields) => client.completions.create({ model: "m31r-1m", max_tokens: 8, temperature: 0, ...fields });

await test("text, logprobs, several prompts, ids, echo", async () => {
  const one = await create({ prompt: "pub fn ", logprobs: 2 });
  assert.equal(one.object, "text_completion");
  const { tokens, token_logprobs, top_logprobs, text_offset } = one.choices[0].logprobs;
  assert.equal(tokens.join(""), one.choices[0].text);
  assert.equal(token_logprobs.length, tokens.length);
  assert.equal(Object.keys(top_logprobs[0]).length, 2);
  assert.equal(text_offset[0], 0);
  const several = await create({ prompt: ["pub fn ", "impl "], echo: true });
  assert.equal(several.choices.length, 2);
  assert.equal(several.choices[0].text, `pub fn ${one.choices[0].text}`);
  const ids = await create({ prompt: [10, 20, 30] });
  assert.equal(ids.usage.prompt_tokens, 3);
  assert.equal((await create({ prompt: [[10, 20], [30]], n: 2, temperature: 1 })).choices.length, 4);
});

await test("stop, and the default length", async () => {
  const long = await create({ prompt: "pub fn ", max_tokens: undefined });
  assert.equal(long.usage.completion_tokens, 16);
  const whole = long.choices[0].text, stop = whole.slice(4, 6);
  const cut = await create({ prompt: "pub fn ", max_tokens: 16, stop });
  assert.equal(cut.choices[0].text, whole.slice(0, whole.indexOf(stop)));
  assert.equal(cut.choices[0].finish_reason, "stop");
});

await test("a stream is the whole", async () => {
  const whole = await create({ prompt: "impl ", seed: 3, temperature: 1 });
  let text = "", usage;
  for await (const chunk of await create({ prompt: "impl ", seed: 3, temperature: 1, stream: true,
    stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.text ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].text);
  assert.deepEqual(usage, whole.usage);
});

await test("fill in the middle is the same by every route", async () => {
  const prefix = "fn one() -> u32 {", suffix = "}";
  const middle = (await create({ prompt: prefix, suffix, max_tokens: 12 })).choices[0].text;
  assert.ok(middle.length > 0);
  const infill = { model: "m31r-1m", input_prefix: prefix, input_suffix: suffix, n_predict: 12, temperature: 0 };
  assert.equal((await post("/infill", infill)).content, middle);
  assert.equal((await post("/fim", { model: "m31r-1m", prefix, suffix, n_predict: 12 })).content, middle);
  assert.equal((await events("/infill", infill)).map((event) => event.content).join(""), middle);
  const editor = { ...infill, input_extra: [{ filename: "a.rs", text: "struct A;" }], prompt: "  ", samplers: ["top_k"],
    top_k: 40, top_p: 0.99, cache_prompt: true, t_max_prompt_ms: 500, t_max_predict_ms: 3000 };
  assert.equal(typeof (await post("/infill", editor)).content, "string");
  const long = await post("/infill", { ...infill, input_prefix: "let a = 1; ".repeat(400) });
  assert.equal(long.truncated, true);
  assert.ok(long.timings.truncated > 0);
});

await test("/completion and /generate", async () => {
  const text = (await create({ prompt: "pub fn " })).choices[0].text;
  const body = { model: "m31r-1m", prompt: "pub fn ", n_predict: 8 };
  for (const path of ["/completion", "/generate"]) {
    const answer = await post(path, body);
    assert.equal(answer.content, text);
    assert.equal(answer.stop, true);
    assert.equal(answer.tokens_predicted, 8);
    assert.equal((await events(path, body)).map((event) => event.content).join(""), text);
  }
  const bound = await post("/completion", { ...body, grammar: 'root ::= "fn " [a-z]{2} "("' });
  assert.match(bound.content, /^fn [a-z]{2}\($/);
  const likely = await post("/completion", { ...body, n_probs: 3 });
  assert.equal(likely.completion_probabilities.length, 8);
});

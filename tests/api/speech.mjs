// /v1/audio/speech in every format, whole and as events; /v1/audio/voices.
import { assert, client, fails, OpenAI, test, url } from "./lib.mjs";

const speak = (fields) => client.audio.speech.create({ model: "tts-1", input: "Hello there.", voice: "alloy", ...fields });
const bytes = async (fields) => Buffer.from(await (await speak(fields)).arrayBuffer());

await test("every format begins as it should; mp3 is the default", async () => {
  const begins = { wav: "RIFF", flac: "fLaC", opus: "OggS" };
  for (const [response_format, magic] of Object.entries(begins)) {
    assert.equal((await bytes({ response_format })).toString("latin1", 0, 4), magic, response_format);
  }
  const mp3 = await speak({});
  assert.equal(mp3.headers.get("content-type"), "audio/mpeg");
  assert.equal((await bytes({ response_format: "pcm" })).length % 2, 0);
});

await test("the same request gives the same bytes; speed and voice change them", async () => {
  const first = await bytes({ response_format: "pcm" });
  assert.ok(first.equals(await bytes({ response_format: "pcm" })));
  assert.ok((await bytes({ response_format: "pcm", speed: 2 })).length < 0.7 * first.length);
  assert.ok(!(await bytes({ response_format: "pcm", voice: "onyx" })).equals(first));
});

await test("events hold the same sound", async () => {
  const response = await fetch(`${url}/v1/audio/speech`, { method: "POST", body: JSON.stringify({
    model: "tts-1", input: "Hello there.", voice: "alloy", response_format: "pcm", stream_format: "sse" }) });
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: {"));
  const parts = lines.map((line) => JSON.parse(line.slice(6)));
  const sound = Buffer.concat(parts.filter((part) => part.type === "speech.audio.delta")
    .map((part) => Buffer.from(part.audio, "base64")));
  assert.ok(sound.equals(await bytes({ response_format: "pcm" })));
  assert.equal(parts.at(-1).type, "speech.audio.done");
});

await test("voices", async () => {
  const { voices } = await (await fetch(`${url}/v1/audio/voices`)).json();
  const names = voices.map((voice) => voice.id);
  for (const name of ["alloy", "echo", "nova", "slt", "rms"]) assert.ok(names.includes(name), String(names));
});

await test("what a client does wrong", async () => {
  const wrong = (code, param, fields) => fails(OpenAI.BadRequestError, 400, code, param, () => speak(fields));
  await wrong("invalid_value", "voice", { voice: "nobody" });
  await wrong("unsupported_value", "response_format", { response_format: "aac" });
  await wrong("invalid_value", "speed", { speed: 9 });
  await wrong("invalid_value", "input", { input: "" });
  await wrong("string_above_max_length", "input", { input: "a".repeat(4097) });
  await fails(OpenAI.NotFoundError, 404, "model_not_found", "model", () => speak({ model: "tts-9" }));
});

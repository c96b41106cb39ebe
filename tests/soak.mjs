// A soak: mixed traffic through the gateway for minutes or hours, while clients leave, read slowly or mean harm, and a
// node is killed every minute. Usage: node tests/soak.mjs PINTLE [--minutes N] [--seed N]
//
// Two nodes serve m31r-1m and take turns at being killed; a third serves a random model that chats, a fourth speaks. What
// must hold: every answer is the one that a node alone gave at the start; a request fails only because the node that
// worked on it was killed, with an error that says so; what nobody had begun is answered by the other node; no enemy gets a
// 5xx; memory of what lives through all of it stays within 2 %; nothing is left in work at the end.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true,
  options: { minutes: { type: "string", default: "30" }, seed: { type: "string", default: "1" } } });
const pintle = path.resolve(positionals[0]);
const seconds = 60 * Number(values.minutes);
const project = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "pintle-soak-"));
const sleep = (s) => new Promise((done) => setTimeout(done, 1000 * s));
const now = () => performance.now() / 1000;

let state = Number(values.seed);
const random = (n) => {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
  return ((state >>> 8) & 0xffff) % n;
};

const counts = {};
const count = (what) => { counts[what] = (counts[what] ?? 0) + 1; };
const wrongs = [];
const wrong = (what) => { wrongs.push(what); console.error(`WRONG: ${what}`); };

// --- Processes.
const children = new Map();
function start(name, ...verb) {
  const log = fs.openSync(path.join(scratch, `${name}.log`), "a");
  const child = spawn(pintle, verb, { stdio: ["ignore", "pipe", log] });
  children.set(name, child);
  child.on("exit", (code, signal) => {
    if (!child.meant) wrong(`${name} ended by itself: ${code ?? signal}`);
  });
  return new Promise((done) => child.stdout.once("data", (text) => done(Number(/:(\d+)\s/.exec(String(text))[1]))));
}
function end(name, signal) {
  const child = children.get(name);
  child.meant = true;
  child.kill(signal);
  return new Promise((done) => child.once("exit", done));
}

// --- Asking.
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
/// {status, body}, or null if the connection broke off. `read` may slow the reading down.
function ask(port, route, body, read = (response, take) => response.on("data", take)) {
  return new Promise((done) => {
    const request = http.request({ port, path: route, method: body ? "POST" : "GET", agent }, (response) => {
      const parts = [];
      read(response, (part) => parts.push(part));
      response.on("end", () => done({ status: response.statusCode, body: Buffer.concat(parts) }));
      response.on("error", () => done(null));
      response.on("aborted", () => done(null));
    });
    request.on("error", () => done(null));
    request.end(body ? JSON.stringify(body) : undefined);
  });
}
// A client that stops reading for a while in the middle.
const slowly = (response, take) => response.on("data", (part) => {
  take(part);
  response.pause();
  setTimeout(() => response.resume(), 5 + random(40));
});

// What an answer says, without ids and times; an error's code if it is one.
function said(kind, { status, body }) {
  if (kind === "speech") return status === 200 ? createHash("sha256").update(body).digest("hex") : codeOf(body);
  const text = body.toString();
  if (!kind.startsWith("stream")) {
    const json = JSON.parse(text);
    return json.error ? json.error.code : JSON.stringify(json.choices ?? json.content);
  }
  if (status !== 200) return codeOf(body);
  const events = text.split("\n\n").filter((line) => line.startsWith("data: {")).map((line) => JSON.parse(line.slice(6)));
  const failed = events.find((event) => event.error);
  if (failed) return failed.error.code;
  if (!text.endsWith("data: [DONE]\n\n")) return "cut";
  return JSON.stringify(events.flatMap((event) => event.choices).map((c) => c.text ?? c.delta.content ?? "").join(""));
}
const codeOf = (body) => JSON.parse(body.toString()).error.code;

const prompts = ["pub fn ", "impl ", "use std::", "struct A", "let x = ", "fn main() {", "match v {", "/// Returns "];
const asked = [];
for (const [i, prompt] of prompts.entries()) {
  const body = { model: "m31r-1m", prompt, max_tokens: 8 + 12 * i, seed: i, temperature: i % 2 };
  asked.push({ kind: "whole", route: "/v1/completions", body });
  asked.push({ kind: "stream", route: "/v1/completions", body: { ...body, stream: true } });
  asked.push({ kind: "whole", route: "/infill", body: {
    model: "m31r-1m", input_prefix: prompt, input_suffix: "}", n_predict: 10 + i } });
  const talk = { model: "chat", messages: [{ role: "user", content: prompt }], max_tokens: 4 + i, seed: i };
  asked.push({ kind: "whole", route: "/v1/chat/completions", body: { ...talk, n: 1 + (i % 3) } });
  asked.push({ kind: "stream", route: "/v1/chat/completions", body: { ...talk, stream: true } });
}
for (const voice of ["alloy", "onyx"]) {
  asked.push({ kind: "speech", route: "/v1/audio/speech", body: {
    model: "tts-1", input: "All of this is said twice.", voice, response_format: voice === "alloy" ? "pcm" : "mp3" } });
}

// --- Traffic. `killed` is when a node was killed last.
let killed = -100, running = true;
const excuses = new Set(["node_lost", "cut"]);

async function worker(gateway) {
  while (running) {
    const { kind, route, body, expected } = asked[random(asked.length)];
    const slow = kind === "stream" && random(4) === 0;
    const answer = await ask(gateway, route, body, slow ? slowly : undefined);
    const heard = answer === null ? "cut" : said(kind, answer);
    if (heard === expected) {
      count(slow ? "answered slowly" : "answered");
    } else if (excuses.has(heard) && body.model === "m31r-1m" && now() - killed < 15) {
      count(`lost with its node (${heard})`);
    } else {
      wrong(`${route} ${JSON.stringify(body).slice(0, 120)}: ${heard.slice(0, 200)}, not ${expected.slice(0, 200)}`);
    }
    await sleep(random(50) / 1000);
  }
}

// Leaves in the middle: before the answer, or after some of it.
async function leaver(gateway) {
  const body = JSON.stringify({ model: random(2) ? "m31r-1m" : "chat", prompt: "fn ", stream: true, max_tokens: 400 });
  while (running) {
    const socket = net.connect(gateway, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await sleep(random(100) / 1000);
    socket.destroy();
    count("left");
    await sleep(random(200) / 1000);
  }
}

const json = (text) =>
  `POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const attacks = [
  "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00", `GET /${"a".repeat(40000)} HTTP/1.1\r\n\r\n`,
  "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nfffffffff\r\n",
  "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
  "GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
  json('{"model":"m31r-1m","model":"chat","prompt":"x"}'), json(`{"model":"m31r-1m","prompt":${"[".repeat(5000)}`),
  json('{"model":"m31r-1m","prompt":"x","max_tokens":-1}'), json('{"model":"m31r-1m","prompt":"x","n":1e9}'),
  json('{"model":"m31r-1m","prompt":[999999]}'), json('{"model":"m31r-1m","prompt":"x","logit_bias":{"-1":1}}'),
  json('{"model":"../../etc/passwd","prompt":"x"}'), json('{"model":"m31r-1m","prompt":"\\ud800"}'), json("\xff\xfe"),
  json(`{"model":"m31r-1m","prompt":"${"a".repeat(100000)}"}`), json("{}"), json(""), "\r\n\r\n\r\n\r\n",
].map((text) => Buffer.from(text, "latin1"));

// Says what no client should, or half of it and then nothing.
async function enemy(gateway) {
  while (running) {
    let bytes = attacks[random(attacks.length)];
    if (random(4) === 0) bytes = bytes.subarray(0, random(bytes.length) + 1);
    const heard = await new Promise((done) => {
      const parts = [];
      const socket = net.connect(gateway, "127.0.0.1", () => socket.write(bytes));
      socket.on("data", (part) => parts.push(part));
      socket.on("error", () => {});
      socket.on("close", () => done(Buffer.concat(parts).toString("latin1")));
      setTimeout(() => socket.destroy(), 300 + random(1500));
    });
    // What a node had begun when it was killed is lost, whoever asked for it.
    const died = heard.includes('"code":"node_lost"') && now() - killed < 15;
    if (/^HTTP\/1\.1 5/.test(heard) && !died) wrong(`an enemy got ${heard.slice(0, 200)} for ${bytes.subarray(0, 200)}`);
    count("attacked");
    await sleep(random(100) / 1000);
  }
}

// --- The run.
const resident = (name) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${children.get(name).pid}/status`))[1]);
const ready = async (port) => {
  for (let i = 0; i < 600; ++i, await sleep(0.1)) if ((await ask(port, "/ready"))?.status === 200) return;
  throw new Error(`nothing is ready on port ${port}`);
};

async function main() {
  const chat = path.join(scratch, "chat.gguf");
  spawnSync(pintle, ["models", "synth", "--arch", "tiny-qwen3", "--type", "q8_0", "--out", chat], { stdio: "inherit" });
  const shipped = ["--model", path.join(project, "models/m31r-1m"), "--threads", "1"];
  const quiet = ["--no-access-log", "--behind-gateway"];
  const ports = {};
  for (const name of ["a", "b"]) ports[name] = await start(name, "llm-node", "--port", "0", ...shipped, ...quiet);
  ports.chat = await start("chat", "llm-node", "--port", "0", "--model", `${chat}=chat`, "--threads", "1", ...quiet);
  ports.voice = await start("voice", "tts-node", "--port", "0", ...quiet);
  for (const port of Object.values(ports)) await ready(port);
  const table = Object.entries(ports).map(([name, port]) => `[[node]]\nname = "${name}"\nurl = "http://127.0.0.1:${port}"\n`);
  fs.writeFileSync(path.join(scratch, "table.toml"), `[gateway]\nhealth_seconds = 0.5\n${table.join("")}`);
  const gateway = await start("gateway", "gateway", "--port", "0", "--config", path.join(scratch, "table.toml"));
  await ready(gateway);
  await sleep(2);
  for (const one of asked) {
    const port = one.kind === "speech" ? ports.voice : one.body.model === "chat" ? ports.chat : ports.a;
    one.expected = said(one.kind, await ask(port, one.route, one.body));
  }
  console.log(`${asked.length} reference answers; ${seconds} s begin`);

  const lasting = ["gateway", "chat", "voice"], samples = [];
  const jobs = [1, 2, 3, 4, 5, 6].map(() => worker(gateway));
  jobs.push(leaver(gateway), leaver(gateway), enemy(gateway), enemy(gateway));
  const began = now();
  let kills = 0;
  while (now() - began < seconds) {
    await sleep(1);
    const at = now() - began;
    samples.push([at, ...lasting.map(resident)]);
    if (at > 60 * kills + 30 && at < seconds - 10) {
      const victim = kills++ % 2 ? "b" : "a";
      killed = now();
      await end(victim, "SIGKILL");
      await start(victim, "llm-node", "--port", String(ports[victim]), ...shipped, ...quiet);
      count("nodes killed");
      console.log(`${at.toFixed(0)} s: ${JSON.stringify(counts)}`);
    }
  }
  running = false;
  await Promise.all(jobs);
  await sleep(2);
  const metrics = (await ask(gateway, "/metrics")).body.toString();
  for (const line of metrics.split("\n")) {
    if (/^pintle_gateway_in_flight/.test(line) && !line.endsWith(" 0")) wrong(`left in work: ${line}`);
  }
  // The first third may still touch memory for the first time.
  for (const [i, name] of lasting.entries()) {
    const mean = (from, to) => {
      const some = samples.filter(([at]) => at >= from * seconds && at < to * seconds).map((row) => row[i + 1]);
      return some.reduce((a, b) => a + b, 0) / some.length;
    };
    const middle = mean(1 / 3, 2 / 3), last = mean(2 / 3, 1);
    console.log(`${name}: ${middle.toFixed(0)} kB in the middle third, ${last.toFixed(0)} kB in the last`);
    if (Math.abs(last / middle - 1) > 0.02) wrong(`the memory of ${name} is not flat`);
  }
  for (const name of ["gateway", "a", "b", "chat", "voice"]) {
    const code = await end(name, "SIGTERM");
    if (code !== 0) wrong(`${name} ended with ${code} after SIGTERM`);
  }
}

try {
  await main();
} finally {
  for (const child of children.values()) child.kill("SIGKILL");
  agent.destroy();
}
console.log(JSON.stringify(counts));
console.log(wrongs.length === 0 ? "nothing went wrong" : `${wrongs.length} things went wrong; logs in ${scratch}`);
if (wrongs.length === 0) fs.rmSync(scratch, { recursive: true });
process.exit(wrongs.length === 0 ? 0 : 1);

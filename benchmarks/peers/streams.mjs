// Event streams through the gateway and through nginx: the memory of 2,000 that are idle, and how much later than from
// the origin itself an event arrives. Origin and clients are this process, so that one clock times both ends.
// Usage: node streams.mjs PINTLE
import { spawn, execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

const kIdle = 2000, kStreams = 16, kEvents = 200, kPause = 20;
const pintle = path.resolve(process.argv[2]);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "pintle-streams-"));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const body = JSON.stringify({ model: "m", prompt: "p", stream: true });

// Each stream gets an event at once; those at /v1/completions?timed many more, each with the time at which it left.
const origin = http.createServer((request, response) => {
  if (request.url === "/ready") return response.end("ok");
  if (request.url === "/v1/models") return response.end('{"data":[{"id":"m"}]}');
  request.resume();
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: hello\n\n");
  if (!request.url.includes("timed")) return;
  let left = kEvents;
  const timer = setInterval(() => {
    if (left-- === 0) return clearInterval(timer), response.end("data: [DONE]\n\n");
    response.write(`data: ${performance.now()}\n\n`);
  }, kPause);
});
await new Promise((done) => origin.listen(0, "127.0.0.1", done));
const originPort = origin.address().port;

const agent = new http.Agent({ maxSockets: Infinity });
// From many addresses of this machine: what one client may hold at once is bounded.
let opened = 0;
const open = (port, route, onData) => new Promise((done, failed) => {
  const localAddress = `127.0.0.${2 + (opened++ % 200)}`;
  const request = http.request({ port, path: route, method: "POST", agent, localAddress }, (response) => {
    response.on("data", onData);
    response.once("data", () => done(response));
    response.on("error", () => {});
  });
  request.on("error", failed);
  request.end(body);
});

async function eventDelays(port) {
  const delays = [];
  const streams = Array.from({ length: kStreams }, () => new Promise((done) => {
    open(port, "/v1/completions?timed", (part) => {
      const now = performance.now();
      for (const [, sent] of String(part).matchAll(/^data: ([0-9.]+)$/gm)) delays.push(now - Number(sent));
    }).then((response) => response.on("end", done));
  }));
  await Promise.all(streams);
  delays.sort((a, b) => a - b);
  return { p50: delays[delays.length >> 1], p99: delays[Math.floor(0.99 * delays.length)] };
}

const resident = (pids) => pids.reduce((sum, pid) =>
  sum + Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`))[1]), 0) / 1024;
async function idleMemory(port, pids) {
  const before = resident(pids), responses = [];
  for (let i = 0; i < kIdle; i += 50) {
    responses.push(...await Promise.all(Array.from({ length: 50 }, () => open(port, "/v1/completions", () => {}))));
  }
  const during = resident(pids);
  for (const response of responses) response.destroy();
  await sleep(500);
  return { before, during };
}

fs.writeFileSync(path.join(scratch, "table.toml"),
  `[[node]]\nname = "origin"\nurl = "http://127.0.0.1:${originPort}"\nmodels = ["m"]\n`);
const log = fs.openSync(path.join(scratch, "access.log"), "a");
const gateway = spawn(pintle, ["gateway", "--port", "0", "--config", path.join(scratch, "table.toml")],
  { stdio: ["ignore", "pipe", log] });
const gatewayPort = await new Promise((done) =>
  gateway.stdout.once("data", (text) => done(Number(/:(\d+)\s/.exec(String(text))[1]))));
const probe = http.createServer().listen(0, "127.0.0.1");
await new Promise((done) => probe.once("listening", done));
const nginxPort = probe.address().port;
probe.close();
const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((p) => `${p}_temp_path ${scratch}/${p};`).join(" ");
fs.writeFileSync(path.join(scratch, "conf"), `pid ${scratch}/pid; error_log ${scratch}/error.log; worker_processes 1;
worker_rlimit_nofile 20000; events { worker_connections 10000; } http { access_log ${scratch}/nginx.log; ${paths}
upstream origin { server 127.0.0.1:${originPort}; keepalive 128; }
server { listen 127.0.0.1:${nginxPort}; location / { proxy_pass http://origin; proxy_http_version 1.1;
proxy_buffering off; proxy_set_header Connection ""; } } }`);
execFileSync("nginx", ["-p", scratch, "-c", `${scratch}/conf`], { stdio: "inherit" });
try {
  await sleep(1000);
  const master = Number(fs.readFileSync(`${scratch}/pid`, "utf8"));
  const workers = execFileSync("pgrep", ["-P", String(master)]).toString().trim().split("\n").map(Number);
  const direct = await eventDelays(originPort);
  console.log(`direct   an event after ${direct.p50.toFixed(3)} ms (p99 ${direct.p99.toFixed(3)})`);
  for (const [name, port, pids] of [["gateway", gatewayPort, [gateway.pid]], ["nginx", nginxPort, [master, ...workers]]]) {
    const delay = await eventDelays(port), memory = await idleMemory(port, pids);
    console.log(`${name.padEnd(8)} an event ${(delay.p50 - direct.p50).toFixed(3)} ms later (p99 ${
      (delay.p99 - direct.p99).toFixed(3)}); ${memory.before.toFixed(1)} MiB, with ${kIdle} idle streams ${
      memory.during.toFixed(1)} MiB`);
  }
} finally {
  execFileSync("nginx", ["-p", scratch, "-c", `${scratch}/conf`, "-s", "stop"], { stdio: "inherit" });
  gateway.kill();
  fs.rmSync(scratch, { recursive: true });
}
process.exit(0);

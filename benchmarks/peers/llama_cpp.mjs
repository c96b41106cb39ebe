// Prompt and generation speed of llama.cpp, through the npm package node-llama-cpp 3, which carries its built binaries; see llama_cpp.sh.
//   node llama_cpp.mjs MODEL.gguf PROMPT GENERATE REPEAT THREADS
// Prints one JSON object with the names of `pintle bench llm`; the best of REPEAT counts. The script's own work between two tokens is
// part of its time: a few hundred microseconds at most.
const {getLlama} = await import(process.env.NODE_LLAMA_CPP ?? "node-llama-cpp");

const [path, ...numbers] = process.argv.slice(2);
const [prompt, generate, repeat, threads] = numbers.map(Number);
if (!threads) {
  console.error("usage: llama_cpp.mjs MODEL.gguf PROMPT GENERATE REPEAT THREADS");
  process.exit(1);
}
const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: threads});
let start = performance.now();
const model = await llama.loadModel({modelPath: path});
const context = await model.createContext({contextSize: prompt + generate + 64, threads, batchSize: 512});
const loadMs = performance.now() - start;
const sequence = context.getSequence();
let promptSpeed = 0, speed = 0;
for (let round = 0; round < repeat; ++round) {
  await sequence.clearHistory();
  const ids = Array.from({length: prompt}, (_, i) => (i * 7919 + 11) % 5000 + 10);
  start = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(ids);
  promptSpeed = Math.max(promptSpeed, prompt / (performance.now() - start) * 1000);
  let count = 0;
  for await (const _ of sequence.evaluate([42], {temperature: 0, yieldEogToken: true})) {
    if (count === 0) start = performance.now();
    if (count++ === generate) break;
  }
  speed = Math.max(speed, (count - 1) / (performance.now() - start) * 1000);
}
console.log(JSON.stringify({pp_tokens_per_s: promptSpeed, tg_tokens_per_s: speed, load_ms: loadMs,
                            peak_rss_mb: process.resourceUsage().maxRSS * 1.024e-3}));
process.exit(0);

// Opens an export in llama.cpp (through the npm package node-llama-cpp 3, which carries built binaries) and completes a
// prompt greedily: does an exported GGUF run there unchanged, with the same tokens and the same text as `pintle m31r generate`?
//   npm install node-llama-cpp@3 && node export_llama_cpp.mjs MODEL.gguf PROMPT TOKENS
// Prints one JSON object: the prompt's ids, the completion's ids and its text.
import {getLlama} from "node-llama-cpp";

const [path, prompt, count] = process.argv.slice(2);
if (!count) {
  console.error("usage: export_llama_cpp.mjs MODEL.gguf PROMPT TOKENS");
  process.exit(1);
}
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: path});
const context = await model.createContext({contextSize: 512, threads: 2});
const sequence = context.getSequence();
const begin = model.tokens.shouldPrependBosToken ? [model.tokens.bos] : [];
const ids = [...begin, ...model.tokenize(prompt, false)];
const completion = [];
for await (const id of sequence.evaluate(ids, {temperature: 0})) {
  completion.push(id);
  if (completion.length === Number(count)) break;
}
console.log(JSON.stringify({architecture: model.fileInfo.metadata.general.architecture, prompt_ids: ids, ids: completion,
                            text: model.detokenize(completion)}));
await context.dispose();
process.exit(0);

// node wasm_trm.js MODULE: a session in WASM gives the bits that src/wasm/trm_exports_test.cc gives natively.
const fs = require('fs');
const path = require('path');

const cells = 16;
let hash = 0xcbf29ce484222325n;  // FNV-1a
function take(module, pointer, bytes) {
  for (const byte of module.HEAPU8.subarray(pointer, pointer + bytes)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
}

require(path.resolve(process.argv[2]))().then((module) => {
  const call = (name, ...values) => module['_pintle_trm_' + name](...values);
  const text = Buffer.from('sudoku4\0');
  const name = module._malloc(text.length);
  module.HEAPU8.set(text, name);
  if (call('open', name, 0, 32, 2, 2, 6, 3) !== 0) throw new Error(module.UTF8ToString(call('error')));
  const number = module._malloc(8);
  for (let step = 0; step < 12; ++step) {
    module.HEAPF64[number / 8] = call('train_step', 1e-2);
    take(module, number, 8);
  }
  const inputs = module._malloc(4 * cells);
  const puzzle = call('puzzle', 9, 0);
  module.HEAPU8.copyWithin(inputs, puzzle, puzzle + 4 * cells);
  if (call('solve', inputs) !== 0) throw new Error(module.UTF8ToString(call('error')));
  for (let step = 0; step < 3; ++step) {
    module.HEAPF32[number / 4] = call('solve_step');
    take(module, number, 4);
    take(module, call('logits'), 4 * cells * 6);
    take(module, call('answer'), 4 * cells);
  }
  const got = hash.toString(16).padStart(16, '0');
  const expected = fs.readFileSync(path.join(__dirname, '../src/wasm/testdata/session.txt'), 'utf8').trim();
  if (got !== expected) throw new Error(`${got} in WASM, ${expected} natively`);
  console.log(got);
}).catch((error) => {
  console.error(String(error));
  process.exit(3);
});

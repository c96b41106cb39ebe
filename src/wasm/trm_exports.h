// What a web page may call: plain C functions over one session, which trains a recursive model on the puzzles of a task
// and solves puzzles with it, one supervision step at a time. The list of what is exported is exports.txt; a page that
// wants a second session makes a second instance of the module. Pointers lead into the module's memory and are valid
// until the next call. Not here: the page, model files (a page fills the tensors itself), solving in one go.
#pragma once

#include <cstdint>

namespace pintle {
extern "C" {

/// Begins a session with random weights: a task by name, attention (1) or the token mixer (0), the width, the depth of
/// the recursion, `slots` puzzles side by side in training. 0 = done; 1 = pintle_trm_error() says why not.
int32_t pintle_trm_open(const char* task, int32_t attention, int32_t width, int32_t h_cycles, int32_t l_cycles,
                        int32_t slots, int32_t seed);
/// Why the last call failed; "" if it did not.
const char* pintle_trm_error();

int32_t pintle_trm_rows();
int32_t pintle_trm_columns();
/// symbols[token] is the character of a token; the length is the vocabulary.
const char* pintle_trm_symbols();

/// One training step of all slots. Returns the mean loss of a slot; NaN if it failed.
double pintle_trm_train_step(double learning_rate);
/// Slots of that step whose answer is right.
int32_t pintle_trm_right_slots();

/// The elements of a weight by its name in model.safetensors, to be filled; null if there is none. Its element count.
float* pintle_trm_tensor(const char* name);
int32_t pintle_trm_tensor_size(const char* name);
/// To be called when all tensors are filled. Training begins anew from these weights.
void pintle_trm_weights_changed();

/// Puzzle `index` of `seed`: inputs, then the answer: [2, rows * columns]. Training draws from the session's seed.
const int32_t* pintle_trm_puzzle(int32_t seed, int32_t index);
/// Takes a puzzle of rows * columns tokens to be solved. 0 = done; 1 = it has no answer, or several.
int32_t pintle_trm_solve(const int32_t* inputs);
/// One more supervision step on it, with the average of the weights. Returns the halting logit (above 0 = content); NaN
/// if it failed.
float pintle_trm_solve_step();
/// The answer after that step, [rows * columns], and whether it is right by the rules of the puzzle (1) or not (0).
const int32_t* pintle_trm_answer();
int32_t pintle_trm_answer_is_right();
/// Its logits, [rows * columns, vocabulary].
const float* pintle_trm_logits();
}

}  // namespace pintle

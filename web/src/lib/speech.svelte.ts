// Reads an answer aloud, sentence by sentence: the first is heard while the next is still being made. One answer at a time.
import { lexer, type Token } from "marked";
import { ApiError, speak } from "./api";
import { settings } from "./settings.svelte";

// Sentences that short are joined with the next one: they sound better, and each costs a request.
const shortest = 24;

class Speaker {
  turn = $state<string | null>(null); // which turn is being read
  problem = $state("");
  #abort: AbortController | undefined;

  async read(turn: string, markdown: string): Promise<void> {
    this.stop();
    const abort = (this.#abort = new AbortController());
    this.turn = turn;
    this.problem = "";
    try {
      const sentences = sentencesOf(plainText(lexer(markdown)));
      const fetchNext = (index: number) => {
        const text = sentences[index];
        const sound = text === undefined ? undefined : speak(text, settings.voice, settings.speed, abort.signal);
        sound?.catch(() => {}); // awaited a sentence later
        return sound;
      };
      let next = fetchNext(0);
      for (let i = 0; next; i++) {
        const sound = await next;
        next = fetchNext(i + 1);
        await play(sound, abort.signal);
      }
    } catch (error) {
      if (!abort.signal.aborted) this.problem = error instanceof ApiError ? error.message : "The sound cannot be played.";
    }
    if (this.#abort === abort) this.turn = null;
  }

  stop(): void {
    this.#abort?.abort();
    this.turn = null;
  }
}

function play(sound: Blob, signal: AbortSignal): Promise<void> {
  const url = URL.createObjectURL(sound);
  const audio = new Audio(url);
  const played = new Promise<void>((resolve, reject) => {
    audio.onended = () => resolve();
    audio.onerror = () => reject(new Error("no sound"));
    signal.addEventListener("abort", () => {
      audio.pause();
      reject(new Error("stopped"));
    });
    audio.play().catch(reject);
  });
  return played.finally(() => URL.revokeObjectURL(url));
}

/** What is said of a text: its words, without code, tables and marks. */
export function plainText(tokens: Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === "code" || token.type === "table" || token.type === "html" || token.type === "hr") return "";
      if (token.type === "list") return plainText(token.items) + "\n";
      const inner = "tokens" in token && token.tokens ? plainText(token.tokens) : "text" in token ? token.text : "";
      return ["paragraph", "heading", "list_item", "blockquote"].includes(token.type) ? inner + "\n" : inner;
    })
    .join("");
}

export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  for (const { segment } of new Intl.Segmenter("en", { granularity: "sentence" }).segment(text)) {
    const sentence = segment.trim();
    if (!/[\p{L}\p{N}]/u.test(sentence)) continue;
    const last = sentences.at(-1);
    if (last !== undefined && last.length < shortest) sentences[sentences.length - 1] = `${last} ${sentence}`;
    else sentences.push(sentence);
  }
  return sentences;
}

export const speaker = new Speaker();

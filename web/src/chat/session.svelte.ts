// What happens in the Chat tab: conversations, the one that is shown, and the answer under way. The components only show
// it. Lives as long as the page, so an answer goes on while another tab is looked at.
import { ApiError, chat } from "../lib/api";
import * as tree from "../lib/conversation";
import type { Conversation, Turn } from "../lib/conversation";
import * as history from "../lib/history";
import { models, pick } from "../lib/models.svelte";
import { settings, stored } from "../lib/settings.svelte";
import { speaker } from "../lib/speech.svelte";

const showMs = 40;

class Session {
  all = $state<Conversation[]>([]);
  current = $state<Conversation>(tree.newConversation());
  writing = $state<string | null>(null); // the turn that is being written
  draft = $state(stored("draft", { text: "" }).text); // outlives the page
  problem = $state("");
  #abort: AbortController | undefined;

  readonly path = $derived(tree.pathTo(this.current, this.current.leaf));
  readonly model = $derived(pick(models.chat, settings.chatModel));

  async restore(): Promise<void> {
    try {
      this.all = await history.loadAll();
    } catch {
      this.problem = "This browser keeps no history: conversations end with the page.";
    }
  }

  send(text: string): void {
    if (this.writing || !text.trim()) return;
    this.draft = "";
    void this.#answer(tree.addTurn(this.current, this.current.leaf, "user", text.trim()).id);
  }

  /** Another answer to the same question; the old one stays as its sibling. */
  again(turn: Turn): void {
    if (!this.writing && turn.parent) void this.#answer(turn.parent);
  }

  /** Answers a question that has no answer yet. */
  retry(question: Turn): void {
    if (!this.writing) void this.#answer(question.id);
  }

  /** The question in other words; what was said stays as a sibling. */
  edit(turn: Turn, text: string): void {
    if (this.writing || !text.trim()) return;
    void this.#answer(tree.addTurn(this.current, turn.parent, "user", text.trim()).id);
  }

  show(turn: Turn): void {
    tree.show(this.current, turn);
    this.#keep();
  }

  branch(turn: Turn): void {
    this.open(tree.branch($state.snapshot(this.current), turn));
    this.#keep();
  }

  stop(): void {
    this.#abort?.abort();
  }

  fresh(): void {
    this.open(tree.newConversation());
  }

  open(conversation: Conversation): void {
    this.stop();
    speaker.stop();
    this.current = conversation;
  }

  remove(conversation: Conversation): void {
    this.all = this.all.filter((each) => each.id !== conversation.id);
    history.remove(conversation.id).catch(() => {});
    if (conversation.id === this.current.id) this.fresh();
  }

  removeAll(): void {
    this.all = [];
    history.removeAll().catch(() => {});
    this.fresh();
  }

  exportAll(): void {
    history.download("pintle-chats.json", "application/json", JSON.stringify($state.snapshot(this.all), null, 2));
  }

  /** Adds the conversations of an exported file; of one that is here already the later version stays. */
  async importAll(file: File): Promise<void> {
    try {
      const read = tree.parseExport(await file.text());
      const later = read.filter((each) => !this.all.some((here) => here.id === each.id && here.at >= each.at));
      const others = this.all.filter((here) => !later.some((each) => each.id === here.id));
      this.all = [...others, ...later].sort((a, b) => b.at - a.at);
      const shown = later.find((each) => each.id === this.current.id);
      if (shown) this.open(shown);
      for (const each of later) await history.save(each);
      this.problem = `${later.length} of ${read.length} conversations came in.`;
    } catch (error) {
      this.problem = `${file.name} was not imported: ${error instanceof Error ? error.message : error}`;
    }
  }

  exportCurrent(): void {
    history.download(`${this.current.title || "chat"}.md`, "text/markdown", tree.asMarkdown(this.current));
  }

  async #answer(question: string): Promise<void> {
    const conversation = this.current;
    const id = tree.addTurn(conversation, question, "assistant", "").id;
    const turn = conversation.turns[id]!; // the proxy: what is written to it is seen
    const abort = (this.#abort = new AbortController());
    const began = performance.now();
    let firstTokenMs = 0;
    let pieces = 0;
    let text = "";
    let thoughts = "";
    let shown = 0;
    // A quick model writes hundreds of tokens a second; they are shown a few at a time.
    const show = () => {
      turn.text = text;
      turn.thoughts = thoughts;
      shown = performance.now();
    };
    this.writing = id;
    turn.model = this.model?.id;
    this.#keep();
    try {
      for await (const piece of chat(requestBody(tree.pathTo(conversation, question), turn.model), abort.signal)) {
        text += piece.text;
        thoughts += piece.thoughts;
        if (piece.text || piece.thoughts) {
          firstTokenMs ||= performance.now() - began;
          pieces++;
        }
        if (performance.now() - shown > showMs) show();
        if (!piece.timings) continue;
        const { predicted_n: tokens, tokens_per_second: tokensPerSecond } = piece.timings;
        turn.facts = { tokens, tokensPerSecond, firstTokenMs, seed: piece.seed, reproducibility: piece.reproducibility };
        if (piece.finish === "length") turn.facts.end = "longest length reached";
      }
    } catch (error) {
      if (abort.signal.aborted) {
        const seconds = (performance.now() - began - firstTokenMs) / 1000;
        turn.facts = { tokens: pieces, tokensPerSecond: pieces > 1 ? (pieces - 1) / seconds : 0, firstTokenMs, end: "stopped" };
      } else {
        turn.problem = error instanceof ApiError ? error.message : String(error);
      }
    }
    show();
    if (this.writing === id) this.writing = null;
    this.#keep(conversation);
  }

  #keep(conversation: Conversation = this.current): void {
    const copy = $state.snapshot(conversation);
    this.all = [copy, ...this.all.filter((each) => each.id !== copy.id)];
    history.save(copy).catch(() => {});
  }
}

function requestBody(path: Turn[], model: string | undefined): object {
  const { temperature, topP, topK, minP, maxTokens, seed, system, thinking } = settings.sampling;
  const messages: { role: string; content: string }[] = path.map(({ role, text }) => ({ role, content: text }));
  if (system.trim()) messages.unshift({ role: "system", content: system });
  return {
    model,
    messages,
    temperature,
    top_p: topP,
    top_k: topK,
    min_p: minP,
    // Without one of the reader's, each answer has a seed of its own; it is shown, and gives the same answer again.
    seed: seed ?? crypto.getRandomValues(new Uint32Array(1))[0],
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    chat_template_kwargs: { enable_thinking: thinking },
  };
}

export const session = new Session();

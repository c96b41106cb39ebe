// A conversation is a tree of turns: editing a question or asking for another answer adds a sibling and loses nothing.
// What is shown is the path from the first turn to `leaf`. Plain data and functions over it; history.ts keeps it.
export interface Facts {
  tokens: number;
  tokensPerSecond: number;
  firstTokenMs: number;
  seed?: number;
  reproducibility?: string;
  end?: string; // why it ended, if not by itself
}

export interface Turn {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  text: string;
  thoughts: string;
  at: number;
  model?: string;
  facts?: Facts;
  problem?: string; // why it ended early
}

export interface Conversation {
  id: string;
  title: string;
  at: number; // of the last change
  turns: Record<string, Turn>;
  leaf: string | null;
}

// Browsers have randomUUID on this machine and over HTTPS alone.
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export function newConversation(): Conversation {
  return { id: newId(), title: "", at: Date.now(), turns: {}, leaf: null };
}

export function addTurn(conversation: Conversation, parent: string | null, role: Turn["role"], text: string): Turn {
  const id = newId();
  conversation.turns[id] = { id, parent, role, text, thoughts: "", at: Date.now() };
  conversation.leaf = id;
  conversation.at = Date.now();
  if (!conversation.title) conversation.title = titleOf(text);
  return conversation.turns[id];
}

/** From the first turn to `to`, both included. */
export function pathTo(conversation: Conversation, to: string | null): Turn[] {
  const path: Turn[] = [];
  for (let turn = find(conversation, to); turn; turn = find(conversation, turn.parent)) path.unshift(turn);
  return path;
}

/** The alternatives to a turn, itself included, oldest first. */
export function siblings(conversation: Conversation, turn: Turn): Turn[] {
  return Object.values(conversation.turns)
    .filter((other) => other.parent === turn.parent)
    .sort((a, b) => a.at - b.at);
}

/** Shows a turn, and below it what was said last. */
export function show(conversation: Conversation, turn: Turn): void {
  let leaf = turn;
  while (true) {
    const children = Object.values(conversation.turns).filter((other) => other.parent === leaf.id);
    if (children.length === 0) break;
    leaf = children.reduce((a, b) => (b.at > a.at ? b : a));
  }
  conversation.leaf = leaf.id;
}

/** A conversation of its own with everything up to a turn. */
export function branch(conversation: Conversation, turn: Turn): Conversation {
  const copy = newConversation();
  copy.title = conversation.title;
  for (const each of pathTo(conversation, turn.id)) copy.turns[each.id] = { ...each };
  copy.leaf = turn.id;
  return copy;
}

export function asMarkdown(conversation: Conversation): string {
  const parts = pathTo(conversation, conversation.leaf).map((turn) => {
    const who = turn.role === "user" ? "You" : (turn.model ?? "Model");
    return `## ${who}\n\n${turn.text}`;
  });
  return `# ${conversation.title}\n\n${parts.join("\n\n")}\n`;
}

/** What an exported file holds; throws with the reason if it is none. Only known fields are taken, and every path must end. */
export function parseExport(text: string): Conversation[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error("it holds no list of conversations");
  return list.map((each: Conversation, index) => {
    const wrong = (what: string) => new Error(`conversation ${index + 1}: ${what}`);
    if (typeof each?.id !== "string" || typeof each.at !== "number" || typeof each.turns !== "object" || each.turns === null) {
      throw wrong("it has no id, time or turns");
    }
    const turns: Conversation["turns"] = {};
    for (const [id, turn] of Object.entries(each.turns)) {
      if (turn?.id !== id || !["user", "assistant"].includes(turn.role) || typeof turn.text !== "string") throw wrong(`the turn ${id} is none`);
      const { parent, role, text: said, thoughts, at, model, facts, problem } = turn;
      turns[id] = { id, parent: parent ?? null, role, text: said, thoughts: String(thoughts ?? ""), at: Number(at) || each.at, model, facts, problem };
    }
    for (const turn of Object.values(turns)) {
      let steps = 0;
      for (let up = turn.parent; up !== null; up = turns[up]!.parent) {
        if (!turns[up] || ++steps > Object.keys(turns).length) throw wrong(`the turn ${turn.id} hangs on nothing`);
      }
    }
    if (each.leaf !== null && !turns[each.leaf]) throw wrong("what it shows is not in it");
    return { id: each.id, title: String(each.title ?? ""), at: each.at, turns, leaf: each.leaf };
  });
}

function find(conversation: Conversation, id: string | null): Turn | undefined {
  return id === null ? undefined : conversation.turns[id];
}

function titleOf(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 57).trimEnd()}…` : line;
}

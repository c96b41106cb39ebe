// The last minutes of the server in figures: read every two seconds from /metrics while the Status tab is seen.
import { metricsText } from "../lib/api";
import { parseMetrics, quantile, total, type Sample } from "../lib/metrics";
import { models } from "../lib/models.svelte";

const periodMs = 2000;
const residentName = "process_resident_memory_bytes";
const kept = 150; // points: five minutes

export interface Point {
  at: number; // ms
  value: number;
}

export interface ModelFigures {
  active: number;
  waiting: number;
  firstToken50?: number; // s
  firstToken95?: number;
  tokens: number;
}

class Figures {
  nodes = $state<{ name: string; up: boolean; inFlight: number }[]>([]);
  requests = $state(0); // since the start
  byModel = $state<Record<string, ModelFigures>>({});
  resident = $state<Record<string, number>>({}); // bytes of each node's process; "" is the gateway's
  tokenRate = $state<Point[]>([]);
  requestRate = $state<Point[]>([]);
  problem = $state("");
  #last: { at: number; tokens: number; requests: number } | undefined;

  /** Reads until the returned function is called. */
  watch(): () => void {
    this.#last = undefined;
    void this.#read();
    const timer = setInterval(() => document.hidden || void this.#read(), periodMs);
    return () => clearInterval(timer);
  }

  async #read(): Promise<void> {
    try {
      const gateway = parseMetrics(await metricsText());
      this.nodes = gateway
        .filter((sample) => sample.name === "pintle_gateway_node_up")
        .map(({ labels: { node = "" }, value }) => ({ name: node, up: value === 1, inFlight: total(gateway, "pintle_gateway_in_flight", { node }) }));
      this.requests = total(gateway, "pintle_gateway_requests_total");
      const nodes = parseMetrics(await metricsText("nodes=all"));
      this.resident = {};
      for (const { name, labels, value } of nodes) if (name === residentName) this.resident[labels.node ?? ""] = value;
      this.resident[""] = total(gateway, residentName);
      for (const { id, capabilities } of models.list) if (capabilities?.includes("completion")) this.#readModel(id, nodes);
      this.#note();
      this.problem = "";
    } catch {
      this.problem = "No figures at the moment.";
    }
  }

  #readModel(model: string, nodes: Sample[]): void {
    const samples = nodes.filter((sample) => sample.labels.model === model);
    this.byModel[model] = {
      active: total(samples, "pintle_answers_active"),
      waiting: total(samples, "pintle_answers_waiting"),
      firstToken50: quantile(samples, "pintle_first_token_seconds", 0.5),
      firstToken95: quantile(samples, "pintle_first_token_seconds", 0.95),
      tokens: total(samples, "pintle_completion_tokens_total"),
    };
  }

  // Rates are differences of counters; a counter that fell belongs to a node that started again.
  #note(): void {
    const now = { at: Date.now(), tokens: 0, requests: this.requests };
    for (const figures of Object.values(this.byModel)) now.tokens += figures.tokens;
    if (this.#last) {
      const seconds = (now.at - this.#last.at) / 1000;
      const rate = (value: number, before: number) => ({ at: now.at, value: Math.max(0, value - before) / seconds });
      this.tokenRate = [...this.tokenRate, rate(now.tokens, this.#last.tokens)].slice(-kept);
      this.requestRate = [...this.requestRate, rate(now.requests, this.#last.requests)].slice(-kept);
    }
    this.#last = now;
  }
}

export const figures = new Figures();

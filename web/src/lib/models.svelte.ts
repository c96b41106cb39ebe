// The models of the server, asked for again every few seconds while the page is seen.
import { ApiError, listModels, loadModel, unloadModel, type Model } from "./api";

const pollMs = 3000;

class Models {
  list = $state<Model[]>([]);
  known = $state(false); // the server has answered at least once
  problem = $state("");

  readonly chat = $derived(this.list.filter((model) => can(model, "chat")));
  readonly fim = $derived(this.list.filter((model) => can(model, "fim")));
  readonly speaks = $derived(this.list.some((model) => can(model, "speech")));

  async refresh(): Promise<void> {
    try {
      this.list = await listModels();
      this.known = true;
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : String(error);
    }
  }

  /** Polls until the returned function is called. */
  watch(): () => void {
    void this.refresh();
    const timer = setInterval(() => document.hidden || void this.refresh(), pollMs);
    return () => clearInterval(timer);
  }

  async load(id: string): Promise<void> {
    this.#mark(id, "loading");
    await loadModel(id).finally(() => this.refresh());
  }
  async unload(id: string): Promise<void> {
    await unloadModel(id).finally(() => this.refresh());
  }

  #mark(id: string, state: Model["state"]): void {
    const model = this.list.find((each) => each.id === id);
    if (model) model.state = state;
  }
}

function can(model: Model, capability: string): boolean {
  return model.capabilities?.includes(capability) ?? false;
}

/** The chosen one if it is there, else the largest. */
export function pick(list: Model[], chosen: string): Model | undefined {
  const size = (model: Model) => model.parameters ?? 0;
  return list.find((model) => model.id === chosen) ?? [...list].sort((a, b) => size(b) - size(a))[0];
}

export const models = new Models();

// Everything that the page asks the server: models, chat, completion in the middle, speech, metrics. Same origin only.
// A failure is always an ApiError whose message can be shown as it is.
import { events } from "./sse";
import { settings } from "./settings.svelte";

export interface Model {
  id: string;
  root?: string;
  origin?: string;
  licence?: string | null;
  context_window?: number;
  parameters?: number;
  state?: "unloaded" | "loading" | "loaded" | "failed";
  state_reason?: string | null;
  memory_bytes?: number;
  pinned?: boolean;
  capabilities?: string[];
}

export interface CatalogueEntry {
  id: string;
  name: string;
  size_bytes: number;
  ram_bytes: number;
  licence: string;
  gated: boolean;
  fits: boolean;
  state: "absent" | "partial" | "waiting" | "pulling" | "present" | "verified";
  progress: number; // the share of its bytes that are here
  problem?: string;
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

async function request(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (settings.key) headers["authorization"] = `Bearer ${settings.key}`;
  let response: Response;
  try {
    response = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The server cannot be reached.", 0);
  }
  if (response.ok) return response;
  if (response.status === 401) settings.locked = true;
  const text = await response.text();
  throw errorOf(text, response.status);
}

// {"error":{"message","code"}}, or whatever else a proxy in between may say.
function errorOf(text: string, status: number): ApiError {
  try {
    const { message, code } = JSON.parse(text).error;
    return new ApiError(String(message), status, code ?? null);
  } catch {
    return new ApiError(`The server answered ${status}.`, status);
  }
}

async function json<T>(path: string, body?: unknown): Promise<T> {
  return (await request(path, body)).json() as Promise<T>;
}

/** The models, each once: names that stand for another model are left out. */
export async function listModels(): Promise<Model[]> {
  const { data } = await json<{ data: Model[] }>("/v1/models");
  return data.filter((model) => !model.root || model.root === model.id);
}

export const loadModel = (model: string) => json<Model>("/v1/models/load", { model });
export const unloadModel = (model: string) => json<Model>("/v1/models/unload", { model });

export async function listVoices(): Promise<string[]> {
  const { voices } = await json<{ voices: { id: string }[] }>("/v1/audio/voices");
  return voices.map((voice) => voice.id);
}

/** What could be fetched; null if this server has no catalogue. */
export async function listCatalogue(): Promise<CatalogueEntry[] | null> {
  try {
    return (await json<{ models: CatalogueEntry[] }>("/v1/catalogue")).models;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
export const pullModel = (id: string) => json<unknown>("/v1/catalogue/pull", { id });

/** Prometheus' text of the gateway, or with "nodes=all" of its nodes. */
export async function metricsText(query = ""): Promise<string> {
  return (await request(`/metrics?${query}`)).text();
}

export async function speak(input: string, voice: string, speed: number, signal: AbortSignal): Promise<Blob> {
  const body = { model: "tts-1", input, voice, speed, response_format: "wav" };
  return (await request("/v1/audio/speech", body, signal)).blob();
}

export interface Timings {
  tokens_per_second: number;
  prompt_n: number;
  predicted_n: number;
  prefill_ms: number;
  decode_ms: number;
  cached_tokens: number;
}

/** A piece of an answer; facts come with the last one. */
export interface ChatPiece {
  text: string;
  thoughts: string;
  finish?: string;
  seed?: number;
  timings?: Timings;
  reproducibility?: string;
}

export async function* chat(body: object, signal: AbortSignal): AsyncGenerator<ChatPiece> {
  const response = await request("/v1/chat/completions", { ...body, stream: true }, signal);
  let complete = false;
  for await (const data of events(response.body!)) {
    complete ||= data === "[DONE]";
    if (complete) continue; // to the end of the stream, so that the connection can be used again
    const event = JSON.parse(data);
    if (event.error) throw errorOf(data, 503);
    const choice = event.choices?.[0];
    if (!choice) continue;
    yield {
      text: choice.delta?.content ?? "",
      thoughts: choice.delta?.reasoning_content ?? "",
      finish: choice.finish_reason ?? undefined,
      seed: event.seed,
      timings: event.timings,
      reproducibility: event.reproducibility,
    };
  }
  if (!complete) throw new ApiError("The answer broke off.", 0);
}

export interface InfillPiece {
  text: string;
  timings?: Timings;
}

export async function* infill(body: object, signal: AbortSignal): AsyncGenerator<InfillPiece> {
  const response = await request("/infill", { ...body, stream: true }, signal);
  for await (const data of events(response.body!)) {
    const event = JSON.parse(data);
    if (event.error) throw errorOf(data, 503);
    yield { text: event.content ?? "", timings: event.timings };
  }
}

// What the reader chose, kept in localStorage: look, key, sampling, voice. One object for the whole page.
export type Theme = "system" | "light" | "dark";

export interface Sampling {
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  maxTokens: number | null; // null: to the end of the context
  seed: number | null; // null: a new one for each answer
  system: string;
  thinking: boolean;
}

export const defaultSampling: Sampling = {
  temperature: 0.7,
  topP: 0.95,
  topK: 40,
  minP: 0,
  maxTokens: null,
  seed: null,
  system: "",
  thinking: true,
};

/** A stored object over its defaults; damaged or absent: the defaults. */
export function stored<T extends object>(key: string, defaults: T): T {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(`pintle.${key}`) ?? "{}") };
  } catch {
    return { ...defaults };
  }
}
export function store(key: string, value: object): void {
  try {
    localStorage.setItem(`pintle.${key}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the memory of choices, nothing else.
  }
}

class Settings {
  theme = $state<Theme>("system");
  key = $state("");
  locked = $state(false); // the server wants a key that we do not have
  sampling = $state<Sampling>({ ...defaultSampling });
  voice = $state("alloy");
  speed = $state(1);
  chatModel = $state("");
  codeModel = $state("");
  autoComplete = $state(true);

  constructor() {
    const { theme, key, sampling, voice, speed, chatModel, codeModel, autoComplete } = this;
    const found = stored("settings", { theme, key, sampling, voice, speed, chatModel, codeModel, autoComplete });
    Object.assign(this, found, { sampling: { ...defaultSampling, ...found.sampling } });
  }

  /** To be called in an effect: shows and keeps every change. */
  keep(): void {
    const { theme, key, sampling, voice, speed, chatModel, codeModel, autoComplete } = this;
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    store("settings", { theme, key, sampling, voice, speed, chatModel, codeModel, autoComplete });
  }
}

export const settings = new Settings();

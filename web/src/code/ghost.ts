// Suggestions in grey behind the cursor: asked for after a short pause, taken with Tab, gone with any other key, whose
// request is then cancelled. The editor's part alone; what is asked, and of whom, the caller knows.
import { Prec, StateEffect, StateField, type EditorState, type Extension } from "@codemirror/state";
import { Decoration, EditorView, keymap, ViewPlugin, WidgetType, type ViewUpdate } from "@codemirror/view";

/** Yields the suggestion as far as it is known, longer and longer. */
export type Ask = (prefix: string, suffix: string, signal: AbortSignal) => AsyncGenerator<string>;

interface Ghost {
  at: number;
  text: string;
}

const pauseMs = 150;
const setGhost = StateEffect.define<Ghost | null>();

class GhostText extends WidgetType {
  constructor(readonly text: string) {
    super();
  }
  override eq(other: GhostText): boolean {
    return other.text === this.text;
  }
  override toDOM(): HTMLElement {
    const span = document.createElement("span");
    span.className = "cm-ghost";
    span.textContent = this.text;
    // The cursor's line is read without it; what is suggested is announced elsewhere.
    span.setAttribute("aria-hidden", "true");
    return span;
  }
}

const ghostField = StateField.define<Ghost | null>({
  create: () => null,
  update(ghost, transaction) {
    for (const effect of transaction.effects) if (effect.is(setGhost)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : ghost;
  },
  provide: (field) =>
    EditorView.decorations.from(field, (ghost) =>
      ghost ? Decoration.set(Decoration.widget({ widget: new GhostText(ghost.text), side: 1 }).range(ghost.at)) : Decoration.none,
    ),
});

export function ghostOf(state: EditorState): string {
  return state.field(ghostField)?.text ?? "";
}

function accept(view: EditorView, part: (text: string) => string): boolean {
  const ghost = view.state.field(ghostField);
  if (!ghost) return false;
  const text = part(ghost.text);
  const at = ghost.at + text.length;
  const rest = ghost.text.slice(text.length);
  view.dispatch({
    changes: { from: ghost.at, insert: text },
    selection: { anchor: at },
    effects: setGhost.of(rest ? { at, text: rest } : null),
    userEvent: "input.complete",
    scrollIntoView: true,
  });
  return true;
}

/** Takes all of what is suggested, if anything is. */
export const acceptGhost = (view: EditorView): boolean => accept(view, (text) => text);

/** `automatic`: whether typing asks; otherwise Ctrl+Space alone does. */
export function ghostText(ask: Ask, automatic: () => boolean): Extension {
  class Asker {
    #timer: ReturnType<typeof setTimeout> | undefined;
    #abort: AbortController | undefined;

    constructor(readonly view: EditorView) {
      if (automatic()) this.schedule();
    }
    update(update: ViewUpdate): void {
      if (!update.docChanged && !update.selectionSet) return;
      this.cancel();
      const typed = update.transactions.some((each) => each.isUserEvent("input") || each.isUserEvent("delete"));
      if (typed && automatic() && !ghostOf(update.state)) this.schedule();
    }
    schedule(): void {
      this.#timer = setTimeout(() => void this.now(), pauseMs);
    }
    cancel(): void {
      clearTimeout(this.#timer);
      this.#abort?.abort();
    }
    async now(): Promise<void> {
      this.cancel();
      const abort = (this.#abort = new AbortController());
      const { main } = this.view.state.selection;
      if (!main.empty) return;
      const { doc } = this.view.state;
      try {
        for await (const text of ask(doc.sliceString(0, main.head), doc.sliceString(main.head), abort.signal)) {
          if (abort.signal.aborted) return;
          this.view.dispatch({ effects: setGhost.of(text ? { at: main.head, text } : null) });
        }
      } catch {
        // Cancelled, or said by the caller.
      }
    }
    destroy(): void {
      this.cancel();
    }
  }

  const plugin = ViewPlugin.fromClass(Asker);
  const keys = keymap.of([
    { key: "Tab", run: acceptGhost },
    { key: "Mod-ArrowRight", run: (view) => accept(view, (text) => /^\s*(\w+|\W)/.exec(text)?.[0] ?? text) },
    {
      key: "Escape",
      run: (view) => {
        view.plugin(plugin)?.cancel();
        if (!view.state.field(ghostField)) return false;
        view.dispatch({ effects: setGhost.of(null) });
        return true;
      },
    },
    { key: "Ctrl-Space", run: (view) => (void view.plugin(plugin)?.now(), true) },
  ]);
  return [ghostField, plugin, Prec.highest(keys)];
}

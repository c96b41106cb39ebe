// The Rust editor: CodeMirror with the page's colours. It lives in a shadow root, where its styles are adopted sheets: the
// content security policy allows no style elements.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { rust } from "@codemirror/lang-rust";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { ghostOf, ghostText, type Ask } from "./ghost";

const colours = HighlightStyle.define([
  { tag: [tags.comment], color: "var(--code-comment)" },
  { tag: [tags.string, tags.character, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool], color: "var(--code-number)" },
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.modifier, tags.self], color: "var(--code-keyword)" },
  { tag: [tags.typeName, tags.namespace], color: "var(--code-type)" },
  { tag: [tags.function(tags.variableName), tags.macroName, tags.function(tags.propertyName)], color: "var(--code-call)" },
  { tag: [tags.meta, tags.attributeName, tags.labelName], color: "var(--soft)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "14px", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { padding: "14px 0", caretColor: "var(--accent)" },
  ".cm-gutters": { background: "transparent", color: "var(--soft)", border: "0", paddingLeft: "8px" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  ".cm-cursor": { borderLeft: "2px solid var(--accent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 25%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": { background: "var(--accent-wash)", outline: "1px solid var(--accent)" },
  ".cm-ghost": { color: "var(--soft)", fontStyle: "italic", whiteSpace: "pre-wrap" },
});

export interface EditorHooks {
  ask: Ask;
  automatic: () => boolean;
  changed: (text: string) => void;
  suggested: (text: string) => void;
}

/** Puts an editor into an element. Tab takes a suggestion, else indents; Escape, then Tab leaves the editor. */
export function createEditor(host: HTMLElement, text: string, cursor: number, hooks: EditorHooks): EditorView {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  return new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      selection: { anchor: Math.min(cursor, text.length) },
      extensions: [
        ghostText(hooks.ask, hooks.automatic),
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        rust(),
        syntaxHighlighting(colours),
        look,
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": "Rust code", tabindex: "0", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) hooks.changed(update.state.doc.toString());
          const ghost = ghostOf(update.state);
          if (ghost !== ghostOf(update.startState)) hooks.suggested(ghost);
        }),
      ],
    }),
  });
}

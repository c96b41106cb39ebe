// Colours for code in answers: comments, strings, numbers, keywords, types and calls, found by one pass of one pattern. It
// deliberately parses nothing: it need not know a language to make it readable, and half-written code while it streams is
// no error. The editor of the Code tab has a real grammar.
export type Kind = "" | "comment" | "string" | "number" | "keyword" | "type" | "call";
export interface Piece {
  kind: Kind;
  text: string;
}

interface Family {
  names: string;
  comment: string;
  string: string;
  keywords: string;
}

const quotes = `"(?:[^"\\\\\\n]|\\\\.)*"?`;
const families: Family[] = [
  {
    names: "rust rs",
    comment: "//[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$)",
    // A quote that ends two characters on is a character; otherwise it begins a lifetime.
    string: `b?${quotes}|r#*"[\\s\\S]*?"#*|b?'(?:[^'\\\\\\n]|\\\\.[^']*)'`,
    keywords:
      "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while",
  },
  {
    names: "js javascript ts typescript jsx tsx json c h cpp c++ java go kotlin swift csharp cs scala php css",
    comment: "//[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$)",
    string: `${quotes}|'(?:[^'\\\\\\n]|\\\\.)*'?|\`(?:[^\`\\\\]|\\\\.)*\`?`,
    keywords:
      "abstract as async auto await bool boolean break case catch char class const constexpr continue default defer delete do double else enum export extends false final float for from func function go if implements import in include inline instanceof int interface let long map namespace new nil null nullptr of override package private protected public range return short signed sizeof static std struct super switch template this throw true try type typedef typeof undefined union unsigned using var virtual void volatile while yield",
  },
  {
    names: "python py sh bash shell zsh toml yaml yml ruby rb make makefile dockerfile console",
    comment: "#[^\\n]*",
    string: `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|[bfr]?${quotes}|[bfr]?'(?:[^'\\\\\\n]|\\\\.)*'?`,
    keywords:
      "False None True and as assert async await begin break case class continue def del do done elif else end esac except export false fi finally for from function global if import in is lambda module nonlocal not or pass raise require return self then true try until while with yield",
  },
];

const patterns = new Map<string, RegExp>();
for (const { names, comment, string, keywords } of families) {
  const pattern = new RegExp(
    [
      `(?<comment>${comment})`,
      `(?<string>${string})`,
      "(?<number>\\b(?:0[xob][\\da-fA-F_]+|\\d[\\d_]*(?:\\.\\d[\\d_]*)?(?:[eE][+-]?\\d+)?)\\w*)",
      `(?<keyword>\\b(?:${keywords.replaceAll(" ", "|")})\\b)`,
      "(?<type>\\b[A-Z]\\w*[a-z]\\w*\\b)",
      "(?<call>\\b[a-z_]\\w*!?(?=\\())",
    ].join("|"),
    "gu",
  );
  for (const name of names.split(" ")) patterns.set(name, pattern);
}

/** The code in pieces, in order and complete; a language that is not known is one piece without colour. */
export function highlight(code: string, language: string): Piece[] {
  const pattern = patterns.get(language.toLowerCase());
  if (!pattern) return [{ kind: "", text: code }];
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    if (match[0] === "") continue;
    if (match.index > end) pieces.push({ kind: "", text: code.slice(end, match.index) });
    const kind = Object.entries(match.groups!).find(([, text]) => text !== undefined)![0] as Kind;
    pieces.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < code.length) pieces.push({ kind: "", text: code.slice(end) });
  return pieces;
}

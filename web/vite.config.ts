// Builds the page into dist/, which is committed: whoever builds Pintle needs no Node. The same sources give the same bytes.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

// licences.txt: name, version and licence text of every package that has code in the page.
function licences(): Plugin {
  return {
    name: "licences",
    generateBundle(_, bundle) {
      const packages = new Map<string, string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of Object.keys(chunk.modules)) {
          const folder = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
          if (!folder || packages.has(folder)) continue;
          const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
          packages.set(folder, `${name} ${version}\n\n${licenceOf(folder)}`);
        }
      }
      const source = [...packages.values()].sort().join(`\n${"-".repeat(80)}\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}

function licenceOf(folder: string): string {
  for (const name of ["LICENSE", "LICENSE.md", "license", "LICENCE"]) {
    try {
      return readFileSync(join(folder, name), "utf8").trim() + "\n";
    } catch {
      continue;
    }
  }
  throw new Error(`${dirname(folder)}: no licence text in ${folder}`);
}

export default defineConfig({
  plugins: [svelte(), licences()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // nothing inline: the content security policy allows files of this server alone
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` beside a running `./run up`.
    proxy: Object.fromEntries(["/v1", "/infill", "/metrics", "/health"].map((path) => [path, "http://127.0.0.1:8080"])),
  },
});
